package rbac

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// size of a cluster; ten times the first is the second that is measured.
type size struct {
	namespaces, roles, roleBindings, clusterRoles, clusterRoleBindings int
}

var sizes = []size{
	{namespaces: 500, roles: 2_000, roleBindings: 10_000, clusterRoles: 300, clusterRoleBindings: 500},
	{namespaces: 5_000, roles: 20_000, roleBindings: 100_000, clusterRoles: 3_000, clusterRoleBindings: 5_000},
}

func (s size) String() string { return fmt.Sprintf("bindings=%d", s.roleBindings) }

// usedBy is how many bindings name the ClusterRole that is edited.
const usedBy = 500

func rules(r *rand.Rand, n int) []rbacv1.PolicyRule {
	all := []string{
		"pods", "pods/log", "services", "endpoints", "events", "deployments", "jobs", "ingresses", "leases", "widgets", "configmaps",
		"persistentvolumeclaims", "serviceaccounts", "horizontalpodautoscalers", "networkpolicies",
	}
	verbs := []string{"get", "list", "watch", "create", "update", "patch", "delete"}
	out := make([]rbacv1.PolicyRule, n)
	for i := range out {
		out[i] = rbacv1.PolicyRule{APIGroups: []string{[]string{"", "apps", "batch", "example.com"}[r.IntN(4)]}, Verbs: verbs[:3+r.IntN(5)]}
		for range 1 + r.IntN(4) {
			out[i].Resources = append(out[i].Resources, all[r.IntN(len(all))])
		}
		if r.IntN(6) == 0 {
			out[i].ResourceNames = []string{fmt.Sprintf("name-%d", r.IntN(1000))}
		}
	}
	return out
}

// cluster makes objects as a decoder makes them: no two share a string that is
// built at run time.
func (s size) cluster() []kruntime.Object {
	r := rand.New(rand.NewPCG(1, 2))
	namespace := func(i int) string { return fmt.Sprintf("team-namespace-%d", i%s.namespaces) }
	subjects := func(i int) []rbacv1.Subject {
		out := []rbacv1.Subject{{Kind: "ServiceAccount", Name: fmt.Sprintf("account-%d", i%7), Namespace: namespace(i)}}
		if i%2 == 0 {
			out = append(out, rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: fmt.Sprintf("group-%d", r.IntN(s.namespaces))})
		}
		if i%5 == 0 {
			out = append(out, rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: fmt.Sprintf("person-%d@example.com", r.IntN(s.namespaces*4))})
		}
		return out
	}
	ref := func(kind, name string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
	}
	var out []kruntime.Object
	for i := range s.roles {
		o := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(i), Name: fmt.Sprintf("role-%d", i/s.namespaces)}}
		if i%4 == 0 { // one half of the Roles are a chart's, the same everywhere
			o.Rules = rules(rand.New(rand.NewPCG(7, uint64(i/s.namespaces))), 4)
		} else {
			o.Rules = rules(r, 1+r.IntN(6))
		}
		out = append(out, o)
	}
	for i := range s.clusterRoles {
		o := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("cluster-role-%d", i)}, Rules: rules(r, 3+r.IntN(12))}
		if i%10 == 1 {
			o.Labels = map[string]string{fmt.Sprintf("aggregate-to-%d", i%30): "true"}
		}
		if i%10 == 2 {
			o.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
				{MatchLabels: map[string]string{fmt.Sprintf("aggregate-to-%d", (i-1)%30): "true"}},
			}}
		}
		out = append(out, o)
	}
	out = append(out,
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "edited"}, Rules: rules(r, 10)})
	for i := range s.roleBindings {
		o := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(i), Name: fmt.Sprintf("binding-%d", i)}, Subjects: subjects(i)}
		switch {
		case i < usedBy: // in 20 namespaces, all of them managed: the worst there is
			o.Namespace = namespace(i % 20)
			o.RoleRef = ref("ClusterRole", "edited")
		case i%3 == 0:
			o.RoleRef = ref("ClusterRole", fmt.Sprintf("cluster-role-%d", r.IntN(s.clusterRoles)))
		default:
			o.RoleRef = ref("Role", fmt.Sprintf("role-%d", r.IntN(s.roles/s.namespaces)))
		}
		out = append(out, o)
	}
	for i := range s.clusterRoleBindings {
		out = append(out, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("cluster-binding-%d", i)},
			RoleRef:    ref("ClusterRole", fmt.Sprintf("cluster-role-%d", r.IntN(s.clusterRoles))), Subjects: subjects(i),
		})
	}
	return out
}

