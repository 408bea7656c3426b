package rbac

import (
	"slices"
)

// view is the store as it would be with some objects replaced, added or removed.
// It lives for one evaluation, under the store's lock.
type view struct {
	s    *Store
	caps *Capabilities

	roles    map[roleKey]*definition // instead of the store's; nil when removed
	clusters []roleKey               // the ClusterRoles among them
	bindings map[ObjectRef]*bindingEntry

	added       map[Subject][]*bindingEntry // bindings that the store does not have so
	addedToRole map[roleKey][]*bindingEntry

	// What was computed already.
	masks  map[roleKey]*mask       // what roles hold
	scoped map[scopeKey]*mask      // the same inside of a namespace, or outside
	wide   map[Subject]*held       // what ClusterRoleBindings give
	rules  map[roleKey][]ruleGrant // what the rules of roles hold
	shares map[string][]share      // masks by capabilities
	givers map[givingKey][]ruleGrant
}

func (s *Store) view(c *Capabilities) *view {
	return &view{
		s: s, caps: c,
		masks: map[roleKey]*mask{}, scoped: map[scopeKey]*mask{}, wide: map[Subject]*held{}, rules: map[roleKey][]ruleGrant{},
		shares: map[string][]share{}, givers: map[givingKey][]ruleGrant{},
	}
}

// put makes the view have an object, instead of the store's own if it has one.
func (v *view) put(e entry) {
	if e.role != nil {
		rules := &ruleset{rules: e.role.rules}
		if r := v.s.roles[e.role.key]; r != nil && r.def != nil && r.def.rules.equal(e.role.rules) {
			rules = r.def.rules // which knows already what it holds
		}
		v.putRole(e.role.key, &definition{
			rules:     rules,
			labels:    e.role.labels,
			aggregate: e.role.aggregate,
			selectors: e.role.selectors,
		})
		return
	}
	v.putBinding(e.binding.reference, e.binding)
}

// drop makes the view not have an object.
func (v *view) drop(ref ObjectRef) {
	switch ref.Kind {
	case KindRole:
		v.putRole(roleKey{namespace: ref.Namespace, name: ref.Name}, nil)
	case KindClusterRole:
		v.putRole(roleKey{name: ref.Name, cluster: true}, nil)
	default:
		v.putBinding(ref, nil)
	}
}

func (v *view) putRole(key roleKey, def *definition) {
	if v.roles == nil {
		v.roles = map[roleKey]*definition{}
	}
	if _, there := v.roles[key]; !there && key.cluster {
		v.clusters = append(v.clusters, key)
	}
	v.roles[key] = def
}

func (v *view) putBinding(ref ObjectRef, e *bindingEntry) {
	if v.bindings == nil {
		v.bindings = map[ObjectRef]*bindingEntry{}
	}
	v.bindings[ref] = e
}

// done indexes the bindings that were put.
func (v *view) done() {
	if len(v.bindings) == 0 {
		return
	}
	v.added, v.addedToRole = map[Subject][]*bindingEntry{}, map[roleKey][]*bindingEntry{}
	for _, e := range v.bindings {
		if e == nil || !e.grants {
			continue
		}
		v.addedToRole[e.role] = append(v.addedToRole[e.role], e)
		for _, subj := range e.subjects {
			v.added[subj] = append(v.added[subj], e)
		}
	}
}

// hides reports whether the view has something else in the place of a binding of
// the store.
func (v *view) hides(b *binding) bool {
	if len(v.bindings) == 0 {
		return false
	}
	_, there := v.bindings[b.ref()]
	return there
}

// definition returns the role with a key; nil when it does not exist.
func (v *view) definition(key roleKey) *definition {
	if def, there := v.roles[key]; there {
		return def
	}
	if r := v.s.roles[key]; r != nil {
		return r.def
	}
	return nil
}

