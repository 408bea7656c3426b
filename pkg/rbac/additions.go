package rbac

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
)

// Addition is an object that may come to exist: somebody asked for it, and nobody
// knows yet whether the API server stored it. It only ever adds to what is there.
type Addition struct {
	entry
	size int
}

// NewAddition reads one of the four kinds.
func NewAddition(obj runtime.Object) (*Addition, error) {
	e, err := entryOf(obj)
	if err != nil {
		return nil, fmt.Errorf("take note of an object: %w", err)
	}
	return &Addition{entry: e, size: e.size()}, nil
}

// Ref names the object.
func (a *Addition) Ref() ObjectRef { return a.ref() }

// Bytes is about how much memory it takes.
func (a *Addition) Bytes() int { return a.size }

// Same reports whether two say the same of the same object.
func (a *Addition) Same(o *Addition) bool {
	switch {
	case a.ref() != o.ref():
		return false
	case a.role != nil:
		d := a.role.definition()
		return d.rules.equal(o.role.rules) && d.sameSelectors(o.role.definition()) && sameLabels(a.role.labels, o.role.labels)
	}
	return a.binding.role == o.binding.role && a.binding.grants == o.binding.grants && sameSubjects(a.binding.subjects, o.binding.subjects)
}

// Additions are an immutable set of them, several of one object among them.
type Additions struct {
	definitions map[roleKey][]*definition
	clusters    []roleKey                   // the ClusterRoles among them, each once
	bindings    map[roleKey][]*bindingEntry // by the role that they name
}

// NewAdditions makes a set.
func NewAdditions(list []*Addition) *Additions {
	s := &Additions{definitions: map[roleKey][]*definition{}, bindings: map[roleKey][]*bindingEntry{}}
	for _, a := range list {
		if a.role == nil {
			if a.binding.grants {
				s.bindings[a.binding.role] = append(s.bindings[a.binding.role], a.binding)
			}
			continue
		}
		key := a.role.key
		if key.cluster && s.definitions[key] == nil {
			s.clusters = append(s.clusters, key)
		}
		s.definitions[key] = append(s.definitions[key], a.role.definition())
	}
	return s
}

// size is about how many bytes of memory an entry takes.
func (e entry) size() int {
	const header, word = 128, 16
	n := header
	if b := e.binding; b != nil {
		n += len(b.reference.Namespace) + len(b.reference.Name) + len(b.role.name)
		for _, s := range b.subjects {
			n += 3*word + len(s.Namespace) + len(s.Name)
		}
		return n
	}
	n += len(e.role.key.namespace) + len(e.role.key.name)
	for i := range e.role.rules {
		n += header
		for _, list := range fieldsOf(&e.role.rules[i]) {
			for _, s := range *list {
				n += word + len(s)
			}
		}
	}
	for k, v := range e.role.labels {
		n += header + len(k) + len(v)
	}
	for _, s := range e.role.selectors {
		n += header + 4*len(s.text)
	}
	return n
}
