package engine

import (
	"cmp"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/rule"
)

// Reads returns what these rules look up beside the objects that they judge, and what the
// engine itself looks up for them: which namespaces are managed, and in which one a custom
// resource runs. Each entry stands there once, in a stable order.
func Reads(rules []rule.Rule) []rule.Read {
	list := slices.Concat(rule.ReadsNamespaces(), rule.ReadsPlaces())
	for i := range rules {
		list = append(list, rules[i].Reads...)
	}
	slices.SortFunc(list, func(a, b rule.Read) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Look, b.Look))
	})
	return slices.Compact(list)
}

// LookedUp are the resources among them that an audit has to know: those that are
// looked up although nobody asks.
func LookedUp(rules []rule.Rule) map[schema.GroupResource]bool {
	set := map[schema.GroupResource]bool{}
	for _, read := range Reads(rules) {
		if read.Look != rule.GotOfRequester && read.Look != rule.ListedOfRequester {
			set[read.GroupResource] = true
		}
	}
	return set
}

// Permissions are the rules of a ClusterRole that allow the look-ups: resources of one
// group with the same verbs in one rule.
func Permissions(reads []rule.Read) []rbacv1.PolicyRule {
	verbs := map[schema.GroupResource][]string{}
	var order []schema.GroupResource
	for _, read := range reads {
		if _, seen := verbs[read.GroupResource]; !seen {
			order = append(order, read.GroupResource)
		}
		for _, verb := range read.Look.Verbs() {
			if !slices.Contains(verbs[read.GroupResource], verb) {
				verbs[read.GroupResource] = append(verbs[read.GroupResource], verb)
			}
		}
	}
	var list []rbacv1.PolicyRule
	for _, gr := range order {
		if len(verbs[gr]) == 0 {
			continue
		}
		slices.Sort(verbs[gr])
		i := slices.IndexFunc(list, func(r rbacv1.PolicyRule) bool { return r.APIGroups[0] == gr.Group && slices.Equal(r.Verbs, verbs[gr]) })
		if i < 0 {
			i = len(list)
			list = append(list, rbacv1.PolicyRule{APIGroups: []string{gr.Group}, Verbs: verbs[gr]})
		}
		list[i].Resources = append(list[i].Resources, gr.Resource)
	}
	return list
}
