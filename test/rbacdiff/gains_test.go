package rbacdiff

import (
	"context"
	"fmt"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	upstream "k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// holds asks kube-apiserver whether a subject can do what a point says.
func holds(ctx context.Context, a *upstream.RBACAuthorizer, subj rbac.Subject, all bool, p point) bool {
	if allows(ctx, a, asking(subj, all, p.Attributes)) {
		return true
	}
	if p.either {
		p.Name = ""
		return allows(ctx, a, asking(subj, all, p.Attributes))
	}
	return false
}

// capabilities makes one to three of them, of which the rules give something.
func (r random) capabilities(t *testing.T, rules []rbacv1.PolicyRule) ([]rbac.Capability, *rbac.Capabilities) {
	t.Helper()
	from := &targets{random: r, rules: rules}
	out := make([]rbac.Capability, 1+r.IntN(3))
	for i := range out {
		out[i] = rbac.Capability{ID: fmt.Sprintf("capability-%d", i)}
		for range 1 + r.IntN(2) {
			out[i].Targets = append(out[i].Targets, from.target())
		}
	}
	c, err := rbac.Compile(out...)
	if err != nil {
		t.Fatal(err)
	}
	return out, c
}

// namespaceFor is where the requests of a target are.
func (r random) namespaceFor(t rbac.Target) string {
	if t.Scope == rbac.Cluster {
		return ""
	}
	return one(r, namespaces)
}

func find(grants []rbac.Grant, subj rbac.Subject, namespace, capability string) []rbac.Permission {
	for _, g := range grants {
		if g.Subject == subj && g.Namespace == namespace && g.Capability == capability {
			return g.Permissions
		}
	}
	return nil
}

// TestHolders asks kube-apiserver whether each subject really holds what Holders
// says, and nothing else.
func TestHolders(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const worlds, points = 4_000, 120
	cases, held := 0, 0
	for i := range worlds {
		r := seeded(4<<32 + uint64(i))
		w := r.world(true)
		full := aggregate(t, w)
		reference := authorizerOf(full)
		if r.chance(50) {
			w = full
		}
		store := storeOf(t, w)
		capabilities, compiled := r.capabilities(t, rulesOf(full))
		direct, effective := map[string][]rbac.Grant{}, map[string][]rbac.Grant{}
		for _, ns := range append([]string{""}, namespaces...) {
			direct[ns] = store.Holders(ns, compiled)
			for _, subj := range subjects(w) {
				effective[ns] = append(effective[ns], store.HeldBy(subj, nil, ns, compiled)...)
			}
		}
		all := subjects(w)
		if len(all) == 0 {
			continue
		}
		for range points {
			c := one(r, capabilities)
			target := one(r, c.Targets)
			ns, subj := r.namespaceFor(target), one(r, all)
			p := r.point(target, ns)
			cases += 2
			want := holds(ctx, reference, subj, false, p)
			if want {
				held++
			}
			if covers(find(direct[ns], subj, ns, c.ID), p) != want {
				t.Fatalf("world %d: kube-apiserver says %t to %s for\n%+v\nHolders says %+v, of\n%+v\nin\n%s", i, want, subj, p, direct[ns], c, w)
			}
			want = holds(ctx, reference, subj, true, p)
			if covers(find(effective[ns], subj, ns, c.ID), p) != want {
				t.Fatalf("world %d: kube-apiserver says %t to %s with its groups for\n%+v\nHeldBy says %+v, of\n%+v\nin\n%s", i, want, subj, p, effective[ns], c, w)
			}
		}
		for ns, grants := range direct {
			for _, g := range grants {
				checkPaths(t, full, w, g, ns)
			}
		}
	}
	t.Logf("%d cases in %d worlds, %d of them held: no difference", cases, worlds, held)
}

// checkPaths verifies that each path exists, from the subject to the rule.
func checkPaths(t *testing.T, full, w *world, g rbac.Grant, namespace string) {
	t.Helper()
	if len(g.Paths) == 0 {
		t.Fatalf("no path for %+v in\n%s", g, w)
	}
	for _, p := range g.Paths {
		var ref rbacv1.RoleRef
		var bound []rbacv1.Subject
		for _, b := range full.RoleBindings {
			if p.Binding == (rbac.ObjectRef{Kind: "RoleBinding", Namespace: b.Namespace, Name: b.Name}) && b.Namespace == namespace {
				ref, bound = b.RoleRef, b.Subjects
			}
		}
		for _, b := range full.ClusterRoleBindings {
			if p.Binding == (rbac.ObjectRef{Kind: "ClusterRoleBinding", Name: b.Name}) {
				ref, bound = b.RoleRef, b.Subjects
			}
		}
		last := p.Role.Name
		if len(p.Through) > 0 {
			last = p.Through[len(p.Through)-1]
		}
		rules := -1
		for _, o := range w.ClusterRoles {
			if p.Role.Kind == "ClusterRole" && o.Name == last {
				rules = len(o.Rules)
			}
		}
		for _, o := range w.Roles {
			if p.Role.Kind == "Role" && o.Name == last && o.Namespace == namespace {
				rules = len(o.Rules)
			}
		}
		named := slices.ContainsFunc(bound, func(s rbacv1.Subject) bool {
			subj, ok := rbac.NewSubject(s, p.Binding.Namespace)
			return ok && subj == p.Subject
		})
		if ref.Name != p.Role.Name || ref.Kind != p.Role.Kind || !named || p.Rule < 0 || p.Rule >= rules {
			t.Fatalf("the path %s of %+v does not exist in\n%s", p, g, w)
		}
	}
}

// change makes a random change to a world, and says what it was before.
func (r random) change(w *world) (old, changed runtime.Object, after *world) {
	after = w.clone()
	switch r.IntN(4) {
	case 0:
		o := r.roleBinding(one(r, namespaces), fmt.Sprintf("rb%d", r.IntN(9)))
		i := slices.IndexFunc(w.RoleBindings, func(b *rbacv1.RoleBinding) bool { return b.Name == o.Name })
		if i < 0 {
			after.RoleBindings = append(after.RoleBindings, o)
			return nil, o, after
		}
		o.Namespace = w.RoleBindings[i].Namespace
		if r.chance(80) {
			o.RoleRef = w.RoleBindings[i].RoleRef
		}
		if r.chance(50) {
			o.Subjects = append(o.Subjects, w.RoleBindings[i].Subjects...)
		}
		after.RoleBindings[i] = o
		return w.RoleBindings[i], o, after
	case 1:
		o := r.clusterRoleBinding(fmt.Sprintf("crb%d", r.IntN(5)))
		i := slices.IndexFunc(w.ClusterRoleBindings, func(b *rbacv1.ClusterRoleBinding) bool { return b.Name == o.Name })
		if i < 0 {
			after.ClusterRoleBindings = append(after.ClusterRoleBindings, o)
			return nil, o, after
		}
		if r.chance(80) {
			o.RoleRef = w.ClusterRoleBindings[i].RoleRef
		}
		after.ClusterRoleBindings[i] = o
		return w.ClusterRoleBindings[i], o, after
	case 2:
		o := r.role(one(r, namespaces[:2]), one(r, roleNames))
		i := slices.IndexFunc(w.Roles, func(x *rbacv1.Role) bool { return x.Name == o.Name && x.Namespace == o.Namespace })
		if i < 0 {
			after.Roles = append(after.Roles, o)
			return nil, o, after
		}
		if r.chance(50) {
			o.Rules = append(slices.Clone(w.Roles[i].Rules), o.Rules...)
		}
		after.Roles[i] = o
		return w.Roles[i], o, after
	}
	o := r.clusterRole(one(r, roleNames), true)
	i := slices.IndexFunc(w.ClusterRoles, func(x *rbacv1.ClusterRole) bool { return x.Name == o.Name })
	if i < 0 {
		after.ClusterRoles = append(after.ClusterRoles, o)
		return nil, o, after
	}
	if was := w.ClusterRoles[i]; was.AggregationRule == nil && o.AggregationRule == nil && r.chance(50) {
		o.Rules = was.Rules // only the labels change
	}
	after.ClusterRoles[i] = o
	return w.ClusterRoles[i], o, after
}

// TestGains asks kube-apiserver before and after a change what each subject can do.
func TestGains(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const worlds, points = 20_000, 60
	cases, gained, changes := 0, 0, 0
	for i := range worlds {
		r := seeded(5<<32 + uint64(i))
		w := r.world(true)
		if r.chance(50) {
			w = aggregate(t, w)
		}
		old, changed, afterWorld := r.change(w)
		before, after := authorizerOf(aggregate(t, w)), authorizerOf(aggregate(t, afterWorld))
		atWorst := authorizerOf(aggregateLate(t, afterWorld))
		rules := rulesOf(afterWorld)
		if concerned := rulesOfChange(afterWorld, changed); len(concerned) > 0 && r.chance(80) {
			rules = concerned
		}
		capabilities, compiled := r.capabilities(t, rules)
		asked := namespaces
		if r.chance(30) {
			asked = r.some(namespaces, 2)
		}

		store, change := r.scatter(t, w, old, changed)
		result, err := store.Gains(ctx, change, asked, compiled)
		if err != nil {
			t.Fatal(err)
		}
		gains := result.Grants()
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("world %d: %s\nGains says %+v\nfor the change from\n%s\nto\n%s\nin %v and\n%s\ncapabilities %+v", i,
				fmt.Sprintf(format, args...), gains, show(old), show(changed), asked, w, capabilities)
		}
		if len(gains) > 0 {
			changes++
		}
		for _, g := range gains {
			if g.Namespace != "" && !slices.Contains(asked, g.Namespace) {
				fail("nobody asked for namespace %s", g.Namespace)
			}
			// Everything that is reported is new, in its widest sense.
			c := capabilities[slices.IndexFunc(capabilities, func(c rbac.Capability) bool { return c.ID == g.Capability })]
			for _, p := range reported(c, g) {
				cases++
				if was, is := holds(ctx, before, g.Subject, true, p), holds(ctx, atWorst, g.Subject, false, p); was || !is {
					fail("%s is no gain of %s: kube-apiserver said %t and says %t for %+v", g.Permissions, g.Subject, was, is, p)
				}
			}
			checkPaths(t, afterWorld, afterWorld, g, g.Namespace)
		}
		all := subjects(w, afterWorld)
		if len(all) == 0 {
			continue
		}
		for range points {
			c := one(r, capabilities)
			target := one(r, c.Targets)
			ns, subj := r.namespaceFor(target), one(r, all)
			if ns != "" && !slices.Contains(asked, ns) {
				continue
			}
			p := r.point(target, ns)
			cases++
			was, is := holds(ctx, before, subj, true, p), holds(ctx, after, subj, false, p)
			covered := covers(find(gains, subj, ns, c.ID), p)
			if is && !was {
				gained++
			}
			if is && !was && !covered || covered && !holds(ctx, atWorst, subj, false, p) {
				fail("kube-apiserver said %t to %s and says %t for\n%+v of %s", was, subj, is, p, c.ID)
			}
		}
	}
	t.Logf("%d cases in %d changes, of which %d gave somebody something (%d of the random cases): no difference", cases, worlds, changes, gained)
}

