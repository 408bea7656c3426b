package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// maxPieces bounds what one rule may add to an atom with wildcards, so that a rule
// with thousands of groups, resources and verbs costs no more than its size. A
// rule beyond it counts as holding every resource.
const maxPieces = 4096

// rulesMask is what a list of rules holds of the capabilities.
func (c *Capabilities) rulesMask(rules []rbacv1.PolicyRule) *mask {
	m := &mask{full: make(bitset, c.words)}
	scratch := [3]bitset{make(bitset, c.words), make(bitset, c.words), make(bitset, c.words)}
	for i := range rules {
		c.addRule(m, &rules[i], &scratch)
	}
	m.tidy()
	return m
}

func (c *Capabilities) addRule(m *mask, rule *rbacv1.PolicyRule, scratch *[3]bitset) {
	names := rule.ResourceNames
	if len(names) > 0 {
		names = slices.Clone(names)
		slices.Sort(names)
		names = slices.Compact(names)
	}
	matched := c.lookup(scratch[0], c.groups, rule.APIGroups)
	matched.and(c.lookup(scratch[1], c.verbs, rule.Verbs))
	matched.and(c.lookup(scratch[2], c.resources, rule.Resources))
	if len(names) == 0 {
		m.full.or(matched)
	} else {
		matched.each(func(i int) {
			a := &c.atoms[i]
			c.addPiece(m, i, part{atom: i, group: a.group, resource: a.resource, verb: a.verb}, names)
		})
	}
	for _, i := range c.patterns {
		c.addPattern(m, i, rule, names)
	}
}

// lookup unites the atoms of every string of the list in out.
func (c *Capabilities) lookup(out bitset, table map[string]bitset, list []string) bitset {
	clear(out)
	for _, s := range list {
		if s == wildcard {
			copy(out, c.exact)
			return out
		}
		out.or(table[s])
	}
	return out
}

// addPattern adds what a rule holds of an atom with wildcards: the atom in whole
// where the rule has a wildcard, too, and otherwise what the rule spells out.
func (c *Capabilities) addPattern(m *mask, i int, rule *rbacv1.PolicyRule, names []string) {
	a := &c.atoms[i]
	groups := meet(rule.APIGroups, a.group, func(g string) (string, bool) { return meetExact(g, a.group) })
	verbs := meet(rule.Verbs, a.verb, func(v string) (string, bool) { return meetVerb(v, a.verb) })
	if len(groups) == 0 || len(verbs) == 0 {
		return
	}
	resources := meet(rule.Resources, a.resource, func(r string) (string, bool) { return meetResource(r, a.resource) })
	if len(groups)*len(verbs)*len(resources) > maxPieces {
		resources = []string{a.resource}
		if len(groups)*len(verbs) > maxPieces {
			groups = []string{a.group}
		}
	}
	for _, group := range groups {
		for _, resource := range resources {
			for _, verb := range verbs {
				c.addPiece(m, i, part{atom: i, group: group, resource: resource, verb: verb}, names)
			}
		}
	}
}

// meet returns what the strings of a rule leave of an atom's field; only the whole
// when one of them leaves that.
func meet(list []string, whole string, f func(string) (string, bool)) []string {
	var out []string
	for _, s := range list {
		got, ok := f(s)
		switch {
		case !ok:
		case got == whole:
			return []string{whole}
		default:
			out = append(out, got)
		}
	}
	return out
}

func meetExact(s, field string) (string, bool) {
	if s == wildcard {
		return field, true
	}
	return s, s == field || field == wildcard
}

func meetVerb(s, field string) (string, bool) {
	if s == wildcard {
		return field, true
	}
	if prefix, ok := strings.CutSuffix(field, wildcard); ok {
		return s, strings.HasPrefix(s, prefix)
	}
	return s, s == field
}

func meetResource(s, field string) (string, bool) {
	if s == wildcard {
		return field, true
	}
	resource, sub, found := strings.Cut(s, "/")
	switch {
	case resource == "" || sub == wildcard || found && sub == "":
		return "", false // pods/* matches nothing, and no resource is called pods/
	case s == field:
		return field, true
	case field == wildcard:
		return s, true
	}
	fieldResource, fieldSub, fieldFound := strings.Cut(field, "/")
	if !found || !fieldFound {
		return "", false
	}
	switch {
	case fieldSub == wildcard && resource == wildcard:
		return fieldResource + "/" + sub, true
	case fieldSub == wildcard:
		return s, resource == fieldResource
	case sub != fieldSub:
		return "", false
	case resource == wildcard:
		return field, true
	default:
		return s, fieldResource == wildcard
	}
}

// addPiece adds a piece for the names of a rule (sorted; none is every name), or
// the whole atom when that is what it amounts to.
func (c *Capabilities) addPiece(m *mask, i int, p part, names []string) {
	a := &c.atoms[i]
	effective, ok := effectiveNames(a, p, names)
	switch {
	case !ok:
	case effective == nil && p.group == a.group && p.resource == a.resource && p.verb == a.verb:
		m.full.set(i)
	default:
		m.addPart(p, effective, a.scope == OwnNamespace && effective != nil)
	}
	if prefix, found := strings.CutSuffix(p.verb, wildcard); found && a.scope != OwnNamespace && isNameless(names) {
		// Among the verbs of the wildcard are some that the empty name gives.
		for _, verb := range verbsWithoutName {
			if strings.HasPrefix(verb, prefix) {
				p.verb = verb
				c.addPiece(m, i, p, names)
			}
		}
	}
}

// verbsWithoutName are the verbs of requests that can carry no name.
var verbsWithoutName = []string{"create", "deletecollection", "list", "watch"}

// isNameless reports whether names (sorted) have the empty one, which matches the
// requests without a name.
func isNameless(names []string) bool { return len(names) > 0 && names[0] == "" }

// effectiveNames says for which objects a rule with these names holds a piece; nil
// is all that matter, and false means none.
func effectiveNames(a *atom, p part, names []string) ([]string, bool) {
	nameless := isNameless(names)
	switch {
	case len(names) == 0:
		return nil, true
	case namesNothing(p.resource, p.verb):
		return nil, nameless
	case readsMany(p.verb) && nameless:
		return nil, true
	case a.name != "":
		return nil, contains(names, a.name)
	case nameless:
		return names[1:], len(names) > 1
	}
	return names, true
}

// namesNothing reports whether requests with the verb never carry a name: those
// that create an object, or delete a collection. Create of a subresource names
// its object, and a resource of `*` may be one.
func namesNothing(resource, verb string) bool {
	return verb == "deletecollection" || verb == "create" && resource != wildcard && !strings.Contains(resource, "/")
}

// readsMany reports whether requests with the verb carry a name only when the
// client adds a field selector on metadata.name.
func readsMany(verb string) bool { return verb == "list" || verb == "watch" }
