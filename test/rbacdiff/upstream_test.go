package rbacdiff

import (
	"context"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/kubernetes/pkg/registry/rbac/validation"
	upstream "k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// record is a request as kube-apiserver knows it.
func record(r rbac.Request) authorizer.AttributesRecord {
	return authorizer.AttributesRecord{
		User: &user.DefaultInfo{Name: r.User, Groups: r.Groups}, Verb: r.Verb, Namespace: r.Namespace, APIGroup: r.APIGroup,
		Resource: r.Resource, Subresource: r.Subresource, Name: r.Name, ResourceRequest: !r.NonResource, Path: r.Path,
	}
}

// authorizerOf is kube-apiserver's authorizer over a world. A roleRef of another
// API group is refused by the API server's validation, so a binding with one does
// not exist there; the authorizer itself never looks at the group.
func authorizerOf(w *world) *upstream.RBACAuthorizer {
	stored := func(ref rbacv1.RoleRef) bool { return ref.APIGroup == rbacv1.GroupName }
	var local []*rbacv1.RoleBinding
	for _, b := range w.RoleBindings {
		if stored(b.RoleRef) {
			local = append(local, b)
		}
	}
	var wide []*rbacv1.ClusterRoleBinding
	for _, b := range w.ClusterRoleBindings {
		if stored(b.RoleRef) {
			wide = append(wide, b)
		}
	}
	_, static := validation.NewTestRuleResolver(w.Roles, local, w.ClusterRoles, wide)
	return upstream.New(static, static, static, static)
}

func allows(ctx context.Context, a *upstream.RBACAuthorizer, r rbac.Request) bool {
	decision, _, _ := a.Authorize(ctx, record(r)) // it never returns an error
	return decision == authorizer.DecisionAllow
}

// aggregate fills in the rules of aggregated ClusterRoles as the aggregation
// controller of kube-controller-manager does, again and again until nothing
// changes.
func aggregate(tb testing.TB, w *world) *world {
	tb.Helper()
	return fill(tb, w, false)
}

// aggregateLate is aggregate where no aggregate loses a rule. Among aggregates that
// select each other it depends on the order of the controller's work whether a
// rule that nobody else has any more dies out; this is the worst that can be.
func aggregateLate(tb testing.TB, w *world) *world {
	tb.Helper()
	return fill(tb, w, true)
}

func fill(tb testing.TB, w *world, late bool) *world {
	tb.Helper()
	out := w.clone()
	for i, o := range out.ClusterRoles {
		out.ClusterRoles[i] = o.DeepCopy()
	}
	sorted := slices.SortedFunc(slices.Values(out.ClusterRoles), func(a, b *rbacv1.ClusterRole) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	for changed := true; changed; {
		changed = false
		for _, o := range sorted {
			if o.AggregationRule == nil {
				continue
			}
			var rules []rbacv1.PolicyRule
			if late {
				rules = slices.Clone(o.Rules)
			}
			for i := range o.AggregationRule.ClusterRoleSelectors {
				selector, err := metav1.LabelSelectorAsSelector(&o.AggregationRule.ClusterRoleSelectors[i])
				if err != nil {
					tb.Fatalf("the generator made an invalid selector: %v", err)
				}
				for _, member := range sorted {
					if member.Name == o.Name || !selector.Matches(labels.Set(member.Labels)) {
						continue
					}
					for _, rule := range member.Rules {
						if !slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return equality.Semantic.DeepEqual(r, rule) }) {
							rules = append(rules, rule)
						}
					}
				}
			}
			// Circles only reorder their rules for ever: compare them as sets.
			if !sameRules(rules, o.Rules) {
				o.Rules, changed = rules, true
			}
		}
	}
	return out
}

func sameRules(a, b []rbacv1.PolicyRule) bool {
	in := func(list []rbacv1.PolicyRule, rule rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(list, func(r rbacv1.PolicyRule) bool { return equality.Semantic.DeepEqual(r, rule) })
	}
	for _, r := range a {
		if !in(b, r) {
			return false
		}
	}
	for _, r := range b {
		if !in(a, r) {
			return false
		}
	}
	return true
}