// TestUnconfirmedOnlyAdds gives the resolver objects that may come to exist, versions of
// what exists among them, and asks kube-apiserver what each subject could do if they
// existed beside what there is: the rules of both, and both bindings. What is reported
// is possible then; what the change makes possible is reported.
func TestUnconfirmedOnlyAdds(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const worlds, points = 10_000, 60
	cases, gained := 0, 0
	for i := range worlds {
		r := seeded(7<<32 + uint64(i))
		w := r.world(false)
		old, changed, afterWorld := r.change(w)
		if aggregates(changed) {
			continue
		}
		unchanged, united := w.clone(), afterWorld.clone()
		var extra []*rbac.Addition
		for n := range 1 + r.IntN(3) {
			_, o, _ := r.change(w)
			a, err := rbac.NewAddition(o)
			if err != nil {
				t.Fatal(err)
			}
			if of, err := rbac.NewAddition(changed); aggregates(o) || err != nil || of.Ref() == a.Ref() {
				continue
			}
			extra = append(extra, a)
			unchanged.unite(o, n)
			united.unite(o, n)
		}
		besides, is := authorizerOf(unchanged), authorizerOf(united)
		capabilities, compiled := r.capabilities(t, rulesOf(united))
		result, err := storeOf(t, w).Gains(ctx, rbac.Change{Old: old, New: changed, Unconfirmed: rbac.NewAdditions(extra)}, namespaces, compiled)
		if err != nil {
			t.Fatal(err)
		}
		grants, all := result.Grants(), subjects(united)
		for range points {
			if len(all) == 0 {
				break
			}
			c := one(r, capabilities)
			target := one(r, c.Targets)
			ns, subj := r.namespaceFor(target), one(r, all)
			p := r.point(target, ns)
			reported := covers(find(grants, subj, ns, c.ID), p)
			without, after := holds(ctx, besides, subj, true, p), holds(ctx, is, subj, false, p)
			cases++
			if reported {
				gained++
			}
			if reported && !after || after && !without && !reported {
				t.Fatalf("world %d: reported %t; kube-apiserver says %t with what may come and %t with the change, to %s for\n%+v of %s\nfor the change from\n%s\nto\n%s\nin\n%s\nunited\n%s",
					i, reported, without, after, subj, p, c.ID, show(old), show(changed), w, united)
			}
		}
	}
	t.Logf("%d cases in %d worlds, %d of them gained: no difference", cases, worlds, gained)
}

