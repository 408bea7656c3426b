package apijson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	number          = reflect.TypeFor[json.Number]()
)

// giveUp is the decoder of what only the API machinery's reads.
func giveUp(*reader, reflect.Value) bool { return false }

// known are decoders of types that most objects have, in place of their own
// UnmarshalJSON or of reflection. Each gives up where it is not sure.
var known = map[reflect.Type]decoder{
	reflect.TypeFor[metav1.Time]():         decodeTime,
	reflect.TypeFor[intstr.IntOrString]():  decodeIntOrString,
	reflect.TypeFor[[]string]():            decodeStrings,
	reflect.TypeFor[map[string]string]():   mapOf[map[string]string](readString),
	reflect.TypeFor[corev1.ResourceList](): mapOf[corev1.ResourceList](readQuantity),
}

// compiler makes the decoders of a type and of all that it is made of.
type compiler struct {
	// making are the structs under way, by which a type that contains itself finds
	// its own decoder.
	making map[reflect.Type]*structDecoder
}

func (c *compiler) compile(t reflect.Type) decoder {
	if d := known[t]; d != nil {
		return d
	}
	if t.Kind() == reflect.Pointer {
		return c.pointer(t)
	}
	switch p := reflect.PointerTo(t); {
	case p.Implements(jsonUnmarshaler) && t.Name() != "":
		return decodeItself
	case p.Implements(jsonUnmarshaler), p.Implements(textUnmarshaler), t == number:
		return giveUp
	}
	switch t.Kind() {
	case reflect.String:
		return decodeString
	case reflect.Bool:
		return decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return decodeInt
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return decodeAny
		}
		return giveUp
	case reflect.Struct:
		return c.structOf(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return decodeBytes
		}
		return c.slice(t)
	case reflect.Map:
		if k := t.Key(); k.Kind() != reflect.String || reflect.PointerTo(k).Implements(textUnmarshaler) {
			return giveUp
		}
		return c.mapping(t)
	default:
		return giveUp
	}
}

func (c *compiler) pointer(t reflect.Type) decoder {
	elem := t.Elem()
	// A method of a pointer that has a name, and pointers to pointers, are not worth it.
	if t.Name() != "" || elem.Kind() == reflect.Pointer {
		return giveUp
	}
	decode := c.compile(elem)
	return func(r *reader, v reflect.Value) bool {
		if r.null() {
			return true
		}
		p := reflect.New(elem)
		v.Set(p)
		return decode(r, p.Elem())
	}
}

// scratchElements is how long the lists are that elements are read into, before they are
// copied to one that is as long as it has to be. A list that has more grows.
const scratchElements = 32

func (c *compiler) slice(t reflect.Type) decoder {
	decode := c.compile(t.Elem())
	scratch := sync.Pool{New: func() any {
		list := reflect.MakeSlice(t, scratchElements, scratchElements)
		return &list
	}}
	return func(r *reader, v reflect.Value) bool {
		if r.null() {
			return true
		}
		more, ok := r.open('[', ']')
		if !more {
			v.Set(reflect.MakeSlice(t, 0, 0))
			return ok
		}
		list, isList := scratch.Get().(*reflect.Value)
		if !isList {
			return false
		}
		r.depth++
		n := 0
		for ; more && ok && n < scratchElements; n++ {
			if !decode(r, list.Index(n)) {
				return false // the scratch is no longer empty, and left to the garbage collector
			}
			more, ok = r.more(']')
		}
		if r.elements -= n; r.elements < 0 {
			return false
		}
		v.Set(reflect.MakeSlice(t, n, n))
		used := list.Slice(0, n)
		reflect.Copy(v, used)
		used.Clear()
		scratch.Put(list)
		for ; more && ok; n++ {
			if r.elements--; r.elements < 0 {
				return false
			}
			if n == v.Cap() {
				v.Grow(1)
			}
			v.SetLen(n + 1)
			if !decode(r, v.Index(n)) {
				return false
			}
			more, ok = r.more(']')
		}
		r.depth--
		return ok
	}
}

func (c *compiler) mapping(t reflect.Type) decoder {
	decode := c.compile(t.Elem())
	return func(r *reader, v reflect.Value) bool {
		if r.null() {
			return true
		}
		m := reflect.MakeMap(t)
		v.Set(m)
		return r.entries(func(key []byte) bool {
			k, elem := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			if k.SetString(r.string(key)); !decode(r, elem) {
				return false
			}
			m.SetMapIndex(k, elem)
			return true
		})
	}
}

// entries consumes an object and calls read for each key; read consumes its value.
func (r *reader) entries(read func(key []byte) bool) bool {
	more, ok := r.open('{', '}')
	r.depth++
	for more && ok {
		key, isText := r.text()
		if !isText || !r.take(':') || !read(key) {
			return false
		}
		more, ok = r.more('}')
	}
	r.depth--
	return ok
}
