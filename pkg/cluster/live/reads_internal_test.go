package live

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// TestWatchesWhatIsDeclared proves that what a Cluster watches is what the engine and the
// rules declare as watched, from which the chart's permissions follow.
func TestWatchesWhatIsDeclared(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for _, read := range engine.Reads(rules.All()) {
		if read.Look == rule.Watched {
			want[read.Group+"/"+read.Resource] = true
		}
	}
	got := map[string]bool{}
	for _, r := range watchedResources() {
		group := ""
		if of, found := strings.CutPrefix(r.path, "/apis/"); found {
			group, _, _ = strings.Cut(of, "/")
		}
		if path.Base(r.path) != r.resource {
			t.Errorf("%s is watched at %s", r.resource, r.path)
		}
		got[group+"/"+r.resource] = true
	}
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Errorf("%q are watched, %q are declared", g, w)
	}
}