func aggregates(o runtime.Object) bool {
	role, ok := o.(*rbacv1.ClusterRole)
	return ok && role.AggregationRule != nil
}

// unite adds an object beside what is there under its name.
func (w *world) unite(o runtime.Object, n int) {
	switch o := o.(type) {
	case *rbacv1.Role:
		for i, have := range w.Roles {
			if have.Namespace == o.Namespace && have.Name == o.Name {
				w.Roles[i] = have.DeepCopy()
				w.Roles[i].Rules = append(w.Roles[i].Rules, o.Rules...)
				return
			}
		}
		w.Roles = append(w.Roles, o)
	case *rbacv1.ClusterRole:
		for i, have := range w.ClusterRoles {
			if have.Name == o.Name {
				w.ClusterRoles[i] = have.DeepCopy()
				w.ClusterRoles[i].Rules = append(w.ClusterRoles[i].Rules, o.Rules...)
				return
			}
		}
		w.ClusterRoles = append(w.ClusterRoles, o)
	case *rbacv1.RoleBinding:
		o = o.DeepCopy()
		o.Name = fmt.Sprint("beside-", n)
		w.RoleBindings = append(w.RoleBindings, o)
	case *rbacv1.ClusterRoleBinding:
		o = o.DeepCopy()
		o.Name = fmt.Sprint("beside-", n)
		w.ClusterRoleBindings = append(w.ClusterRoleBindings, o)
	}
}

