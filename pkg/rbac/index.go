package rbac

import (
	"maps"
	"slices"
)

// set and remove keep the indexes; s.mu is held.

func (s *Store) set(e entry) {
	if e.role != nil {
		s.setRole(e.role)
		return
	}
	s.setBinding(e.binding)
}

func (s *Store) remove(ref ObjectRef) {
	switch ref.Kind {
	case KindRole:
		s.removeRole(roleKey{namespace: ref.Namespace, name: ref.Name})
	case KindClusterRole:
		s.removeRole(roleKey{name: ref.Name, cluster: true})
	case KindRoleBinding:
		if ns := s.namespaces[ref.Namespace]; ns != nil {
			s.removeBinding(ns.bindings[ref.Name])
		}
	case KindClusterRoleBinding:
		s.removeBinding(s.clusterBindings[ref.Name])
	}
}

// refs names everything of one kind.
func (s *Store) refs(kind string) []ObjectRef {
	var out []ObjectRef
	switch kind {
	case KindRole, KindClusterRole:
		for key, r := range s.roles {
			if r.def != nil && key.cluster == (kind == KindClusterRole) {
				out = append(out, key.ref())
			}
		}
	case KindRoleBinding:
		for _, ns := range s.namespaces {
			for _, b := range ns.bindings {
				out = append(out, b.ref())
			}
		}
	case KindClusterRoleBinding:
		for _, b := range s.clusterBindings {
			out = append(out, b.ref())
		}
	}
	return out
}

// roleAt returns the role with a key, new when nothing has named it yet.
func (s *Store) roleAt(key roleKey) *role {
	r := s.roles[key]
	if r == nil {
		r = &role{key: key}
		s.roles[key] = r
	}
	return r
}

// forget drops a role that neither exists nor is named.
func (s *Store) forget(r *role) {
	if r.def == nil && len(r.bindings) == 0 {
		delete(s.roles, r.key)
	}
}

func (s *Store) setRole(e *roleEntry) {
	r := s.roleAt(e.key)
	old := r.def
	def := &definition{rules: s.rulesets.intern(e.rules), aggregate: e.aggregate, selectors: e.selectors}
	if e.key.cluster && len(e.labels) > 0 {
		def.labels = maps.Clone(e.labels)
	}
	r.def = def
	if old != nil {
		s.rulesets.release(old.rules)
	}
	if !e.key.cluster {
		return
	}
	s.clusterRoles[r] = struct{}{}
	if old == nil || !maps.Equal(old.labels, def.labels) {
		s.joinParents(r)
	}
	if def.aggregate || old != nil && old.aggregate {
		s.joinMembers(r)
	}
}

func (s *Store) removeRole(key roleKey) {
	r := s.roles[key]
	if r == nil || r.def == nil {
		return
	}
	s.rulesets.release(r.def.rules)
	r.def = nil
	delete(s.clusterRoles, r)
	s.leaveParents(r)
	s.leaveMembers(r)
	s.forget(r)
}

// joinParents finds the aggregates that select r.
func (s *Store) joinParents(r *role) {
	s.leaveParents(r)
	for parent := range s.aggregates {
		if parent != r && parent.def.selects(r.def.labels) {
			link(parent, r)
		}
	}
}

// joinMembers finds what r selects, when it is an aggregate.
func (s *Store) joinMembers(r *role) {
	s.leaveMembers(r)
	if !r.def.aggregate {
		return
	}
	s.aggregates[r] = struct{}{}
	for member := range s.clusterRoles {
		if member != r && r.def.selects(member.def.labels) {
			link(r, member)
		}
	}
}

func link(parent, member *role) {
	parent.members = append(parent.members, member)
	member.parents = append(member.parents, parent)
}

func (s *Store) leaveParents(r *role) {
	for _, parent := range r.parents {
		parent.members = slices.DeleteFunc(parent.members, func(m *role) bool { return m == r })
	}
	r.parents = nil
}

func (s *Store) leaveMembers(r *role) {
	for _, member := range r.members {
		member.parents = slices.DeleteFunc(member.parents, func(p *role) bool { return p == r })
	}
	r.members = nil
	delete(s.aggregates, r)
}

func (s *Store) setBinding(e *bindingEntry) {
	s.remove(e.reference)
	b := &binding{name: e.reference.Name}
	if e.reference.Kind == KindRoleBinding {
		ns := s.namespaces[e.reference.Namespace]
		if ns == nil {
			ns = &namespace{name: e.reference.Namespace, bindings: map[string]*binding{}, bySubject: map[*subject][]*binding{}}
			s.namespaces[ns.name] = ns
		}
		b.namespace = ns
		ns.bindings[b.name] = b
	} else {
		s.clusterBindings[b.name] = b
	}
	if !e.grants {
		return // counted, and otherwise of no effect
	}
	b.role = s.roleAt(e.role)
	b.slot = len(b.role.bindings)
	b.role.bindings = append(b.role.bindings, b)
	b.subjects = make([]*subject, len(e.subjects))
	for i, key := range e.subjects {
		subj := s.subjects[key]
		if subj == nil {
			subj = &subject{Subject: key}
			s.subjects[key] = subj
		}
		subj.refs++
		b.subjects[i] = subj
		if b.namespace == nil {
			subj.cluster = append(subj.cluster, b)
		} else {
			b.namespace.bySubject[subj] = append(b.namespace.bySubject[subj], b)
		}
	}
}

func (s *Store) removeBinding(b *binding) {
	if b == nil {
		return
	}
	isThis := func(o *binding) bool { return o == b }
	for _, subj := range b.subjects {
		if b.namespace == nil {
			subj.cluster = slices.DeleteFunc(subj.cluster, isThis)
		} else if rest := slices.DeleteFunc(b.namespace.bySubject[subj], isThis); len(rest) == 0 {
			delete(b.namespace.bySubject, subj)
		} else {
			b.namespace.bySubject[subj] = rest
		}
		if subj.refs--; subj.refs == 0 {
			delete(s.subjects, subj.Subject)
		}
	}
	if r := b.role; r != nil {
		last := len(r.bindings) - 1
		r.bindings[b.slot] = r.bindings[last]
		r.bindings[b.slot].slot = b.slot
		r.bindings[last] = nil
		r.bindings = r.bindings[:last]
		s.forget(r)
	}
	if b.namespace == nil {
		delete(s.clusterBindings, b.name)
		return
	}
	delete(b.namespace.bindings, b.name)
	if len(b.namespace.bindings) == 0 {
		delete(s.namespaces, b.namespace.name)
	}
}
