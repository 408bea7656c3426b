package rbac

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

func refOf(o kruntime.Object) ObjectRef {
	e, err := entryOf(o)
	if err != nil {
		return ObjectRef{}
	}
	return e.ref()
}

// some makes an object of a small world, in which names meet often.
func some(r *rand.Rand) kruntime.Object {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	rules := func() []rbacv1.PolicyRule {
		var out []rbacv1.PolicyRule
		for range r.IntN(3) {
			out = append(out, rule(pick("get", "create", "*"), "-", pick("secrets", "configmaps", "pods/exec", "*"), []string{"a", "b", "c"}[:r.IntN(3)]...))
		}
		return out
	}
	subjects := func() []rbacv1.Subject {
		var out []rbacv1.Subject
		for range r.IntN(4) {
			switch r.IntN(3) {
			case 0:
				out = append(out, user(pick("alice", "bob", "system:serviceaccount:n1:x")))
			case 1:
				out = append(out, group(pick("team", "system:serviceaccounts")))
			default:
				out = append(out, account(pick("n1", "n2", ""), pick("x", "y")))
			}
		}
		return out
	}
	switch r.IntN(4) {
	case 0:
		return newRole(pick("n1", "n2"), pick("r1", "r2"), rules()...)
	case 1:
		o := newClusterRole(pick("c1", "c2", "c3", "c4"), rules()...)
		if r.IntN(2) == 0 {
			o = labelled(o, pick("l1", "l2"))
		}
		if r.IntN(3) == 0 {
			o = aggregating(o, pick("l1", "l2"))
		}
		return o
	case 2:
		return bind(pick("n1", "n2", "n3"), pick("b1", "b2", "b3"), pick("Role/r1", "Role/r2", "ClusterRole/c1", "ClusterRole/c2", "Other/c1"), subjects()...)
	default:
		return bindCluster(pick("b1", "b2"), pick("ClusterRole/c1", "ClusterRole/c2", "ClusterRole/c3", "Role/r1"), subjects()...)
	}
}

// TestStoreKeepsItsIndexes changes a store many times, and compares it with one
// that was filled with the same objects at once.
func TestStoreKeepsItsIndexes(t *testing.T) {
	t.Parallel()
	c := forbidden(t)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 9))
		s, objects := NewStore(), map[ObjectRef]kruntime.Object{}
		for range 150 {
			o := some(r)
			if r.IntN(3) == 0 {
				delete(objects, refOf(o))
				if err := s.Delete(o); err != nil {
					t.Fatal(err)
				}
			} else {
				objects[refOf(o)] = o
				if err := s.Set(o); err != nil {
					t.Fatal(err)
				}
			}
		}
		fresh := storeOf(t, slices.Collect(maps.Values(objects))...)
		if s.Stats() != fresh.Stats() {
			t.Fatalf("seed %d: %+v, but a fresh store %+v", seed, s.Stats(), fresh.Stats())
		}
		if got, want := picture(s), picture(fresh); got != want {
			t.Fatalf("seed %d: the store is\n%s\nbut a fresh one\n%s", seed, got, want)
		}
		for _, ns := range []string{"", "n1", "n2", "n3"} {
			if got, want := s.Holders(ns, c), fresh.Holders(ns, c); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: in %q\n%+v, but a fresh store\n%+v", seed, ns, got, want)
			}
		}
		for _, o := range objects {
			if err := s.Delete(o); err != nil {
				t.Fatal(err)
			}
		}
		if got := picture(s); got != picture(NewStore()) || s.Stats() != (Stats{}) {
			t.Fatalf("seed %d: left in an empty store:\n%s", seed, got)
		}
	}
}

