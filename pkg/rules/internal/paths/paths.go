// Package paths cleans file paths and compares them, as container runtimes and kubelets
// read them.
package paths

import (
	"path"
	"strings"
)

// Below reports whether p is dir or lies below it. It is false for the root, below which
// everything lies: callers judge the root before.
func Below(p, dir string) bool {
	if dir == "/" {
		return false
	}
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}

// Clean is path.Clean of an absolute path. Nearly all are clean already, and cost
// nothing.
func Clean(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return path.Clean(p)
}
