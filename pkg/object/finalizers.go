package object

import (
	"encoding/json"
	"reflect"
)

// OnlyDropsFinalizers reports whether an update of an object that is being deleted
// does nothing but take finalizers off it, which lets the deletion go on.
func OnlyDropsFinalizers(before, after *Object) bool {
	if before.Meta.DeletionTimestamp == nil || after.Meta.DeletionTimestamp == nil || len(after.Meta.Finalizers) >= len(before.Meta.Finalizers) {
		return false
	}
	there := make(map[string]bool, len(before.Meta.Finalizers))
	for _, name := range before.Meta.Finalizers {
		there[name] = true
	}
	for _, name := range after.Meta.Finalizers {
		if !there[name] {
			return false
		}
	}
	a, okA := withoutBookkeeping(before.raw)
	b, okB := withoutBookkeeping(after.raw)
	return okA && okB && reflect.DeepEqual(a, b)
}

// withoutBookkeeping is an object without its finalizers and without what the API
// server writes at every update.
func withoutBookkeeping(raw []byte) (map[string]any, bool) {
	var o map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &o) != nil {
		return nil, false
	}
	if meta, ok := o["metadata"].(map[string]any); ok {
		for _, field := range []string{"finalizers", "managedFields", "resourceVersion", "generation"} {
			delete(meta, field)
		}
	}
	return o, true
}