// picture lists everything that the indexes hold.
func picture(s *Store) string {
	now := s.now.Load()
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	ref := func(b *binding) string { return b.ref().String() }
	for _, d := range slices.Concat(slices.Collect(now.roles.all()), slices.Collect(now.clusterRoles.all())) {
		add("role %v", d.roleKey)
		for _, sel := range d.selectors {
			add("role %v selects %v", d.roleKey, now.selects(sel, nil))
		}
	}
	for b := range now.bound.all() {
		add("bound to %v %v", b.roleKey, sorted(b.bindings, ref))
	}
	for d := range now.aggregates.all() {
		add("aggregate %v", d.roleKey)
	}
	for ns := range now.namespaces.all() {
		add("namespace %s %v", ns.name, sorted(slices.Collect(ns.bindings.all()), ref))
	}
	for u := range now.subjects.all() {
		add("subject %s %v %v", u.Subject, sorted(u.cluster, ref), sorted(u.local, ref))
	}
	for b := range now.clusterBindings.all() {
		add("cluster binding %s", b.name)
	}
	for _, list := range s.rulesets {
		for _, r := range list {
			add("rules %v used %d", r.rules, r.refs)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func sorted[T any](list []T, f func(T) string) []string {
	out := []string{}
	for _, x := range list {
		out = append(out, f(x))
	}
	slices.Sort(out)
	return out
}

func TestReplace(t *testing.T) {
	t.Parallel()
	s := storeOf(t, newRole("n", "old"), newRole("n", "kept"), newClusterRole("c"), bind("n", "b", "Role/old", user("a")), bindCluster("b", "ClusterRole/c"))
	objects := []kruntime.Object{newRole("n", "kept", rule("get", "-", "secrets")), newRole("m", "new")}
	if err := s.Replace(KindRole, objects); err != nil {
		t.Fatal(err)
	}
	want := storeOf(t, append(objects, newClusterRole("c"), bind("n", "b", "Role/old", user("a")), bindCluster("b", "ClusterRole/c"))...)
	if got := picture(s); got != picture(want) {
		t.Errorf("after replacing Roles:\n%s", got)
	}
	for _, kind := range []string{KindClusterRole, KindRoleBinding, KindClusterRoleBinding, KindRole} {
		if err := s.Replace(kind, nil); err != nil {
			t.Fatal(err)
		}
	}
	if s.Stats() != (Stats{}) {
		t.Errorf("everything replaced by nothing leaves %+v", s.Stats())
	}

	before := picture(s)
	for name, err := range map[string]error{
		"no kind":      s.Replace("Secret", nil),
		"another kind": s.Replace(KindRole, []kruntime.Object{newRole("n", "x"), newClusterRole("c")}),
		"no object":    s.Replace(KindRole, []kruntime.Object{nil}),
	} {
		if err == nil {
			t.Errorf("%s is no error", name)
		}
	}
	if picture(s) != before {
		t.Error("an error leaves something behind")
	}
}

func TestStoreErrors(t *testing.T) {
	t.Parallel()
	s := NewStore()
	for _, o := range []kruntime.Object{nil, &corev1.Pod{}, (*rbacv1.Role)(nil), (*rbacv1.ClusterRole)(nil), (*rbacv1.RoleBinding)(nil), (*rbacv1.ClusterRoleBinding)(nil), newRole("", "r"), bind("", "b", "Role/r")} {
		if s.Set(o) == nil || s.Delete(o) == nil {
			t.Errorf("%T is no error", o)
		}
	}
	if err := s.Delete(newRole("n", "never there")); err != nil {
		t.Error(err)
	}
}

func TestHasRole(t *testing.T) {
	t.Parallel()
	s := storeOf(t, newRole("n", "r"), newClusterRole("c"), bind("n", "b", "Role/missing", user("a")))
	for name, tc := range map[string]struct {
		ref       rbacv1.RoleRef
		namespace string
		want      bool
	}{
		"a Role":                     {roleRef("Role/r"), "n", true},
		"of another namespace":       {roleRef("Role/r"), "m", false},
		"of a ClusterRoleBinding":    {roleRef("Role/r"), "", false},
		"a ClusterRole":              {roleRef("ClusterRole/c"), "n", true},
		"a ClusterRole, everywhere":  {roleRef("ClusterRole/c"), "", true},
		"only named":                 {roleRef("Role/missing"), "n", false},
		"another kind":               {roleRef("Group/c"), "n", false},
		"of another API group":       {rbacv1.RoleRef{APIGroup: "x", Kind: "ClusterRole", Name: "c"}, "", false},
		"without an API group":       {rbacv1.RoleRef{Kind: "ClusterRole", Name: "c"}, "", true},
		"kinds are not as in a path": {roleRef("clusterrole/c"), "", false},
	} {
		if got := s.HasRole(tc.ref, tc.namespace); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// The store must not change with what its user does later, nor change it.
func TestStoreCopiesRules(t *testing.T) {
	t.Parallel()
	o := newRole("n", "r", rule("get", "-", "secrets", "b", "a"))
	before := o.DeepCopy()
	s := storeOf(t, o, bind("n", "b", "Role/r", user("alice")))
	if !reflect.DeepEqual(o, before) {
		t.Errorf("Set has changed the object: %+v", o)
	}
	o.Rules[0].Resources[0], o.Rules[0].ResourceNames = "configmaps", nil
	same(t, "holders", say(s.Holders("n", forbidden(t))), []string{"User alice | n | secrets | get secrets named a, b"})
}

// Roles with equal rules share one list, and what it holds is computed once.
func TestStoreSharesRules(t *testing.T) {
	t.Parallel()
	s := NewStore()
	for i := range 100 {
		if err := s.Set(newRole(fmt.Sprintf("n%d", i), "chart", rule("get", "-", "secrets"), rule("list", "apps", "*"))); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Stats(); got.Roles != 100 || got.RuleLists != 1 {
		t.Errorf("%+v", got)
	}
	if err := s.Set(newRole("n0", "chart", rule("get", "-", "secrets"))); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats(); got.RuleLists != 2 {
		t.Errorf("%+v", got)
	}
}

// Lists that differ only in where one ends and the next begins are different.
func TestRulesThatLookAlike(t *testing.T) {
	t.Parallel()
	s := rulesets{}
	lists := [][]rbacv1.PolicyRule{
		{{Verbs: []string{"a", "b"}}},
		{{Verbs: []string{"ab"}}},
		{{Verbs: []string{"a"}, APIGroups: []string{"b"}}},
		{{Verbs: []string{"a"}}, {Verbs: []string{"b"}}},
		{{Verbs: []string{"a", "b", ""}}},
		{{Resources: []string{"a", "b"}}},
		{{}},
		{{}, {}},
	}
	seen := map[*ruleset]bool{}
	for _, l := range lists {
		seen[s.intern(l)] = true
	}
	if len(seen) != len(lists) {
		t.Errorf("%d lists of %d", len(seen), len(lists))
	}
	// Nil and empty lists are the same to the API server.
	if s.intern([]rbacv1.PolicyRule{{Verbs: []string{"ab"}, Resources: []string{}}}) != s.intern(lists[1]) {
		t.Error("an empty list is another than none")
	}
}

// Run with the race detector.
func TestStoreIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	s, c := NewStore(), forbidden(t)
	var wg sync.WaitGroup
	for worker := range uint64(4) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(worker, 3))
			for range 150 {
				o := some(r)
				if r.IntN(4) == 0 {
					_ = s.Delete(o)
				} else {
					_ = s.Set(o)
				}
			}
		})
		wg.Go(func() {
			r := rand.New(rand.NewPCG(worker, 4))
			own, err := Compile(capability("x", target(Namespaced, "get", "-", "secrets")))
			if err != nil {
				t.Error(err)
				return
			}
			for range 60 {
				o := some(r)
				if _, err := s.Gains(t.Context(), Change{New: o}, []string{"n1", "n2"}, c); err != nil {
					t.Error(err)
				}
				s.Holders("n1", own)
				s.HeldBy(User("alice"), []string{"team"}, "n2", c)
				s.Can(Request{User: "alice", Groups: []string{"team"}, Attributes: Attributes{Verb: "get", Resource: "secrets", Namespace: "n1"}})
				s.Stats()
			}
		})
	}
	wg.Wait()
}

// Masks are remembered for a few capabilities, and right for every.
func TestMasksAreRememberedPerCapabilities(t *testing.T) {
	t.Parallel()
	s := storeOf(t, newRole("n", "r", rule("get,create", "-", "secrets,configmaps")), bind("n", "b", "Role/r", user("alice")))
	var all []*Capabilities
	for _, res := range []string{"secrets", "configmaps", "pods", "events", "secrets,configmaps"} {
		all = append(all, compile(t, capability(res, target(Namespaced, "get", "-", res))))
	}
	for range 3 {
		var got []string
		for _, c := range all {
			got = append(got, say(s.Holders("n", c))...)
		}
		same(t, "holders", got, []string{
			"User alice | n | secrets | get secrets",
			"User alice | n | configmaps | get configmaps",
			"User alice | n | secrets,configmaps | get secrets; get configmaps",
		})
	}
	n := 0
	for m := s.now.Load().definition(roleKey{namespace: "n", name: "r"}).rules.masks.Load(); m != nil; m = m.next {
		n++
	}
	if n != maxCachedMasks {
		t.Errorf("%d masks are remembered", n)
	}
}
