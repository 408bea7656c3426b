package rbac

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// Change is a change that somebody wants to make: one of the four kinds is created
// (Old is nil), updated, or deleted (New is nil; nobody gains by that).
type Change struct {
	// Old is the object as it is, New as it shall be. They are looked at
	// instead of what the store has under their name, which may be older.
	Old, New runtime.Object
	// Overlay are objects that exist although the store does not know them
	// yet, or knows them in an older form. They count before and after the
	// change.
	Overlay []runtime.Object
	// Lookup is asked for the role of a new or changed binding when neither
	// the store nor Overlay has it: a role that is applied together with its
	// binding may be younger than the store. It returns a Role or ClusterRole,
	// or nil when there surely is none; an error ends the evaluation. It is
	// called without any lock of the store. Nil means that the store is
	// complete.
	Lookup func(ref ObjectRef) (runtime.Object, error)
}

// Result is what a change brings about.
type Result struct {
	// Gains are sorted by subject and namespace, and within one by the order of
	// the capabilities.
	Gains []Grant
	// Latent is the binding of the change, when its role does not exist and the
	// change binds somebody to it.
	Latent []Latent
}

// Gains says which subject gains what of the capabilities in which of the
// namespaces by a change: what it can do afterwards and could not do before,
// given everything that exists. A second way to what a subject holds already is no
// gain; every object instead of a named one is; a further named one is. Subjects
// are those that bindings name: a change of a role counts for everybody who is
// bound to it, and a ClusterRole that joins an aggregate for everybody who is
// bound to the aggregate. Capabilities of cluster-scoped resources have an empty
// Namespace in the answer, whatever namespaces were asked for.
func (s *Store) Gains(change Change, namespaces []string, c *Capabilities) (Result, error) {
	g, err := s.prepare(change, c)
	if err != nil {
		return Result{}, fmt.Errorf("evaluate the change: %w", err)
	}
	if g == nil {
		return Result{}, nil
	}
	if err := s.lookup(change, g); err != nil {
		return Result{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	g.before, g.after = g.view(s, g.oldEntry), g.view(s, g.newEntry)
	g.namespaces = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(namespaces))), func(ns string) bool { return ns == "" })
	g.all = map[holder]*gain{}
	if g.newEntry.binding != nil {
		g.binding()
	} else {
		g.role()
	}
	return g.result(), nil
}

// gains is one evaluation.
type gains struct {
	caps               *Capabilities
	oldEntry, newEntry entry // oldEntry is empty for a CREATE
	overlay            []entry
	namespaces         []string // sorted, each once

	before, after *view
	all           map[holder]*gain
	latent        []Latent
}

type holder struct {
	subject   Subject
	namespace string
}

// gain is what one subject gains in one namespace.
type gain struct {
	held   *held // before
	total  *builder
	givers []giver
}

// prepare reads the objects; it returns nil for a DELETE.
func (s *Store) prepare(change Change, c *Capabilities) (*gains, error) {
	g := &gains{caps: c}
	if change.New == nil {
		return nil, nil //nolint:nilnil // nothing to evaluate is no error
	}
	var err error
	if g.newEntry, err = entryOf(change.New); err != nil {
		return nil, err
	}
	if change.Old != nil {
		if g.oldEntry, err = entryOf(change.Old); err != nil {
			return nil, fmt.Errorf("the object before the change: %w", err)
		}
		if was, is := g.oldEntry.ref(), g.newEntry.ref(); was != is {
			return nil, fmt.Errorf("the object before the change is %s, after it %s: give the same object twice", was, is)
		}
	}
	for _, obj := range change.Overlay {
		e, err := entryOf(obj)
		if err != nil {
			return nil, fmt.Errorf("the overlay: %w", err)
		}
		g.overlay = append(g.overlay, e)
	}
	return g, nil
}

var errWrongRole = errors.New("the lookup returned another object")

// lookup asks for the role of a binding that is not there.
func (s *Store) lookup(change Change, g *gains) error {
	b := g.newEntry.binding
	if b == nil || !b.grants || change.Lookup == nil {
		return nil
	}
	for _, e := range g.overlay {
		if e.role != nil && e.role.key == b.role {
			return nil
		}
	}
	s.mu.RLock()
	r := s.roles[b.role]
	exists := r != nil && r.def != nil
	s.mu.RUnlock()
	if exists {
		return nil
	}
	ref := b.role.ref()
	obj, err := change.Lookup(ref)
	if err != nil {
		return fmt.Errorf("look up %s, to which %s refers: %w", ref, b.reference, err)
	}
	if obj == nil {
		return nil
	}
	e, err := entryOf(obj)
	if err != nil {
		return fmt.Errorf("look up %s, to which %s refers: %w", ref, b.reference, err)
	}
	if e.ref() != ref {
		return fmt.Errorf("look up %s, to which %s refers: %w: %s", ref, b.reference, errWrongRole, e.ref())
	}
	g.overlay = append(g.overlay, e)
	return nil
}

