package apijson

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func decodeString(r *reader, v reflect.Value) bool {
	if r.null() {
		return true
	}
	s, ok := r.text()
	if ok {
		v.SetString(r.string(s))
	}
	return ok
}

func decodeBool(r *reader, v reflect.Value) bool {
	switch r.next() {
	case 't':
		v.SetBool(true)
		return r.word("true")
	case 'f':
		return r.word("false")
	}
	return r.null()
}

func decodeInt(r *reader, v reflect.Value) bool {
	if r.null() {
		return true
	}
	n, ok := r.integer()
	if !ok || v.OverflowInt(n) {
		return false
	}
	v.SetInt(n)
	return true
}

// decodeAny reads what has no type: whole numbers become int64. Others are left to the
// API machinery's decoder.
func decodeAny(r *reader, v reflect.Value) bool {
	x, ok := r.any()
	if ok && x != nil {
		v.Set(reflect.ValueOf(x))
	}
	return ok
}

func (r *reader) any() (any, bool) {
	switch r.next() {
	case '{':
		m := map[string]any{}
		return m, r.entries(func(key []byte) bool {
			x, ok := r.any()
			m[r.string(key)] = x
			return ok
		})
	case '[':
		return r.anyList()
	case '"':
		s, ok := r.text()
		return r.string(s), ok
	case 't':
		return true, r.word("true")
	case 'f':
		return false, r.word("false")
	case 'n':
		return nil, r.word("null")
	}
	return r.integer()
}

func (r *reader) anyList() (any, bool) {
	list := []any{}
	more, ok := r.open('[', ']')
	r.depth++
	for more && ok {
		if r.elements--; r.elements < 0 {
			return nil, false
		}
		var x any
		if x, ok = r.any(); ok {
			list = append(list, x)
			more, ok = r.more(']')
		}
	}
	r.depth--
	return list, ok
}

// decodeBytes reads base64.
func decodeBytes(r *reader, v reflect.Value) bool {
	if r.null() {
		return true
	}
	s, ok := r.text()
	if !ok {
		return false
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Decode(b, s)
	v.SetBytes(b[:n])
	return err == nil
}

// decodeItself has a type read its JSON by its own method, null too.
func decodeItself(r *reader, v reflect.Value) bool {
	raw, ok := r.value()
	if !ok {
		return false
	}
	u, ok := reflect.TypeAssert[json.Unmarshaler](v.Addr())
	return ok && u.UnmarshalJSON(raw) == nil
}

// decodeTime is UnmarshalJSON of metav1.Time.
func decodeTime(r *reader, v reflect.Value) bool {
	t, ok := reflect.TypeAssert[*metav1.Time](v.Addr())
	if !ok {
		return false
	}
	if r.null() {
		return true
	}
	s, ok := r.text()
	if !ok {
		return false
	}
	parsed, err := time.Parse(time.RFC3339, string(s))
	t.Time = parsed.Local()
	return err == nil
}

// decodeIntOrString is UnmarshalJSON of intstr.IntOrString.
func decodeIntOrString(r *reader, v reflect.Value) bool {
	x, ok := reflect.TypeAssert[*intstr.IntOrString](v.Addr())
	if !ok {
		return false
	}
	switch r.next() {
	case '"':
		s, ok := r.text()
		*x = intstr.IntOrString{Type: intstr.String, StrVal: r.string(s)}
		return ok
	case 'n':
		return r.null()
	}
	n, ok := r.integer()
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		return false
	}
	*x = intstr.IntOrString{Type: intstr.Int, IntVal: int32(n)}
	return true
}

func decodeStrings(r *reader, v reflect.Value) bool {
	list, ok := reflect.TypeAssert[*[]string](v.Addr())
	if !ok {
		return false
	}
	if r.null() {
		return true
	}
	more, ok := r.open('[', ']')
	*list = []string{}
	for more && ok {
		if r.elements--; r.elements < 0 {
			return false
		}
		var s string
		if !readString(r, &s) {
			return false
		}
		*list = append(*list, s)
		more, ok = r.more(']')
	}
	return ok
}

func readString(r *reader, into *string) bool {
	if r.null() {
		return true
	}
	s, ok := r.text()
	*into = r.string(s)
	return ok
}

func readQuantity(r *reader, into *resource.Quantity) bool {
	raw, ok := r.value()
	return ok && into.UnmarshalJSON(raw) == nil
}

// mapOf makes the decoder of a map without reflection for each entry.
func mapOf[M ~map[K]V, K ~string, V any](read func(*reader, *V) bool) decoder {
	return func(r *reader, v reflect.Value) bool {
		m, ok := reflect.TypeAssert[*M](v.Addr())
		if !ok {
			return false
		}
		if r.null() {
			return true
		}
		*m = M{}
		return r.entries(func(key []byte) bool {
			k := K(r.string(key))
			var value V
			if !read(r, &value) {
				return false
			}
			(*m)[k] = value
			return true
		})
	}
}
