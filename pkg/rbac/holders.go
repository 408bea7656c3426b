package rbac

import (
	"maps"
	"math"
	"slices"
)

// Holders says which subjects, of all that bindings name, hold what of the
// capabilities in a namespace; an empty namespace asks for cluster-scoped
// capabilities. A ServiceAccount is answered with what bindings give to itself:
// its groups are subjects of their own. Ask [Store.HeldBy] for one subject with
// everything.
func (s *Store) Holders(namespace string, c *Capabilities) []Grant {
	now := s.now.Load()
	v := now.view(c, nil)
	found := map[Subject]bool{}
	name := func(list []*subject) {
		for _, subj := range list {
			found[subj.Subject] = true
		}
	}
	for b := range now.clusterBindings.all() {
		name(b.subjects)
	}
	if ns := now.namespaces.get(namespace); ns != nil {
		for b := range ns.bindings.all() {
			name(b.subjects)
		}
	}
	var out []Grant
	for _, subj := range slices.SortedFunc(maps.Keys(found), compareSubjects) {
		out = append(out, v.holdings(subj, []Subject{subj}, namespace)...)
	}
	return out
}

// HeldBy says what one subject holds of the capabilities in a namespace, by itself,
// by its implicit groups, and by the groups given, which the store cannot know.
// An empty namespace asks for cluster-scoped capabilities. The paths name the
// subject or group that the binding names.
func (s *Store) HeldBy(subj Subject, groups []string, namespace string, c *Capabilities) []Grant {
	as := []Subject{subj}
	for _, name := range append(subj.ImplicitGroups(), groups...) {
		if g := Group(name); !slices.Contains(as, g) {
			as = append(as, g)
		}
	}
	return s.now.Load().view(c, nil).holdings(subj, as, namespace)
}

// holdings is what a subject holds as any of the subjects that it is.
func (v *view) holdings(subj Subject, as []Subject, namespace string) []Grant {
	total := v.builder()
	lists := make([][]use, len(as))
	for i, one := range as {
		lists[i] = v.uses(one, namespace)
		for _, u := range lists[i] {
			total.addMask(v.scope(v.mask(u.role), namespace))
		}
	}
	shares := v.split(total.mask())
	out := make([]Grant, 0, len(shares))
	for _, s := range shares {
		g := Grant{Subject: subj, Namespace: namespace, Capability: v.caps.ids[s.capability], Permissions: s.permissions}
		for i, one := range as {
			g.Paths = append(g.Paths, v.paths(one, lists[i], namespace, s.mask, math.MaxInt)...)
		}
		slices.SortFunc(g.Paths, comparePaths)
		out = append(out, g)
	}
	return out
}
