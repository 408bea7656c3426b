// Package changes compares an object with its update.
package changes

import (
	"maps"
	"slices"
)

// Keys returns the keys that were added, removed or given another value.
func Keys(before, after map[string]string) []string {
	changed := map[string]struct{}{}
	for key, value := range before {
		if now, ok := after[key]; !ok || now != value {
			changed[key] = struct{}{}
		}
	}
	for key := range after {
		if _, ok := before[key]; !ok {
			changed[key] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(changed))
}