// view is the store with the overlay and the object in one of its two states.
func (g *gains) view(s *Store, state entry) *view {
	v := s.view(g.caps)
	for _, e := range g.overlay {
		v.put(e)
	}
	if state.role == nil && state.binding == nil {
		v.drop(g.newEntry.ref())
	} else {
		v.put(state)
	}
	v.done()
	return v
}

// binding evaluates a RoleBinding or ClusterRoleBinding: whoever is new in it
// gains what its role has.
func (g *gains) binding() {
	b := g.newEntry.binding
	if !b.grants {
		return
	}
	added := b.subjects
	// roleRef is immutable; in files somebody may have changed it all the same.
	if old := g.oldEntry.binding; old != nil && old.grants && old.role == b.role {
		added = slices.DeleteFunc(slices.Clone(added), func(s Subject) bool { return slices.Contains(old.subjects, s) })
	}
	if len(added) == 0 || b.reference.Namespace != "" && !g.asks(b.reference.Namespace) {
		return
	}
	if g.after.definition(b.role) == nil {
		g.latent = append(g.latent, Latent{Binding: b.reference, Role: b.role.ref(), Subjects: added})
		return
	}
	m := g.after.mask(b.role)
	if m.empty() {
		return
	}
	for _, subj := range added {
		g.through(use{binding: b.reference, role: b.role}, subj, m)
	}
}

// role evaluates a Role or ClusterRole: what it has more than before, alone or as a
// part of aggregates, everybody who is bound to them gains.
func (g *gains) role() {
	for _, key := range closure(g.newEntry.role.key, g.after.parents) {
		before := newHeld(g.caps.words)
		before.add(g.before.mask(key))
		more := g.caps.lacks(before, g.after.mask(key))
		if more == nil {
			continue
		}
		if r := g.after.s.roles[key]; r != nil {
			for _, b := range r.bindings {
				if b.namespace != nil && !g.asks(b.namespace.name) || g.after.hides(b) {
					continue
				}
				for _, subj := range b.subjects {
					g.through(use{binding: b.ref(), role: key}, subj.Subject, more)
				}
			}
		}
		for _, e := range g.after.addedToRole[key] {
			if e.reference.Namespace != "" && !g.asks(e.reference.Namespace) {
				continue
			}
			for _, subj := range e.subjects {
				g.through(use{binding: e.reference, role: key}, subj, more)
			}
		}
	}
}

// asks reports whether the caller asked for a namespace.
func (g *gains) asks(namespace string) bool { return contains(g.namespaces, namespace) }

// through adds what a subject gains by one binding, where it counts.
func (g *gains) through(u use, subj Subject, m *mask) {
	if u.binding.Namespace != "" {
		g.in(u.binding.Namespace, u, subj, m)
		return
	}
	g.in("", u, subj, m)
	for _, namespace := range g.namespaces {
		g.in(namespace, u, subj, m)
	}
}

// in adds what a subject gains in one namespace.
func (g *gains) in(namespace string, u use, subj Subject, m *mask) {
	m = g.after.scope(m, namespace)
	if m.empty() {
		return
	}
	key := holder{subject: subj, namespace: namespace}
	found := g.all[key]
	if found == nil {
		found = &gain{held: g.before.held(subj, namespace), total: g.caps.builder()}
		g.all[key] = found
	}
	if more := g.caps.lacks(found.held, m); more != nil {
		found.total.addMask(more)
		found.givers = append(found.givers, giver{use: u, subject: subj, mask: more})
	}
}

func (g *gains) result() Result {
	holders := make([]holder, 0, len(g.all))
	for key, found := range g.all {
		if len(found.givers) > 0 {
			holders = append(holders, key)
		}
	}
	slices.SortFunc(holders, func(a, b holder) int {
		return cmp.Or(compareSubjects(a.subject, b.subject), cmp.Compare(a.namespace, b.namespace))
	})
	out := Result{Latent: g.latent}
	for _, key := range holders {
		found := g.all[key]
		out.Gains = append(out.Gains, g.after.grants(key.subject, key.namespace, found.total.mask(), found.givers)...)
	}
	return out
}
