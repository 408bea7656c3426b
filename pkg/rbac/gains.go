package rbac

import (
	"context"
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
	// Gone are objects that do not exist although the store has them.
	Gone []ObjectRef
	// Unconfirmed are objects that may come to exist. They count after the change,
	// beside what the store has under their name, and never before it.
	Unconfirmed *Additions
	// Lookup is asked for the role of a new or changed binding when neither
	// the store nor Overlay has it: a role that is applied together with its
	// binding may be younger than the store. It returns a Role or ClusterRole,
	// or nil when there surely is none; an error ends the evaluation. Nil means
	// that the store is complete.
	Lookup func(ref ObjectRef) (runtime.Object, error)
}

// Result is what a change brings about.
type Result struct {
	// Gains are sorted by the first subject and namespace, and within one by the
	// order of the capabilities. Everything that somebody gains is in one of them.
	Gains []Gain
	// Latent is the binding of the change, when its role does not exist and the
	// change binds somebody to it.
	Latent []Latent
	// Depends names the unconfirmed objects without which the result might be
	// another.
	Depends []ObjectRef
}

// Gains says which subject gains what of the capabilities in which of the
// namespaces by a change: what it can do afterwards and could not do before,
// given everything that exists. A second way to what a subject holds already is no
// gain; every object instead of a named one is; a further named one is. Subjects
// are those that bindings name: a change of a role counts for everybody who is
// bound to it, and a ClusterRole that joins an aggregate for everybody who is
// bound to the aggregate. Capabilities of cluster-scoped resources have an empty
// Namespace in the answer, whatever namespaces were asked for.
//
// An evaluation that would cost more than package limit allows returns an error that
// wraps a *limit.Exceeded.
func (s *Store) Gains(ctx context.Context, change Change, namespaces []string, c *Capabilities) (Result, error) {
	g, err := prepare(change, c)
	if err != nil {
		return Result{}, fmt.Errorf("evaluate the change: %w", err)
	}
	if g == nil {
		return Result{}, nil
	}
	now := s.now.Load()
	if err := g.lookup(change, now); err != nil {
		return Result{}, err
	}
	g.budget = newBudget(ctx)
	g.before, g.after = g.view(now, g.oldEntry, nil), g.view(now, g.newEntry, change.Unconfirmed)
	g.namespaces = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(namespaces))), func(ns string) bool { return ns == "" })
	if g.newEntry.binding != nil {
		g.binding()
	} else {
		g.role()
	}
	result := g.result()
	if err := g.budget.over(); err != nil {
		return Result{}, fmt.Errorf("evaluate the change: %w", err)
	}
	return result, nil
}

// gains is one evaluation.
type gains struct {
	caps               *Capabilities
	budget             *budget
	oldEntry, newEntry entry // oldEntry is empty for a CREATE
	overlay            []entry
	gone               []ObjectRef
	namespaces         []string // sorted, each once

	before, after *view
	concerned     []concerned
	latent        []Latent
}

// prepare reads the objects; it returns nil for a DELETE.
func prepare(change Change, c *Capabilities) (*gains, error) {
	g := &gains{caps: c, gone: change.Gone}
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
func (g *gains) lookup(change Change, now *state) error {
	b := g.newEntry.binding
	if b == nil || !b.grants || change.Lookup == nil || now.definition(b.role) != nil {
		return nil
	}
	for _, e := range g.overlay {
		if e.role != nil && e.role.key == b.role {
			return nil
		}
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
func (g *gains) view(now *state, changed entry, extra *Additions) *view {
	v := now.view(g.caps, g.budget)
	for _, ref := range g.gone {
		v.drop(ref)
	}
	for _, e := range g.overlay {
		v.put(e)
	}
	if changed.role == nil && changed.binding == nil {
		v.drop(g.newEntry.ref())
	} else {
		v.put(changed)
	}
	v.done(extra, g.newEntry.ref())
	return v
}

// concerned is somebody whom the change concerns, and what it may give them.
type concerned struct {
	subject Subject
	parts   []given
}

// given is what a binding gives in one namespace, by its place in gains.namespaces,
// or everywhere.
type given struct {
	namespace int
	mask      *mask
}

const everywhere = -1

// bytesOfConcerned is what each subject of a change costs until the answer is there.
const bytesOfConcerned = 160

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
		added = slices.DeleteFunc(slices.Clone(added), old.names)
	}
	at, asked := g.place(b.reference.Namespace)
	if len(added) == 0 || !asked {
		return
	}
	if !g.after.exists(b.role) {
		g.latent = append(g.latent, Latent{Binding: b.reference, Role: b.role.ref(), Subjects: added})
		return
	}
	m := g.after.mask(b.role)
	if m.empty() || !g.budget.spend(len(added)) || !g.budget.hold(bytesOfConcerned*len(added)) {
		return
	}
	parts := []given{{namespace: at, mask: m}}
	g.concerned = make([]concerned, len(added))
	for i, subj := range added {
		g.concerned[i] = concerned{subject: subj, parts: parts}
	}
}

// place finds a namespace among those that the caller asked for. What has none counts
// everywhere.
func (g *gains) place(namespace string) (int, bool) {
	if namespace == "" {
		return everywhere, true
	}
	return slices.BinarySearch(g.namespaces, namespace)
}

// role evaluates a Role or ClusterRole: what it has more than before, alone or as a
// part of aggregates, everybody who is bound to them gains.
func (g *gains) role() {
	places := map[Subject]int{}
	give := func(subj Subject, part given) {
		i, there := places[subj]
		if !there {
			if !g.budget.hold(2 * bytesOfConcerned) {
				return
			}
			i = len(g.concerned)
			places[subj] = i
			g.concerned = append(g.concerned, concerned{subject: subj})
		}
		if c := &g.concerned[i]; !slices.Contains(c.parts, part) {
			c.parts = append(c.parts, part)
		}
	}
	for _, key := range g.after.parents(g.newEntry.role.key) {
		stored, put, extra := g.after.s.boundTo(key), g.after.byRole[key], g.after.extraBindings(key)
		if len(stored)+len(put)+len(extra) == 0 {
			continue
		}
		before := newHeld(g.caps.words)
		before.add(g.before.mask(key), g.before)
		more := g.before.lacks(before, g.after.mask(key))
		if more == nil {
			continue
		}
		for _, b := range stored {
			if !g.budget.spend(1 + len(b.subjects)) {
				return
			}
			if at, asked := g.place(b.namespace); asked && !g.after.hides(b) {
				for _, subj := range b.subjects {
					give(subj.Subject, given{namespace: at, mask: more})
				}
			}
		}
		for i, e := range slices.Concat(put, extra) {
			if !g.budget.spend(1 + len(e.subjects)) {
				return
			}
			at, asked := g.place(e.reference.Namespace)
			if !asked {
				continue
			}
			if i >= len(put) {
				g.after.touched[e.reference] = true
			}
			for _, subj := range e.subjects {
				give(subj, given{namespace: at, mask: more})
			}
		}
	}
}

// paths are ways by which a subject has something of a mask after the change.
func (g *gains) paths(subj Subject, namespace string, m *mask, most int) []Path {
	return g.after.paths(subj, g.after.uses(subj, namespace), namespace, m, most)
}
