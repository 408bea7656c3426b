package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// maxPieces bounds what a role may add to atoms with wildcards, so that rules with
// thousands of groups, resources and verbs cost no more than their size. Beyond it
// a rule counts as holding every resource, and every group.
const maxPieces = 4096

// rulesMask is what a list of rules holds of the capabilities.
func (c *Capabilities) rulesMask(rules []rbacv1.PolicyRule, budget *budget) *mask {
	b := c.builder()
	b.budget = budget
	return b.rules(rules)
}

// named are the rules with names that match the same atoms: their names count
// together.
type named struct {
	atoms bitset
	names []string
}

func (b *builder) rules(rules []rbacv1.PolicyRule) *mask {
	c := b.c
	scratch := [3]bitset{make(bitset, c.words), make(bitset, c.words), make(bitset, c.words)}
	var byAtoms map[string]*named
	var order []*named
	var key []byte
	for i := range rules {
		rule := &rules[i]
		if !b.budget.spend(1 + wordsOf(rule)/wordsPerStep) {
			break
		}
		matched := c.lookup(scratch[0], c.groups, rule.APIGroups)
		matched.and(c.lookup(scratch[1], c.verbs, rule.Verbs))
		matched.and(c.lookup(scratch[2], c.resources, rule.Resources))
		if len(c.patterns) > 0 {
			b.addPatterns(rule)
		}
		if len(rule.ResourceNames) == 0 {
			b.m.full.or(matched)
			continue
		}
		matched.andNot(b.m.full)
		if matched.empty() {
			continue
		}
		key = matched.appendTo(key[:0])
		group := byAtoms[string(key)]
		if group == nil {
			if byAtoms == nil {
				byAtoms = map[string]*named{}
			}
			group = &named{atoms: slices.Clone(matched)}
			byAtoms[string(key)] = group
			order = append(order, group)
		}
		if !b.budget.hold(bytesOfWord * len(rule.ResourceNames)) {
			break
		}
		group.names = append(group.names, rule.ResourceNames...)
	}
	for _, group := range order {
		if !b.budget.spend(len(group.names)) {
			break
		}
		names := sortedNames(group.names)
		group.atoms.each(func(i int) {
			a := &c.atoms[i]
			if b.budget.spend(1) {
				b.addPiece(part{atom: i, group: a.group, resource: a.resource, verb: a.verb}, names)
			}
		})
	}
	return b.mask()
}

// addPatterns adds what a rule holds of the atoms with wildcards.
func (b *builder) addPatterns(rule *rbacv1.PolicyRule) {
	var names []string
	for n, i := range b.c.patterns {
		if n == 0 && len(rule.ResourceNames) > 0 {
			names = sortedNames(rule.ResourceNames)
		}
		b.addPattern(i, rule, names)
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
func (b *builder) addPattern(i int, rule *rbacv1.PolicyRule, names []string) {
	a := &b.c.atoms[i]
	if b.m.full.has(i) || !meets(rule.Verbs, a.verb, meetVerb) || !meets(rule.APIGroups, a.group, meetExact) || !meets(rule.Resources, a.resource, meetResource) {
		return
	}
	groups, verbs, resources := meet(rule.APIGroups, a.group, meetExact), meet(rule.Verbs, a.verb, meetVerb), meet(rule.Resources, a.resource, meetResource)
	if len(b.m.parts)+len(groups)*len(verbs)*len(resources) > b.limit {
		resources = []string{a.resource}
		if len(b.m.parts)+len(groups)*len(verbs) > b.limit {
			groups = []string{a.group}
		}
	}
	for _, group := range groups {
		for _, resource := range resources {
			for _, verb := range verbs {
				if b.budget.spend(1) {
					b.addPiece(part{atom: i, group: group, resource: resource, verb: verb}, names)
				}
			}
		}
	}
}

// meets reports whether a string of a rule leaves anything of an atom's field.
func meets(list []string, field string, f func(s, field string) (string, bool)) bool {
	for _, s := range list {
		if _, ok := f(s, field); ok {
			return true
		}
	}
	return false
}

// meet returns what the strings of a rule leave of an atom's field; only the whole
// when one of them leaves that.
func meet(list []string, whole string, f func(s, field string) (string, bool)) []string {
	var out []string
	for _, s := range list {
		got, ok := f(s, whole)
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
func (b *builder) addPiece(p part, names []string) {
	a := &b.c.atoms[p.atom]
	effective, ok := effectiveNames(a, p, names)
	switch {
	case !ok:
	case effective == nil && p.group == a.group && p.resource == a.resource && p.verb == a.verb:
		b.m.full.set(p.atom)
	default:
		b.add(p, effective)
	}
	if prefix, found := strings.CutSuffix(p.verb, wildcard); found && a.scope != OwnNamespace && isNameless(names) {
		// Among the verbs of the wildcard are some that the empty name gives.
		for _, verb := range verbsWithoutName {
			if strings.HasPrefix(verb, prefix) {
				p.verb = verb
				b.addPiece(p, names)
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
