// Package grants holds what each permission of Kubernetes leads to: which capability of
// the rules on RBAC, or why it leads to none. grants.yaml is complete for the version of
// Kubernetes that the tests run: one test compares it with what an API server serves,
// another with the verbs that kube-apiserver's source asks its authorizer for. A new
// resource, subresource or verb fails them, until somebody has thought about it.
package grants

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// Howto is what to do with a permission that the table lacks.
const Howto = "add it to test/grants/grants.yaml: decide whether it leads to a pod, a token, a Secret, a ConfigMap, a shell, another identity or past emrguard " +
	"(then to a file of pkg/rules/grants/capability as well), and say which; or say by one of the reasons there why it does not"

//go:embed grants.yaml
var text []byte

// Table says what permissions lead to.
type Table struct {
	// Reasons are the reasons why a permission leads to nothing, by their ids.
	Reasons map[string]string `json:"reasons"`
	// Grants are the API groups, "core" for the one without a name; in each the
	// resources, with subresources; of each the verbs, by what they lead to: the id of a
	// capability or of a reason. `*` as a group or in a resource is for what has no row
	// of its own.
	Grants map[string]map[string]map[string][]string `json:"grants"`
}

// Permission is one verb on one resource.
type Permission struct{ Group, Resource, Verb string }

func (p Permission) String() string {
	return fmt.Sprintf("%s %s in group %q", p.Verb, p.Resource, p.Group)
}

// Load reads the table.
func Load() (*Table, error) {
	t := &Table{}
	if err := yaml.UnmarshalStrict(text, t); err != nil {
		return nil, fmt.Errorf("test/grants/grants.yaml: %w", err)
	}
	return t, nil
}

// LeadsTo is what the table says of a permission: the id of a capability or of a reason;
// empty when it says nothing.
func (t *Table) LeadsTo(p Permission) string {
	for _, ways := range t.rowsFor(p) {
		for id, verbs := range ways {
			if slices.Contains(verbs, p.Verb) {
				return id
			}
		}
	}
	return ""
}

// Knows reports whether the table says something of the resource: which verbs it has is
// then what an API server says that serves it.
func (t *Table) Knows(p Permission) bool { return len(t.rowsFor(p)) > 0 }

// rowsFor are the rows for a resource, its own first. Those for every resource of every
// group are about verbs.
func (t *Table) rowsFor(p Permission) []map[string][]string {
	group := p.Group
	if group == "" {
		group = "core"
	}
	wide := []string{p.Resource, "*"}
	if _, sub, isSub := strings.Cut(p.Resource, "/"); isSub {
		wide = []string{p.Resource, "*/" + sub, "*"}
	}
	var list []map[string][]string
	for _, g := range []string{group, "*"} {
		for _, resource := range wide {
			if ways := t.Grants[g][resource]; len(ways) > 0 && (g != "*" || resource != "*" || !slices.Contains(requestVerbs, p.Verb)) {
				list = append(list, ways)
			}
		}
	}
	return list
}

// requestVerbs are the verbs of requests.
var requestVerbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}

// IsRequest reports whether a request has the verb; others are asked for besides.
func IsRequest(verb string) bool { return slices.Contains(requestVerbs, verb) }

// Rows are all permissions of the table without wildcards, sorted.
func (t *Table) Rows() []Permission {
	var list []Permission
	for group, resources := range t.Grants {
		for resource, ways := range resources {
			for _, verbs := range ways {
				for _, verb := range verbs {
					if !strings.Contains(group+resource+verb, "*") {
						list = append(list, Permission{strings.Replace(group, "core", "", 1), resource, verb})
					}
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b Permission) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// Judge says which capability of the rules a permission is, by a ClusterRole with it
// alone that is bound in the whole cluster; empty for none.
func Judge(p Permission) ([]string, error) {
	list, err := capability.Forbidden(rule.Settings{})
	if err != nil {
		return nil, err
	}
	capabilities, err := rbac.Compile(list...)
	if err != nil {
		return nil, err
	}
	store := rbac.NewStore()
	for _, object := range []runtime.Object{
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{p.Group}, Resources: []string{p.Resource}, Verbs: []string{p.Verb},
		}}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "one"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "one"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "somebody"}},
		},
	} {
		if err := store.Set(object); err != nil {
			return nil, err
		}
	}
	held := map[string]bool{}
	for _, namespace := range []string{"", "anywhere"} {
		for _, grant := range store.Holders(namespace, capabilities) {
			held[grant.Capability] = true
		}
	}
	return slices.Sorted(maps.Keys(held)), nil
}
