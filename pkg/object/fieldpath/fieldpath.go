// Package fieldpath writes the paths of fields, such as
// `spec.containers[0].env[2]` and `metadata.annotations[key]`.
package fieldpath

import "strconv"

// Key is the path of a key of the map at path.
func Key(path, key string) string { return path + "[" + key + "]" }

// Index is the path of the i-th element of the list at path, counted from 0.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
