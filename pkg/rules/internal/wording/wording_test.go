package wording_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

func TestList(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for n, want := range map[int]string{0: "", 1: "a", 2: "a, b", 6: "a, b, c, d, e, f", 7: "a, b, c, d, e, f and 1 more", 8: "a, b, c, d, e, f and 2 more"} {
		if got := wording.List(names[:n]); got != want {
			t.Errorf("%d names are %q, want %q", n, got, want)
		}
	}
}
