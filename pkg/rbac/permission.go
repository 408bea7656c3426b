package rbac

import (
	"slices"
	"strconv"
	"strings"
)

// GroupResource is the resource as messages name it: `configmaps`,
// `deployments.apps`, `pods/exec`, `* in any API group`.
func (p Permission) GroupResource() string {
	switch p.APIGroup {
	case "":
		return p.Resource
	case wildcard:
		return p.Resource + " in any API group"
	}
	resource, sub, found := strings.Cut(p.Resource, "/")
	if !found {
		return p.Resource + "." + p.APIGroup
	}
	return resource + "." + p.APIGroup + "/" + sub
}

// maxWords bounds the lists in texts: a rule may hold thousands of names.
const maxWords = 20

// String is `create, update configmaps` or `get secrets named a, b`. Of long lists it
// has the beginning.
func (p Permission) String() string {
	s := shortList(p.Verbs) + " " + p.GroupResource()
	if len(p.Names) > 0 {
		s += " named " + shortList(p.Names)
	}
	return s
}

func shortList(list []string) string {
	if len(list) <= maxWords {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:maxWords], ", ") + ", and " + strconv.Itoa(len(list)-maxWords) + " more"
}

// permissions says what of one capability the mask holds: one entry for each
// resource and set of names, verbs together, in the order of the capability.
func (c *Capabilities) permissions(m *mask, capability int, budget *budget) []Permission {
	var out []Permission
	byResource := map[[2]string][]int{} // places in out
	type verbOf struct {
		place int
		verb  string
	}
	seen := map[verbOf]bool{}
	add := func(group, resource, verb string, names []string) {
		key := [2]string{group, resource}
		for _, i := range byResource[key] {
			if p := &out[i]; len(p.Names) == len(names) && (len(names) == 0 || sameList(p.Names, names) || slices.Equal(p.Names, names)) {
				if !seen[verbOf{i, verb}] {
					seen[verbOf{i, verb}] = true
					p.Verbs = append(p.Verbs, verb)
				}
				return
			}
		}
		seen[verbOf{len(out), verb}] = true
		byResource[key] = append(byResource[key], len(out))
		out = append(out, Permission{APIGroup: group, Resource: resource, Verbs: []string{verb}, Names: names})
	}
	byAtom := map[int][]part{}
	for _, p := range m.sortedParts() {
		if !budget.spend(1) {
			return nil
		}
		byAtom[p.atom] = append(byAtom[p.atom], p)
	}
	c.byID[capability].each(func(i int) {
		a := &c.atoms[i]
		var all []string // that matter
		if a.name != "" {
			all = []string{a.name}
		}
		if m.full.has(i) {
			add(a.group, a.resource, a.verb, all)
			return
		}
		for _, p := range byAtom[i] {
			names := m.parts[p]
			if names == nil {
				names = all
			}
			add(p.group, p.resource, p.verb, names)
		}
	})
	return out
}
