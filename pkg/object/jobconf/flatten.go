package jobconf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// maxDepth is far more than any Flink key has dots, or a classification of EMR has
// classifications in it.
const maxDepth = 16

// Flatten joins the keys of nested maps with dots: newer operators of Flink take the
// configuration as a tree, older ones as a flat map. A key that is written both ways
// comes twice: which one wins is the operator's affair.
func Flatten(tree map[string]any) []Property { return flatten(nil, "", tree, maxDepth) }

func flatten(list []Property, prefix string, tree map[string]any, depth int) []Property {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		key := name
		if prefix != "" {
			key = prefix + "." + name
		}
		switch v := tree[name].(type) {
		case map[string]any:
			if depth > 0 {
				list = flatten(list, key, v, depth-1)
			}
		case string:
			list = append(list, Property{key, v})
		default:
			list = append(list, Property{key, scalar(v)})
		}
	}
	return list
}

func scalar(v any) string {
	switch v.(type) {
	case nil:
		return ""
	case bool, int64, float64:
		return fmt.Sprint(v)
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
