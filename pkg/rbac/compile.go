package rbac

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const wildcard = "*"

// Capabilities is a set of capabilities in the form in which they are compared.
// It is immutable and safe for concurrent use. Compile it once and keep it: what
// each role holds of it is remembered per Capabilities.
type Capabilities struct {
	ids   []string
	atoms []atom
	words int // of a bitset

	// Exact atoms by what a rule must contain to have them.
	groups, resources, verbs map[string]bitset
	exact                    bitset // atoms without a wildcard
	patterns                 []int  // and those with one

	none *mask // holds nothing

	local, cluster bitset   // by scope: inside of namespaces, or not
	byID           []bitset // atoms of each capability
}

// atom is one verb on one resource: the smallest thing that is held or gained.
type atom struct {
	capability            int
	scope                 Scope
	group, resource, verb string
	name                  string // the only object that matters; empty for every
}

// IDs are the IDs of the capabilities, in their order.
func (c *Capabilities) IDs() []string { return slices.Clone(c.ids) }

// Compile prepares capabilities for evaluation. A capability that could never be
// held, or whose ID is used twice, is an error.
func Compile(capabilities ...Capability) (*Capabilities, error) {
	c := &Capabilities{}
	for i, capability := range capabilities {
		if slices.Contains(c.ids, capability.ID) {
			return nil, fmt.Errorf("capability %q is there twice: give each its own ID", capability.ID)
		}
		c.ids = append(c.ids, capability.ID)
		for j, t := range capability.Targets {
			if err := t.validate(); err != nil {
				return nil, fmt.Errorf("capability %q, target %d: %w", capability.ID, j, err)
			}
			c.addTarget(i, t)
		}
	}
	c.index()
	return c, nil
}

func (t Target) validate() error {
	switch {
	case len(t.APIGroups) == 0 || len(t.Resources) == 0 || len(t.Verbs) == 0:
		return errors.New(`it needs at least one API group ("" is the core group), resource and verb`)
	case t.Scope < Namespaced || t.Scope > Cluster:
		return fmt.Errorf("scope %d does not exist: use Namespaced, OwnNamespace or Cluster", t.Scope)
	}
	for _, r := range t.Resources {
		own := r == "namespaces" || strings.HasPrefix(r, "namespaces/")
		switch {
		case r == "*/*" || strings.HasPrefix(r, "/") || strings.HasSuffix(r, "/") || r == "":
			return fmt.Errorf(`resource %q matches nothing in RBAC: "*" is everything, subresources included`, r)
		case own && t.Scope == Namespaced && slices.Contains(t.APIGroups, ""):
			return fmt.Errorf("resource %q is not namespaced: use OwnNamespace, or Cluster for create and list", r)
		case t.Scope != OwnNamespace:
		case !own:
			return fmt.Errorf("resource %q is no Namespace: use Namespaced or Cluster", r)
		case slices.ContainsFunc(t.Verbs, func(v string) bool { return namesNothing(r, v) || readsMany(v) }):
			return fmt.Errorf("create, list, watch and deletecollection of %q name no namespace: use Cluster", r)
		}
	}
	return nil
}

func (c *Capabilities) addTarget(capability int, t Target) {
	names := t.Names
	if len(names) == 0 {
		names = []string{""}
	}
	for _, group := range t.APIGroups {
		for _, resource := range t.Resources {
			for _, verb := range t.Verbs {
				for _, name := range names {
					c.addAtom(atom{capability: capability, scope: t.Scope, group: group, resource: resource, verb: verb, name: name})
				}
			}
		}
	}
}

func (c *Capabilities) addAtom(a atom) {
	if !slices.Contains(c.atoms, a) {
		c.atoms = append(c.atoms, a)
	}
}

// index builds the tables by which rules find their atoms.
func (c *Capabilities) index() {
	c.words = (len(c.atoms) + 63) / 64
	c.none = &mask{full: make(bitset, c.words)}
	c.groups, c.resources, c.verbs = map[string]bitset{}, map[string]bitset{}, map[string]bitset{}
	c.exact, c.local, c.cluster = make(bitset, c.words), make(bitset, c.words), make(bitset, c.words)
	c.byID = make([]bitset, len(c.ids))
	for i := range c.byID {
		c.byID[i] = make(bitset, c.words)
	}
	for i, a := range c.atoms {
		c.byID[a.capability].set(i)
		if a.scope == Cluster {
			c.cluster.set(i)
		} else {
			c.local.set(i)
		}
		if strings.Contains(a.group+a.resource+a.verb, wildcard) {
			c.patterns = append(c.patterns, i)
			continue
		}
		c.exact.set(i)
		c.enter(c.groups, a.group, i)
		c.enter(c.verbs, a.verb, i)
		c.enter(c.resources, a.resource, i)
		if _, sub, found := strings.Cut(a.resource, "/"); found {
			c.enter(c.resources, wildcard+"/"+sub, i)
		}
	}
}

func (c *Capabilities) enter(table map[string]bitset, key string, i int) {
	if table[key] == nil {
		table[key] = make(bitset, c.words)
	}
	table[key].set(i)
}