// rulesOfChange are the rules of a role that is changed, or of the one that a
// changed binding names.
func rulesOfChange(w *world, changed runtime.Object) []rbacv1.PolicyRule {
	var name string
	switch o := changed.(type) {
	case *rbacv1.Role:
		return o.Rules
	case *rbacv1.ClusterRole:
		return o.Rules
	case *rbacv1.RoleBinding:
		name = o.RoleRef.Name
	case *rbacv1.ClusterRoleBinding:
		name = o.RoleRef.Name
	}
	var out []rbacv1.PolicyRule
	for _, o := range w.ClusterRoles {
		if o.Name == name {
			out = append(out, o.Rules...)
		}
	}
	return out
}

// reported are the requests that an answer stands for, with a word that no rule has
// in the place of each wildcard.
func reported(c rbac.Capability, g rbac.Grant) []point {
	scope := rbac.Namespaced
	if g.Namespace == "" {
		scope = rbac.Cluster
	}
	fresh := func(_ []string, other string) string { return other }
	var out []point
	for _, perm := range g.Permissions {
		for _, verb := range perm.Verbs {
			res := perm.Resource
			s := scope
			if isOwn(c, perm, verb) {
				s = rbac.OwnNamespace
			}
			if len(perm.Names) == 0 {
				out = append(out, concrete(s, g.Namespace, perm.APIGroup, res, verb, nil, fresh))
			}
			for _, name := range perm.Names {
				out = append(out, concrete(s, g.Namespace, perm.APIGroup, res, verb, []string{name}, fresh))
			}
		}
	}
	return out
}

// isOwn reports whether a permission is one of the Namespace object.
func isOwn(c rbac.Capability, perm rbac.Permission, verb string) bool {
	return slices.ContainsFunc(c.Targets, func(t rbac.Target) bool {
		return t.Scope == rbac.OwnNamespace && slices.Contains(t.Resources, perm.Resource) && slices.Contains(t.Verbs, verb)
	})
}

// scatter gives a store the world, but for some objects that it gets in an older
// form or not at all: these are in the overlay, or the lookup knows them.
func (r random) scatter(t *testing.T, w *world, old, changed runtime.Object) (*rbac.Store, rbac.Change) {
	t.Helper()
	store, change := rbac.NewStore(), rbac.Change{Old: old, New: changed}
	set := func(o runtime.Object) {
		if err := store.Set(o); err != nil {
			t.Fatal(err)
		}
	}
	var wanted rbac.ObjectRef
	switch o := changed.(type) {
	case *rbacv1.RoleBinding:
		wanted = rbac.ObjectRef{Kind: o.RoleRef.Kind, Name: o.RoleRef.Name}
		if o.RoleRef.Kind == "Role" {
			wanted.Namespace = o.Namespace
		}
	case *rbacv1.ClusterRoleBinding:
		wanted = rbac.ObjectRef{Kind: o.RoleRef.Kind, Name: o.RoleRef.Name}
	}
	for _, o := range w.objects() {
		switch {
		case o == old:
			// The store may be behind or ahead; the change says what is.
			if r.chance(50) {
				set(o)
			} else if r.chance(50) {
				set(changed)
			}
		case wanted.Name != "" && refOf(o) == wanted && r.chance(30):
			change.Lookup = func(ref rbac.ObjectRef) (runtime.Object, error) {
				if ref != wanted {
					return nil, fmt.Errorf("looked up %s instead of %s", ref, wanted)
				}
				return o, nil
			}
		case r.chance(10):
			change.Overlay = append(change.Overlay, o)
		default:
			set(o)
		}
	}
	return store, change
}

func refOf(o runtime.Object) rbac.ObjectRef {
	switch o := o.(type) {
	case *rbacv1.Role:
		return rbac.ObjectRef{Kind: "Role", Namespace: o.Namespace, Name: o.Name}
	case *rbacv1.ClusterRole:
		return rbac.ObjectRef{Kind: "ClusterRole", Name: o.Name}
	}
	return rbac.ObjectRef{}
}
