package rbac

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// bitset has one bit for each atom of the capabilities.
type bitset []uint64

func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }

func (b bitset) or(o bitset) {
	for i := range o {
		b[i] |= o[i]
	}
}

func (b bitset) and(o bitset) {
	for i := range b {
		b[i] &= o[i]
	}
}

func (b bitset) andNot(o bitset) {
	for i := range o {
		b[i] &^= o[i]
	}
}

func (b bitset) empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

func (b bitset) intersects(o bitset) bool {
	for i := range b {
		if b[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

// each calls f with every bit that is set, in order.
func (b bitset) each(f func(i int)) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			f(w*64 + bits.TrailingZeros64(word))
		}
	}
}

// mask is what rules hold of the capabilities. Masks that others can see are
// never changed.
type mask struct {
	// full has the atoms that are held in whole.
	full bitset
	// parts has the pieces that are held of other atoms: for some names, or of
	// an atom with a wildcard for something that the wildcard matches. The
	// names are sorted and without doubles; nil is every name.
	parts map[part][]string
	// own is true when parts has names of Namespace objects, which mean
	// something else in each namespace.
	own bool
}

// part names a piece of an atom. Each field is the atom's own, when it is held in
// whole in this respect, or something more special.
type part struct {
	atom                  int
	group, resource, verb string
}

func (m *mask) empty() bool { return len(m.parts) == 0 && m.full.empty() }

// addPart adds names (sorted, nil for all) to what is held of p.
func (m *mask) addPart(p part, names []string, own bool) {
	if m.parts == nil {
		m.parts = map[part][]string{}
	}
	old, there := m.parts[p]
	switch {
	case !there:
		m.parts[p] = names
	case old == nil || names == nil:
		m.parts[p] = nil
	default:
		m.parts[p] = union(old, names)
	}
	m.own = m.own || own
}

// add makes m hold what o holds, too.
func (m *mask) add(o *mask) {
	m.full.or(o.full)
	for p, names := range o.parts {
		m.addPart(p, names, o.own)
	}
}

func (m *mask) sortedParts() []part {
	if len(m.parts) == 0 {
		return nil
	}
	return slices.SortedFunc(maps.Keys(m.parts), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.atom, b.atom), strings.Compare(a.group, b.group),
			strings.Compare(a.resource, b.resource), strings.Compare(a.verb, b.verb))
	})
}

// union merges two sorted lists without doubles.
func union(a, b []string) []string {
	out := make([]string, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(a[0], b[0]); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// without returns what a has and b has not; both are sorted.
func without(a, b []string) []string {
	var out []string
	for _, s := range a {
		for len(b) > 0 && b[0] < s {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != s {
			out = append(out, s)
		}
	}
	return out
}

// contains reports whether a sorted list has s.
func contains(sorted []string, s string) bool {
	_, found := slices.BinarySearch(sorted, s)
	return found
}

// held is what somebody holds by several roles. Whole atoms are united at once;
// pieces are looked at only when a piece is asked for.
type held struct {
	full  bitset
	parts []*mask
}

func newHeld(words int) *held { return &held{full: make(bitset, words)} }

func (h *held) add(m *mask) {
	h.full.or(m.full)
	if len(m.parts) > 0 {
		h.parts = append(h.parts, m)
	}
}

// lacks returns what of m is not in h; nil when there is nothing.
func (c *Capabilities) lacks(h *held, m *mask) *mask {
	rest := &mask{full: slices.Clone(m.full)}
	rest.full.andNot(h.full)
	for p, names := range m.parts {
		if h.full.has(p.atom) {
			continue
		}
		left, some := names, true
		for _, o := range h.parts {
			if left, some = c.lacksPart(o, p, left); !some {
				break
			}
		}
		if some {
			rest.addPart(p, left, c.atoms[p.atom].scope == OwnNamespace)
		}
	}
	if rest.empty() {
		return nil
	}
	return rest
}

// lacksPart returns the names of p that o does not hold, and false when it holds
// all of them.
func (c *Capabilities) lacksPart(o *mask, p part, names []string) ([]string, bool) {
	// What covers p has, in each respect, the same or a wildcard: a handful of
	// look-ups, however much o holds.
	a := &c.atoms[p.atom]
	resources := wider(p.resource, a.resource)
	if _, sub, found := strings.Cut(p.resource, "/"); found {
		if every := wildcard + "/" + sub; every != p.resource && every != a.resource {
			resources = append(resources, every)
		}
	}
	for _, group := range wider(p.group, a.group) {
		for _, verb := range wider(p.verb, a.verb) {
			for _, resource := range resources {
				have, there := o.parts[part{atom: p.atom, group: group, resource: resource, verb: verb}]
				if !there {
					continue
				}
				if have == nil {
					return nil, false
				}
				if names == nil {
					continue // some names are not all
				}
				if names = without(names, have); len(names) == 0 {
					return nil, false
				}
			}
		}
	}
	return names, true
}

func wider(special, whole string) []string {
	if special == whole {
		return []string{whole}
	}
	return []string{special, whole}
}

// restrict returns what of m is in atoms.
func (m *mask) restrict(atoms bitset) *mask {
	out := &mask{full: slices.Clone(m.full)}
	out.full.and(atoms)
	for p, names := range m.parts {
		if atoms.has(p.atom) {
			out.addPart(p, names, m.own)
		}
	}
	return out
}

// localize resolves the names of Namespace objects: in its own namespace a rule
// that names it holds in whole, and one that names others holds nothing.
func (c *Capabilities) localize(m *mask, namespace string) *mask {
	if !m.own {
		return m
	}
	out := &mask{full: slices.Clone(m.full)}
	for p, names := range m.parts {
		a := &c.atoms[p.atom]
		switch {
		case a.scope != OwnNamespace:
			out.addPart(p, names, false)
		case names != nil && !contains(names, namespace):
		case p.group == a.group && p.resource == a.resource && p.verb == a.verb:
			out.full.set(p.atom)
		default:
			out.addPart(p, nil, false)
		}
	}
	return out
}

// overlaps reports whether m gives something of o.
func (m *mask) overlaps(o *mask) bool {
	if m.full.intersects(o.full) {
		return true
	}
	for p := range o.parts {
		if m.full.has(p.atom) {
			return true
		}
	}
	for p, names := range m.parts {
		for q, wanted := range o.parts {
			if p.atom == q.atom && (p == q || p.sharesWith(q)) &&
				(names == nil || wanted == nil || slices.ContainsFunc(wanted, func(n string) bool { return contains(names, n) })) {
				return true
			}
		}
	}
	return false
}

// sharesWith is a rough test, for paths only: two pieces of one atom have
// something in common unless they differ in a field that is exact in both.
func (p part) sharesWith(q part) bool {
	same := func(a, b string) bool {
		return a == b || strings.Contains(a, wildcard) || strings.Contains(b, wildcard)
	}
	return same(p.group, q.group) && same(p.resource, q.resource) && same(p.verb, q.verb)
}

// tidy drops pieces of what is held in whole: they say nothing.
func (m *mask) tidy() {
	for p := range m.parts {
		if m.full.has(p.atom) {
			delete(m.parts, p)
		}
	}
}
