package paths_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/rules/internal/paths"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/a/b": "/a/b", "/a/b/": "/a/b", "//a///b": "/a/b", "/a/./b": "/a/b", "/a/../b": "/b", "/../../b": "/b", "a": "/a", "": "/", "/": "/", "/a/..": "/",
	} {
		if got := paths.Clean(path); got != want {
			t.Errorf("%q becomes %q, want %q", path, got, want)
		}
	}
}

func TestBelow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, dir string
		want      bool
	}{
		{"/a", "/a", true},
		{"/a/b", "/a", true},
		{"/ab", "/a", false},
		{"/", "/a", false},
		{"/a", "/a/b", false},
		{"/a", "/", false}, // callers judge the root before
		{"/", "/", false},
	} {
		if got := paths.Below(c.path, c.dir); got != c.want {
			t.Errorf("%q below %q: %t, want %t", c.path, c.dir, got, c.want)
		}
	}
}
