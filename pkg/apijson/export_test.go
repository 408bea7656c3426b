package apijson

import "reflect"

// InOnePass reads data as Unmarshal does, and reports whether it was read without the
// API machinery's decoder.
func InOnePass(data []byte, into any) bool { return fast(data, reflect.ValueOf(into).Elem()) }
