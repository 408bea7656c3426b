package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// giveTest tells which rules give something of a mask, without working out what
// else they give.
type giveTest struct {
	c         *Capabilities
	wanted    *mask
	any       bitset // atoms of wanted
	patterns  []int  // those with a wildcard
	namespace string
	budget    *budget
	scratch   [3]bitset
}

func (c *Capabilities) giveTest(wanted *mask, namespace string, b *budget) *giveTest {
	t := &giveTest{c: c, wanted: wanted, any: slices.Clone(wanted.full), namespace: namespace, budget: b}
	t.any.or(wanted.some)
	for _, i := range c.patterns {
		if t.any.has(i) {
			t.patterns = append(t.patterns, i)
		}
	}
	for i := range t.scratch {
		t.scratch[i] = make(bitset, c.words)
	}
	return t
}

// gives reports whether one of n rules gives something of the mask.
func (t *giveTest) gives(rule *rbacv1.PolicyRule, n int) bool {
	t.budget.spend(wordsOf(rule) / wordsPerStep)
	matched := t.c.lookup(t.scratch[0], t.c.groups, rule.APIGroups)
	matched.and(t.c.lookup(t.scratch[1], t.c.verbs, rule.Verbs))
	matched.and(t.c.lookup(t.scratch[2], t.c.resources, rule.Resources))
	matched.and(t.any)
	if matched.empty() && len(t.patterns) == 0 {
		return false
	}
	if len(rule.ResourceNames) == 0 && !matched.empty() {
		return true
	}
	names := sortedNames(rule.ResourceNames)
	found := false
	matched.each(func(i int) { found = found || t.givesNamed(i, names) })
	if found || len(t.patterns) == 0 {
		return found
	}
	b := t.c.builder()
	b.limit, b.budget = max(1, maxPieces/n), t.budget
	for _, i := range t.patterns {
		b.addPattern(i, rule, names)
	}
	local := t.c.builder()
	t.c.localize(local, b.mask(), t.namespace, t.any)
	return local.mask().overlaps(t.wanted)
}

// givesNamed reports whether names give something of an atom without wildcards.
func (t *giveTest) givesNamed(i int, names []string) bool {
	a := &t.c.atoms[i]
	p := part{atom: i, group: a.group, resource: a.resource, verb: a.verb}
	effective, ok := effectiveNames(a, p, names)
	switch {
	case !ok:
		return false
	case a.scope == OwnNamespace && effective != nil:
		return t.namespace == "" || contains(effective, t.namespace)
	case effective == nil || t.wanted.full.has(i):
		return true
	}
	wanted, there := t.wanted.parts[p]
	return there && (wanted == nil || meetNames(effective, wanted))
}

// wordsPerStep is how many words of a rule are compared in one step.
const wordsPerStep = 4

func wordsOf(rule *rbacv1.PolicyRule) int {
	return len(rule.Verbs) + len(rule.APIGroups) + len(rule.Resources) + len(rule.ResourceNames)
}

func sortedNames(names []string) []string {
	if len(names) < 2 {
		return names
	}
	names = slices.Clone(names)
	slices.SortFunc(names, strings.Compare)
	return slices.Compact(names)
}
