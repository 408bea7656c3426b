package integration

import (
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/test/grants"
)

// TestEveryPermissionIsClassified asks the API server for all resources, subresources
// and verbs that it serves: of each the table has to say what it leads to. So a new
// version of Kubernetes with a new way into a pod fails here.
func TestEveryPermissionIsClassified(t *testing.T) {
	table, err := grants.Load()
	if err != nil {
		t.Fatal(err)
	}
	_, lists, err := cp.Clientset().Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	var unknown []string
	n := 0
	for _, list := range lists {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = "" // v1
		}
		if group == "example.com" { // another test's
			continue
		}
		for i := range list.APIResources {
			for _, verb := range list.APIResources[i].Verbs {
				n++
				if p := (grants.Permission{Group: group, Resource: list.APIResources[i].Name, Verb: verb}); table.LeadsTo(p) == "" {
					unknown = append(unknown, p.String())
				}
			}
		}
	}
	slices.Sort(unknown)
	if unknown = slices.Compact(unknown); len(unknown) > 0 {
		t.Errorf("nobody has said what these permissions lead to:\n%s\n%s", strings.Join(unknown, "\n"), grants.Howto)
	}
	if n < 500 {
		t.Errorf("the API server names %d permissions, which are too few to be all", n)
	}
}
