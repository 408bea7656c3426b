package rbac

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// set and remove change the next state of a store; its lock is held.

func (s *Store) set(next *state, e entry) {
	if e.role != nil {
		s.setRole(next, e.role)
		return
	}
	next.setBinding(e.binding)
}

func (s *Store) remove(next *state, ref ObjectRef) {
	switch ref.Kind {
	case KindRole:
		s.removeRole(next, roleKey{namespace: ref.Namespace, name: ref.Name})
	case KindClusterRole:
		s.removeRole(next, roleKey{name: ref.Name, cluster: true})
	case KindRoleBinding, KindClusterRoleBinding:
		next.removeBinding(next.binding(ref))
	}
}

// definition returns the role with a key; nil when it does not exist.
func (t *state) definition(key roleKey) *definition {
	if key.cluster {
		return t.clusterRoles.get(key)
	}
	return t.roles.get(key)
}

// binding returns the binding with a name; nil when it does not exist.
func (t *state) binding(ref ObjectRef) *binding {
	if ref.Kind == KindClusterRoleBinding {
		return t.clusterBindings.get(ref.Name)
	}
	if ns := t.namespaces.get(ref.Namespace); ns != nil {
		return ns.bindings.get(ref.Name)
	}
	return nil
}

// boundTo are the bindings that name a role.
func (t *state) boundTo(key roleKey) []*binding {
	if b := t.bound.get(key); b != nil {
		return b.bindings
	}
	return nil
}

// refs names everything of one kind.
func (t *state) refs(kind string) []ObjectRef {
	var out []ObjectRef
	switch kind {
	case KindRole:
		for d := range t.roles.all() {
			out = append(out, d.ref())
		}
	case KindClusterRole:
		for d := range t.clusterRoles.all() {
			out = append(out, d.ref())
		}
	case KindRoleBinding:
		for ns := range t.namespaces.all() {
			for b := range ns.bindings.all() {
				out = append(out, b.ref())
			}
		}
	case KindClusterRoleBinding:
		for b := range t.clusterBindings.all() {
			out = append(out, b.ref())
		}
	}
	return out
}

func (s *Store) setRole(next *state, e *roleEntry) {
	old := next.definition(e.key)
	def := &definition{roleKey: e.key, rules: s.rulesets.intern(e.rules), aggregate: e.aggregate, selectors: e.selectors}
	if e.key.cluster && len(e.labels) > 0 {
		def.labels = maps.Clone(e.labels)
	}
	if old != nil {
		s.rulesets.release(old.rules)
	}
	if !e.key.cluster {
		next.roles = next.roles.with(def)
		return
	}
	next.clusterRoles = next.clusterRoles.with(def)
	switch {
	case def.aggregate:
		next.aggregates = next.aggregates.with(def)
	case old != nil && old.aggregate:
		next.aggregates = next.aggregates.without(e.key)
	}
	if old == nil || !maps.Equal(old.labels, def.labels) {
		next.selected = &selected{}
	}
}

func (s *Store) removeRole(next *state, key roleKey) {
	old := next.definition(key)
	if old == nil {
		return
	}
	s.rulesets.release(old.rules)
	if !key.cluster {
		next.roles = next.roles.without(key)
		return
	}
	next.clusterRoles, next.aggregates = next.clusterRoles.without(key), next.aggregates.without(key)
	next.selected = &selected{}
}

func (t *state) setBinding(e *bindingEntry) {
	if old := t.binding(e.reference); old != nil {
		if old.is(e) {
			return // a relist brings what is there
		}
		t.removeBinding(old)
	}
	b := &binding{name: e.reference.Name, namespace: e.reference.Namespace, role: e.role, grants: e.grants}
	if e.grants { // else it is counted, and otherwise of no effect
		t.bind(b, e.subjects)
	}
	if b.namespace == "" {
		t.clusterBindings = t.clusterBindings.with(b)
		return
	}
	ns := namespace{name: b.namespace}
	if have := t.namespaces.get(b.namespace); have != nil {
		ns = *have
	}
	ns.bindings = ns.bindings.with(b)
	t.namespaces = t.namespaces.with(&ns)
	t.roleBindings++
}

// bind enters a binding under its role and its subjects.
//
// Lists grow by append: a state sees no more of a list than was there when it was
// made, and there is one line of states, so that nobody appends twice to the same.
func (t *state) bind(b *binding, subjects []Subject) {
	t.bound = t.bound.with(&bound{roleKey: b.role, bindings: append(t.boundTo(b.role), b)})
	b.subjects = make([]*subject, len(subjects))
	for i, key := range subjects {
		next := uses{}
		if have := t.subjects.get(key); have != nil {
			next = *have
		} else {
			next.subject = &subject{key}
		}
		b.subjects[i] = next.subject
		if b.namespace == "" {
			next.cluster = append(next.cluster, b)
		} else {
			next.local = append(next.local, b)
		}
		t.subjects = t.subjects.with(&next)
	}
}

func (t *state) removeBinding(b *binding) {
	if b == nil {
		return
	}
	for _, subj := range b.subjects {
		next := *t.subjects.get(subj.Subject)
		if b.namespace == "" {
			next.cluster = dropped(next.cluster, b)
		} else {
			next.local = dropped(next.local, b)
		}
		if len(next.cluster)+len(next.local) == 0 {
			t.subjects = t.subjects.without(subj.Subject)
		} else {
			t.subjects = t.subjects.with(&next)
		}
	}
	if b.grants {
		if rest := dropped(t.boundTo(b.role), b); len(rest) == 0 {
			t.bound = t.bound.without(b.role)
		} else {
			t.bound = t.bound.with(&bound{roleKey: b.role, bindings: rest})
		}
	}
	if b.namespace == "" {
		t.clusterBindings = t.clusterBindings.without(b.name)
		return
	}
	ns := *t.namespaces.get(b.namespace)
	ns.bindings = ns.bindings.without(b.name)
	if ns.bindings.size == 0 {
		t.namespaces = t.namespaces.without(ns.name)
	} else {
		t.namespaces = t.namespaces.with(&ns)
	}
	t.roleBindings--
}

// dropped is a list without a binding, in memory of its own.
func dropped(list []*binding, b *binding) []*binding {
	i := slices.Index(list, b)
	return slices.Concat(list[:i], list[i+1:])
}

// selected remembers which ClusterRoles each selector selects.
type selected struct {
	bySelector sync.Map // text of the selector: []roleKey, sorted
	size       atomic.Int64
}

// maxSelected bounds what is remembered: a million pairs are 40 MB.
const maxSelected = 100_000

// selects lists the ClusterRoles that a selector selects, sorted.
func (t *state) selects(s selector, b *budget) []roleKey {
	if found, ok := t.selected.bySelector.Load(s.text); ok {
		list, _ := found.([]roleKey)
		return list
	}
	if !b.spend(stepsToMatch * t.clusterRoles.size) {
		return nil
	}
	var list []roleKey
	for d := range t.clusterRoles.all() {
		if s.matches.Matches(d.labels) {
			list = append(list, d.roleKey)
		}
	}
	slices.SortFunc(list, compareKeys)
	if size := int64(len(list)) + 1; t.selected.size.Add(size) <= maxSelected {
		t.selected.bySelector.Store(s.text, list)
	} else {
		t.selected.size.Add(-size)
	}
	return list
}

// stepsToMatch is what it costs to hold labels against a selector, in steps.
const stepsToMatch = 2
