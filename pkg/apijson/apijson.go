// Package apijson reads the JSON of the Kubernetes API into Go types, exactly as
// the API machinery's own decoder does, and several times as fast.
//
// It does so by reading in one pass what the API server writes, and nothing else.
// At the first byte that it is not sure of (a key twice, another type than the
// field's, a broken surrogate, a number with an exponent, any error) it gives up and
// has the API machinery's decoder start from the beginning. So all that is peculiar,
// and every error, comes from there, and the two can differ only in what both of them
// read without complaint. FuzzUnmarshal compares them.
package apijson

import (
	"reflect"
	"sync"

	"sigs.k8s.io/json"
)

// Limits of what is read in one pass. What is larger goes to the API machinery's
// decoder at once, so that giving up late costs neither much time nor much memory.
const (
	maxBytes    = 64 << 10
	maxElements = 2000 // of all lists together
	maxDepth    = 64
)

// Unmarshal reads data into the value that into points to, which must be a non-nil
// pointer to a zero value. Keys are compared case-sensitively, unknown ones are left
// out. The errors are those of [json.UnmarshalCaseSensitivePreserveInts].
func Unmarshal(data []byte, into any) error {
	if v := reflect.ValueOf(into); v.Kind() == reflect.Pointer && !v.IsNil() {
		if fast(data, v.Elem()) {
			return nil
		}
		v.Elem().SetZero()
	}
	return json.UnmarshalCaseSensitivePreserveInts(data, into)
}

// fast reads data into v in one pass. It reports false when it gives up; v then
// holds a part of it.
func fast(data []byte, v reflect.Value) bool {
	if len(data) > maxBytes {
		return false
	}
	r := reader{data: data, elements: maxElements}
	return decoderOf(v.Type())(&r, v) && r.atEnd()
}

// decoder reads the next value into v, which is settable and zero. It reports false
// to give up.
type decoder func(r *reader, v reflect.Value) bool

// decoders are made once for each type.
var decoders sync.Map // reflect.Type → decoder

func decoderOf(t reflect.Type) decoder {
	if d, ok := decoders.Load(t); ok {
		return d.(decoder) //nolint:forcetypeassert // nothing else is stored
	}
	d := (&compiler{}).compile(t)
	decoders.Store(t, d)
	return d
}
