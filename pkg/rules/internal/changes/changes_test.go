package changes_test

import (
	"slices"
	"testing"

	"github.com/emrguard/emrguard/pkg/rules/internal/changes"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after map[string]string
		want          []string
	}{
		"nothing":    {nil, map[string]string{}, nil},
		"same":       {map[string]string{"a": "1"}, map[string]string{"a": "1"}, nil},
		"added":      {nil, map[string]string{"a": "1"}, []string{"a"}},
		"added bare": {nil, map[string]string{"a": ""}, []string{"a"}},
		"removed":    {map[string]string{"a": ""}, nil, []string{"a"}},
		"changed":    {map[string]string{"a": "1"}, map[string]string{"a": "2"}, []string{"a"}},
		"several":    {map[string]string{"c": "1", "b": "1", "x": "1"}, map[string]string{"a": "1", "b": "2", "x": "1"}, []string{"a", "b", "c"}},
	} {
		if got := changes.Keys(c.before, c.after); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
