package apijson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"

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

func (c *compiler) slice(t reflect.Type) decoder {
	decode := c.compile(t.Elem())
	return func(r *reader, v reflect.Value) bool {
		if r.null() {
			return true
		}
		more, ok := r.open('[', ']')
		if ok && !more {
			v.Set(reflect.MakeSlice(t, 0, 0))
			return true
		}
		r.depth++
		for n := 0; more && ok; n++ {
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
			if k.SetString(string(key)); !decode(r, elem) {
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

// structDecoder reads a struct.
type structDecoder struct {
	fields []field
	// unsure is true for a struct that only the API machinery's decoder reads.
	unsure bool
}

type field struct {
	name   string
	index  []int // of the field, through the structs that it is embedded in
	decode decoder
}

func (c *compiler) structOf(t reflect.Type) decoder {
	if d, ok := c.making[t]; ok {
		return d.decode
	}
	d := &structDecoder{}
	if c.making == nil {
		c.making = map[reflect.Type]*structDecoder{}
	}
	c.making[t] = d
	d.unsure = !c.addFields(d, t, nil) || len(d.fields) > 64
	return d.decode
}

// addFields adds the fields of a struct as encoding/json knows them. It reports false
// for structs that are not as those of the API: two fields of one name, embedded
// pointers, options that change the form.
func (c *compiler) addFields(d *structDecoder, t reflect.Type, outer []int) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, hasTag := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		index := append(outer[:len(outer):len(outer)], i)
		switch {
		case tag == "-":
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && f.IsExported():
			if !c.addFields(d, f.Type, index) {
				return false
			}
			continue
		case f.Anonymous && name == "":
			return false
		case !f.IsExported():
			if hasTag {
				return false
			}
			continue
		case strings.Contains(","+options+",", ",string,"), !isFieldName(name):
			return false
		case name == "":
			name = f.Name
		}
		for j := range d.fields {
			if d.fields[j].name == name {
				return false
			}
		}
		d.fields = append(d.fields, field{name, index, c.compile(f.Type)})
	}
	return true
}

// isFieldName reports whether a name in a tag is one that needs no second thought.
func isFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func (d *structDecoder) decode(r *reader, v reflect.Value) bool {
	if r.null() {
		return true
	}
	if d.unsure {
		return false
	}
	more, ok := r.open('{', '}')
	r.depth++
	var seen uint64
	at := 0
	for more && ok {
		key, isText := r.text()
		if !isText || !r.take(':') {
			return false
		}
		i := d.find(key, at)
		switch {
		case i < 0:
			_, ok = r.value()
		case seen&(1<<i) != 0:
			return false // what it leaves of the first one is not obvious
		default:
			seen |= 1 << i
			f := &d.fields[i]
			into := v
			for _, k := range f.index {
				into = into.Field(k)
			}
			ok = f.decode(r, into)
			at = i + 1
		}
		if ok {
			more, ok = r.more('}')
		}
	}
	r.depth--
	return ok
}

// find returns the index of the field of that name, or -1. Objects of the API server
// have their fields in the order of the struct, so it is mostly the next one or one
// soon after it.
func (d *structDecoder) find(name []byte, at int) int {
	for i := at; i < len(d.fields); i++ {
		if d.fields[i].name == string(name) {
			return i
		}
	}
	for i := range min(at, len(d.fields)) {
		if d.fields[i].name == string(name) {
			return i
		}
	}
	return -1
}
