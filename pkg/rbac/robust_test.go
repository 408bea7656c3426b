package rbac

import (
	"fmt"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// TestBadInput has what clients and files can send: no panic, a right answer.
func TestBadInput(t *testing.T) {
	t.Parallel()
	alice := user("alice")
	secrets := rule("get", "-", "secrets")
	gained := []string{"User alice | emr | secrets | get secrets"}
	const odd = "a:b c@d|e..\u00e9\u4e2d*\n\x00\"'{}[]#!~`$^&()+=,;<>?\\"
	selector := func(op metav1.LabelSelectorOperator, values ...string) *rbacv1.AggregationRule {
		return &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
			{MatchLabels: map[string]string{"x": "true"}},
			{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "x", Operator: op, Values: values}}},
		}}
	}
	aggregate := func(name string, rule *rbacv1.AggregationRule) *rbacv1.ClusterRole {
		o := newClusterRole(name)
		o.AggregationRule = rule
		return o
	}
	for name, tc := range map[string]struct {
		exists []kruntime.Object
		change Change
		want   []string
	}{
		"a binding without subjects": {
			exists: []kruntime.Object{newRole("emr", "r", secrets), bind("emr", "x", "Role/r")},
			change: Change{Old: bind("emr", "b", "Role/r"), New: bind("emr", "b", "Role/r")},
		},
		"a role that is bound without subjects": {
			exists: []kruntime.Object{bind("emr", "x", "Role/r"), bindCluster("x", "ClusterRole/r")},
			change: Change{New: newRole("emr", "r", secrets)},
		},
		"nil rules": {
			exists: []kruntime.Object{bind("emr", "x", "Role/r", alice)},
			change: Change{Old: newRole("emr", "r"), New: newRole("emr", "r")},
		},
		"an empty rule": {
			exists: []kruntime.Object{bind("emr", "x", "Role/r", alice)},
			change: Change{New: newRole("emr", "r", rbacv1.PolicyRule{})},
		},
		"names with every character": {
			exists: []kruntime.Object{newRole("emr", odd, secrets)},
			change: Change{New: bind("emr", odd, "Role/"+odd, user(odd), account("", odd))},
			want: []string{
				"ServiceAccount emr/" + odd + " | emr | secrets | get secrets",
				"User " + odd + " | emr | secrets | get secrets",
			},
		},
		"a roleRef of another kind": {
			exists: []kruntime.Object{newRole("emr", "r", secrets)},
			change: Change{New: bind("emr", "b", "Secret/r", alice)},
		},
		"an empty roleRef": {change: Change{New: bind("emr", "b", "", alice)}},
		"a subject without a name is nobody else": {
			exists: []kruntime.Object{newRole("emr", "r", secrets)},
			change: Change{New: bind("emr", "b", "Role/r", user(""), rbacv1.Subject{})},
			want:   []string{"User  | emr | secrets | get secrets"},
		},
		"an aggregate that selects everything, itself too": {
			exists: []kruntime.Object{
				aggregate("a", &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{}}}), bind("emr", "b", "ClusterRole/a", alice),
			},
			change: Change{New: newClusterRole("r", secrets)},
			want:   gained,
		},
		"an aggregate without selectors": {
			exists: []kruntime.Object{aggregate("a", &rbacv1.AggregationRule{}), bind("emr", "b", "ClusterRole/a", alice)},
			change: Change{New: newClusterRole("r", secrets)},
		},
		"an invalid selector stops the whole aggregate": {
			exists: []kruntime.Object{aggregate("a", selector("Never")), bind("emr", "b", "ClusterRole/a", alice)},
			change: Change{New: labelled(newClusterRole("r", secrets), "x")},
		},
		"a selector by expression": {
			exists: []kruntime.Object{aggregate("a", selector(metav1.LabelSelectorOpNotIn, "no")), bind("emr", "b", "ClusterRole/a", alice)},
			change: Change{New: newClusterRole("r", secrets)},
			want:   gained,
		},
		"aggregates in a circle of three": {
			exists: []kruntime.Object{
				labelled(aggregating(newClusterRole("a"), "c"), "a"), labelled(aggregating(newClusterRole("b"), "a"), "b"),
				labelled(aggregating(newClusterRole("c"), "b"), "c"), bind("emr", "b", "ClusterRole/a", alice),
			},
			change: Change{New: labelled(newClusterRole("r", secrets), "b")},
			want:   gained,
		},
		"an aggregate closes a circle": {
			exists: []kruntime.Object{
				labelled(aggregating(newClusterRole("a"), "b"), "a"), newClusterRole("b", secrets), bind("emr", "b", "ClusterRole/a", alice),
			},
			change: Change{Old: newClusterRole("b", secrets), New: labelled(aggregating(newClusterRole("b", secrets), "a"), "b")},
			want:   gained,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storeOf(t, tc.exists...)
			same(t, "gains", say(gainsOf(t, s, tc.change).Gains), tc.want)
			// And once it exists, everything else works, too.
			if err := s.Set(tc.change.New); err != nil {
				t.Fatal(err)
			}
			s.Holders("emr", forbidden(t))
			s.Holders("", forbidden(t))
			s.CanAfterAggregation(Request{User: "alice", Attributes: Attributes{Verb: "get", Resource: "secrets", Namespace: "emr"}})
			if err := s.Delete(tc.change.New); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// An object of the size that the API server accepts costs no more than its size.
func TestHugeRulesAreBounded(t *testing.T) {
	t.Parallel()
	list := func(format string, n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf(format, i)
		}
		return out
	}
	huge := rbacv1.PolicyRule{
		Verbs: append(list("impersonate-on:user-info:v%d", 2000), "get"), APIGroups: append(list("g%d.example.com", 2000), ""),
		Resources: append(list("things%d", 2000), "secrets"),
	}
	names := rule("get,list,watch,update", "-", "secrets,configmaps,namespaces")
	names.ResourceNames = list("name-%d", 20_000)
	s := storeOf(t, newClusterRole("huge", huge, names), bind("emr", "b", "ClusterRole/huge", user("alice")))
	held := s.Holders("emr", forbidden(t))
	got := []string{}
	for _, g := range held {
		got = append(got, g.Capability)
	}
	same(t, "capabilities", got, []string{"configmaps", "secrets", "escalation"})
	for _, g := range held {
		switch p := g.Permissions[0]; g.Capability {
		case "secrets":
			if len(p.Names) != 0 || p.Verbs[0] != "get" || len(g.Permissions[1].Names) != 20_000 {
				t.Errorf("%d permissions, the first for %d names", len(g.Permissions), len(p.Names))
			}
		case "escalation":
			// Beyond the limit it counts as every resource.
			if p.Resource != "*" {
				t.Errorf("%d permissions, the first on %s", len(g.Permissions), p.Resource)
			}
		}
	}
	// The same again, split into roles of one name each.
	objects := []kruntime.Object{newRole("emr", "all", names)}
	for i, n := range names.ResourceNames[:2000] {
		objects = append(objects,
			newRole("emr", n, rule("get", "-", "secrets", n)), bind("emr", fmt.Sprintf("b%d", i), "Role/"+n, user("bob")))
	}
	r := gainsOf(t, storeOf(t, objects...), Change{New: bind("emr", "b", "Role/all", user("bob"))})
	for _, g := range r.Gains {
		if g.Capability != "secrets" {
			continue
		}
		for _, p := range g.Permissions {
			if p.Verbs[0] == "get" && (len(p.Names) != 18_000 || strings.Contains(strings.Join(p.Names, " ")+" ", "name-1999 ")) {
				t.Errorf("get for %d names", len(p.Names))
			}
		}
	}
}

// Thousands of small rules must not cost the square of their number.
func TestManyRulesAreBounded(t *testing.T) {
	t.Parallel()
	var named, wild []rbacv1.PolicyRule
	for i := range 5_000 {
		named = append(named, rule("*", "*", "*", fmt.Sprintf("name-%d", i)))
	}
	for i := range 1_000 {
		r := rbacv1.PolicyRule{}
		for j := range 16 {
			r.Verbs = append(r.Verbs, fmt.Sprintf("impersonate-on:%d:%d", i, j))
			r.APIGroups = append(r.APIGroups, fmt.Sprintf("g%d.%d", i, j))
			r.Resources = append(r.Resources, fmt.Sprintf("r%d%d", i, j))
		}
		wild = append(wild, r)
	}
	s := storeOf(t, bind("emr", "1", "Role/named", user("alice")), bind("emr", "2", "Role/wild", user("bob")))
	for _, role := range []*rbacv1.Role{newRole("emr", "named", named...), newRole("emr", "wild", wild...)} {
		r := gainsOf(t, s, Change{New: role})
		if len(r.Gains) == 0 || len(r.Gains[len(r.Gains)-1].Paths) == 0 {
			t.Errorf("%s: %d gains", role.Name, len(r.Gains))
		}
	}
}
