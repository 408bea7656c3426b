package rbac

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// words splits a list with commas; "-" is the core group.
func words(s string) []string {
	if s == "" {
		return nil
	}
	out := strings.Split(s, ",")
	for i := range out {
		if out[i] == "-" {
			out[i] = ""
		}
	}
	return out
}

func rule(verbs, groups, resources string, names ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: words(verbs), APIGroups: words(groups), Resources: words(resources), ResourceNames: names}
}

func urlRule(verbs, urls string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: words(verbs), NonResourceURLs: words(urls)}
}

func newRole(namespace, name string, rules ...rbacv1.PolicyRule) *rbacv1.Role {
	return &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Rules: rules}
}

func newClusterRole(name string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
}

func labelled(o *rbacv1.ClusterRole, label string) *rbacv1.ClusterRole {
	o = o.DeepCopy()
	o.Labels = map[string]string{label: "true"}
	return o
}

func aggregating(o *rbacv1.ClusterRole, labels ...string) *rbacv1.ClusterRole {
	o = o.DeepCopy()
	o.AggregationRule = &rbacv1.AggregationRule{}
	for _, l := range labels {
		o.AggregationRule.ClusterRoleSelectors = append(o.AggregationRule.ClusterRoleSelectors,
			metav1.LabelSelector{MatchLabels: map[string]string{l: "true"}})
	}
	return o
}

func roleRef(kindAndName string) rbacv1.RoleRef {
	kind, name, _ := strings.Cut(kindAndName, "/")
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

func bind(namespace, name, role string, subjects ...rbacv1.Subject) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, RoleRef: roleRef(role), Subjects: subjects}
}

func bindCluster(name, role string, subjects ...rbacv1.Subject) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: roleRef(role), Subjects: subjects}
}

func user(name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: name}
}

func group(name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: name}
}

func account(namespace, name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: "ServiceAccount", Namespace: namespace, Name: name}
}

func storeOf(tb testing.TB, objects ...kruntime.Object) *Store {
	tb.Helper()
	s := NewStore()
	for _, o := range objects {
		if err := s.Set(o); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

func compile(tb testing.TB, capabilities ...Capability) *Capabilities {
	tb.Helper()
	c, err := Compile(capabilities...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func capability(id string, targets ...Target) Capability { return Capability{ID: id, Targets: targets} }

func target(scope Scope, verbs, groups, resources string) Target {
	return Target{Scope: scope, APIGroups: words(groups), Resources: words(resources), Verbs: words(verbs)}
}

// forbidden are capabilities like those of the guide, few enough to read answers.
func forbidden(tb testing.TB) *Capabilities {
	tb.Helper()
	return compile(tb,
		capability("configmaps", target(Namespaced, "create,update,delete,deletecollection", "-", "configmaps")),
		capability("exec", target(Namespaced, "create,get", "-", "pods/exec,pods/attach"), target(Cluster, "*", "-", "nodes/proxy")),
		capability("secrets", target(Namespaced, "get,list,watch", "-", "secrets")),
		capability("webhooks", target(Cluster, "create,update", "admissionregistration.k8s.io", "mutatingwebhookconfigurations")),
		capability("escalation",
			target(Namespaced, "create", "-", "serviceaccounts/token"),
			target(OwnNamespace, "update,patch", "-", "namespaces"),
			target(Cluster, "impersonate", "-", "users"),
			target(Namespaced, "impersonate-on:*", "*", "*")),
	)
}

// say renders grants as one line each: `subject | namespace | capability |
// permissions`.
func say(grants []Grant) []string {
	out := []string{}
	for _, g := range grants {
		var permissions []string
		for _, p := range g.Permissions {
			permissions = append(permissions, p.String())
		}
		out = append(out, strings.Join([]string{g.Subject.String(), g.Namespace, g.Capability, strings.Join(permissions, "; ")}, " | "))
	}
	return out
}

func sayPaths(grants []Grant) []string {
	out := []string{}
	for _, g := range grants {
		for _, p := range g.Paths {
			out = append(out, p.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) && len(got)+len(want) > 0 {
		t.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}

// gainsOf evaluates a change for the namespaces emr and emr-2.
func gainsOf(t *testing.T, s *Store, change Change) answer {
	t.Helper()
	r, err := s.Gains(t.Context(), change, []string{"emr", "emr-2"}, forbidden(t))
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.Grants(), r.Latent}
}

// answer is a Result for each subject and namespace by itself.
type answer struct {
	Gains  []Grant
	Latent []Latent
}

func cut(res string) (main, sub string, found bool) { return strings.Cut(res, "/") }

func hasWildcard(list ...string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "*") })
}