// members are the ClusterRoles that an aggregate selects.
func (v *view) members(key roleKey) []roleKey {
	def := v.definition(key)
	if def == nil || !def.aggregate {
		return nil
	}
	var out []roleKey
	if _, changed := v.roles[key]; changed {
		for r := range v.s.clusterRoles {
			if _, changed := v.roles[r.key]; !changed && r.key != key && def.selects(r.def.labels) {
				out = append(out, r.key)
			}
		}
	} else {
		for _, m := range v.s.roles[key].members {
			if _, changed := v.roles[m.key]; !changed {
				out = append(out, m.key)
			}
		}
	}
	for _, other := range v.clusters {
		if d := v.roles[other]; d != nil && other != key && def.selects(d.labels) {
			out = append(out, other)
		}
	}
	slices.SortFunc(out, compareKeys)
	return out
}

// parents are the aggregates that select a ClusterRole.
func (v *view) parents(key roleKey) []roleKey {
	def := v.definition(key)
	if def == nil || !key.cluster {
		return nil
	}
	var out []roleKey
	if _, changed := v.roles[key]; changed {
		for parent := range v.s.aggregates {
			if _, changed := v.roles[parent.key]; !changed && parent.key != key && parent.def.selects(def.labels) {
				out = append(out, parent.key)
			}
		}
	} else {
		for _, parent := range v.s.roles[key].parents {
			if _, changed := v.roles[parent.key]; !changed {
				out = append(out, parent.key)
			}
		}
	}
	for _, parent := range v.clusters {
		if d := v.roles[parent]; d != nil && d.aggregate && parent != key && d.selects(def.labels) {
			out = append(out, parent)
		}
	}
	return out
}

// closure returns key and everything that next leads to from there, nearest first.
// Roles that aggregate each other in a circle are there once.
func closure(key roleKey, next func(roleKey) []roleKey) []roleKey {
	out := []roleKey{key}
	seen := map[roleKey]bool{key: true}
	for i := 0; i < len(out); i++ {
		for _, k := range next(out[i]) {
			if !seen[k] {
				seen[k] = true
				out = append(out, k)
			}
		}
	}
	return out
}

// mask is what a role holds, by aggregation too. The result must not be changed.
func (v *view) mask(key roleKey) *mask {
	if m := v.masks[key]; m != nil {
		return m
	}
	def := v.definition(key)
	var m *mask
	switch {
	case def == nil:
		m = &mask{full: make(bitset, v.caps.words)}
	case !def.aggregate:
		m = def.rules.mask(v.caps)
	default:
		b := v.caps.builder()
		for _, k := range closure(key, v.members) {
			b.addMask(v.definition(k).rules.mask(v.caps))
		}
		m = b.mask()
	}
	v.masks[key] = m
	return m
}

// use is a binding that names a subject, and the role that it gives.
type use struct {
	binding ObjectRef
	role    roleKey
}

// wideUses are the ClusterRoleBindings that name a subject.
func (v *view) wideUses(subj Subject) []use {
	var out []use
	if found := v.s.subjects[subj]; found != nil {
		for _, b := range found.cluster {
			if !v.hides(b) {
				out = append(out, use{binding: b.ref(), role: b.role.key})
			}
		}
	}
	for _, e := range v.added[subj] {
		if e.reference.Kind == KindClusterRoleBinding {
			out = append(out, use{binding: e.reference, role: e.role})
		}
	}
	return out
}

// localUses are the RoleBindings of a namespace that name a subject.
func (v *view) localUses(subj Subject, namespace string) []use {
	var out []use
	if found, ns := v.s.subjects[subj], v.s.namespaces[namespace]; found != nil && ns != nil {
		for _, b := range ns.bySubject[found] {
			if !v.hides(b) {
				out = append(out, use{binding: b.ref(), role: b.role.key})
			}
		}
	}
	for _, e := range v.added[subj] {
		if e.reference.Kind == KindRoleBinding && e.reference.Namespace == namespace {
			out = append(out, use{binding: e.reference, role: e.role})
		}
	}
	return out
}

// uses are the bindings that count for a subject in a namespace; an empty one is
// the cluster.
func (v *view) uses(subj Subject, namespace string) []use {
	if namespace == "" {
		return v.wideUses(subj)
	}
	return append(v.wideUses(subj), v.localUses(subj, namespace)...)
}