func (s size) managed() []string {
	var out []string
	for i := range 20 {
		out = append(out, fmt.Sprintf("team-namespace-%d", i))
	}
	return out
}

func filled(b *testing.B, objects []kruntime.Object) *Store {
	b.Helper()
	s := NewStore()
	for _, o := range objects {
		if err := s.Set(o); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// guide is about what emrguard asks for: the capabilities of its rules on RBAC.
func guide(tb testing.TB) *Capabilities {
	tb.Helper()
	write := []string{"create", "update", "patch"}
	target := func(scope Scope, group string, verbs []string, resources ...string) Target {
		return Target{Scope: scope, APIGroups: []string{group}, Verbs: verbs, Resources: resources}
	}
	c, err := Compile(
		Capability{ID: "configmap-write", Targets: []Target{
			target(Namespaced, "", []string{"create", "update", "patch", "delete", "deletecollection"}, "configmaps"),
		}},
		Capability{ID: "pod-exec", Targets: []Target{
			target(Namespaced, "", []string{"create", "get"}, "pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy"),
			target(Namespaced, "", []string{"update", "patch"}, "pods/ephemeralcontainers"),
			target(Cluster, "", []string{"*"}, "nodes/proxy"),
		}},
		Capability{ID: "pod-create", Targets: []Target{
			target(Namespaced, "", write, "pods", "replicationcontrollers"),
			target(Namespaced, "apps", write, "deployments", "replicasets", "statefulsets", "daemonsets"),
			target(Namespaced, "batch", write, "jobs", "cronjobs"),
			target(Namespaced, "sparkoperator.k8s.io", write, "sparkapplications", "scheduledsparkapplications"),
			target(Namespaced, "flink.apache.org", write, "flinkdeployments", "flinksessionjobs"),
		}},
		Capability{ID: "mutating-webhook", Targets: []Target{
			target(Cluster, "admissionregistration.k8s.io", write, "mutatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
		}},
		Capability{ID: "secret-read", Targets: []Target{target(Namespaced, "", []string{"get", "list", "watch"}, "secrets")}},
		Capability{ID: "escalation", Targets: []Target{
			target(Namespaced, rbacv1.GroupName, append([]string{"escalate", "bind"}, write...), "roles", "rolebindings"),
			target(Cluster, rbacv1.GroupName, append([]string{"escalate", "bind"}, write...), "clusterroles", "clusterrolebindings"),
			target(Cluster, "", []string{"impersonate"}, "users", "groups", "uids"),
			target(Namespaced, "", append([]string{"impersonate"}, write...), "serviceaccounts"),
			target(Namespaced, "", []string{"create"}, "serviceaccounts/token"),
			target(Namespaced, "", write, "secrets"),
			target(OwnNamespace, "", []string{"update", "patch"}, "namespaces"),
			{Scope: Namespaced, APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"impersonate-on:*"}},
			{Scope: Cluster, APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"*"}, Verbs: []string{"impersonate:*", "impersonate"}},
			target(Cluster, "admissionregistration.k8s.io", append([]string{"delete"}, write...),
				"validatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings"),
		}},
	)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// BenchmarkGainsRoleBinding is the review of one new RoleBinding, with 20 managed
// namespaces: with a role that gives much, so that the answer has to be built,
// too.
func BenchmarkGainsRoleBinding(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.String(), func(b *testing.B) {
			s, c, managed := filled(b, size.cluster()), guide(b), size.managed()
			change := Change{New: &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Namespace: managed[3], Name: "new"},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edited"},
				Subjects:   []rbacv1.Subject{{Kind: "User", Name: "new"}, {Kind: "Group", Name: "group-3"}, {Kind: "ServiceAccount", Name: "account-1"}},
			}}
			b.ReportAllocs()
			for b.Loop() {
				if r, err := s.Gains(b.Context(), change, managed, c); err != nil || len(r.Gains) == 0 {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// BenchmarkGainsClusterRoleBinding is the same over all managed namespaces.
func BenchmarkGainsClusterRoleBinding(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.String(), func(b *testing.B) {
			s, c, managed := filled(b, size.cluster()), guide(b), size.managed()
			change := Change{New: &rbacv1.ClusterRoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: "new"},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edited"},
				Subjects:   []rbacv1.Subject{{Kind: "User", Name: "new"}, {Kind: "Group", Name: "group-3"}},
			}}
			b.ReportAllocs()
			for b.Loop() {
				if r, err := s.Gains(b.Context(), change, managed, c); err != nil || len(r.Gains) == 0 {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// BenchmarkGainsClusterRoleEdit gives everybody whom 500 bindings bind, in managed
// namespaces, something new.
func BenchmarkGainsClusterRoleEdit(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.String(), func(b *testing.B) {
			objects := size.cluster()
			s, c, managed := filled(b, objects), guide(b), size.managed()
			change := Change{}
			for _, o := range objects {
				if role, ok := o.(*rbacv1.ClusterRole); ok && role.Name == "edited" {
					wider := role.DeepCopy()
					wider.Rules = append(wider.Rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets", "pods/exec"}, Verbs: []string{"*"}})
					change = Change{Old: role, New: wider}
				}
			}
			b.ReportAllocs()
			gains := 0
			for b.Loop() {
				r, err := s.Gains(b.Context(), change, managed, c)
				if err != nil || len(r.Gains) == 0 {
					b.Fatal(r, err)
				}
				gains = len(r.Gains)
			}
			b.ReportMetric(float64(gains), "gains")
		})
	}
}

// BenchmarkGainsNothing is what nearly every change is: one that gives nobody
// anything of the capabilities.
func BenchmarkGainsNothing(b *testing.B) {
	size := sizes[0]
	s, c, managed := filled(b, size.cluster()), guide(b), size.managed()
	change := Change{New: &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: managed[3], Name: "role-1"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods", "pods/log"}, Verbs: []string{"get", "list", "watch"}},
	}}}
	b.ReportAllocs()
	for b.Loop() {
		if r, err := s.Gains(b.Context(), change, managed, c); err != nil || len(r.Gains) != 0 {
			b.Fatal(r, err)
		}
	}
}

// BenchmarkHolders is one row of the matrix of `emrguard access`.
func BenchmarkHolders(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.String(), func(b *testing.B) {
			s, c, managed := filled(b, size.cluster()), guide(b), size.managed()
			b.ReportAllocs()
			for b.Loop() {
				if len(s.Holders(managed[3], c)) == 0 {
					b.Fatal("nobody")
				}
			}
		})
	}
}

// BenchmarkFill is how long the store takes for a cluster, and how many bytes it
// keeps.
func BenchmarkFill(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.String(), func(b *testing.B) {
			c := guide(b)
			var kept uint64
			for b.Loop() {
				b.StopTimer()
				objects := size.cluster()
				b.StartTimer()
				s := filled(b, objects)
				b.StopTimer()
				kept = keptBy(s, c, objects, size.managed())
				b.StartTimer()
			}
			b.ReportMetric(float64(kept)/(1<<20), "MiB")
		})
	}
}

// keptBy counts the bytes that are only there because of a store that was used: the
// objects are gone, as behind a reflector that feeds the store alone.
func keptBy(s *Store, c *Capabilities, objects []kruntime.Object, managed []string) uint64 {
	for _, ns := range managed {
		s.Holders(ns, c) // so that every cache within is filled
	}
	clear(objects)
	var with, without runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&with)
	runtime.KeepAlive(s)
	*s = Store{}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&without)
	return with.HeapAlloc - without.HeapAlloc
}
