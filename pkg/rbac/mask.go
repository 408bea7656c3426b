package rbac

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
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

func (b bitset) appendTo(raw []byte) []byte {
	for _, w := range b {
		raw = binary.LittleEndian.AppendUint64(raw, w)
	}
	return raw
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
	for i := range min(len(b), len(o)) {
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
	// some has the atoms of parts; nil when there are none.
	some bitset
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

func (m *mask) sortedParts() []part {
	if len(m.parts) == 0 {
		return nil
	}
	return slices.SortedFunc(maps.Keys(m.parts), func(a, b part) int {
		return cmp.Or(cmp.Compare(a.atom, b.atom), strings.Compare(a.group, b.group),
			strings.Compare(a.resource, b.resource), strings.Compare(a.verb, b.verb))
	})
}

// maxKeyed bounds the pieces of a mask that has a key.
const maxKeyed = 32

// key is the same for masks that hold the same; empty for one with many pieces or
// names.
func (m *mask) key() string {
	if len(m.parts) > maxKeyed {
		return ""
	}
	raw := m.full.appendTo(nil)
	word := func(s string) {
		raw = binary.AppendUvarint(raw, uint64(len(s)))
		raw = append(raw, s...)
	}
	for _, p := range m.sortedParts() {
		names := m.parts[p]
		if len(names) > maxKeyed {
			return ""
		}
		raw = binary.AppendUvarint(raw, uint64(p.atom)) //nolint:gosec // an index
		word(p.group)
		word(p.resource)
		word(p.verb)
		raw = binary.AppendUvarint(raw, uint64(len(names)))
		for _, n := range names {
			word(n)
		}
	}
	return string(raw)
}

// held is what somebody holds by several roles. Whole atoms are united at once;
// pieces are looked at only when a piece is asked for.
type held struct {
	full  bitset
	parts []*mask
}

func newHeld(words int) *held { return &held{full: make(bitset, words)} }

// maxHeld is how many masks with pieces are looked through one by one.
const maxHeld = 8

func (h *held) add(m *mask, v *view) {
	h.full.or(m.full)
	if len(m.parts) == 0 || slices.Contains(h.parts, m) {
		return
	}
	h.parts = append(h.parts, m)
	if len(h.parts) < maxHeld*maxHeld {
		return
	}
	all := v.builder()
	for _, m := range h.parts {
		all.addMask(m)
	}
	h.parts = []*mask{all.mask()}
}

// lacks returns what of m is not in h; nil when there is nothing.
func (v *view) lacks(h *held, m *mask) *mask {
	rest := v.builder()
	rest.m.full.or(m.full)
	rest.m.full.andNot(h.full)
	for p, names := range m.parts {
		if h.full.has(p.atom) || !v.budget.spend(1+len(h.parts)) {
			continue
		}
		switch have, all := v.caps.namesHeld(h, p); {
		case all:
		case names == nil || len(have) == 0:
			rest.add(p, names) // some names are not all
		case len(have) == 1:
			// Pieces that come from the same rules share their names.
			pair := namesPair{&names[0], &have[0][0], len(names), len(have[0])}
			left, done := v.memo.without[pair]
			if !done {
				v.budget.spend((len(names) + len(have[0])) / wordsPerStep)
				left = without(names, have[0])
				v.budget.hold(bytesOfWord * len(left))
				v.memo.without[pair] = left
			}
			if len(left) > 0 {
				rest.add(p, left)
			}
		default:
			v.spendOn(have)
			if left := without(names, unite(have)); len(left) > 0 {
				rest.add(p, left)
			}
		}
	}
	if out := rest.mask(); !out.empty() {
		return out
	}
	return nil
}

// namesPair are two lists of names, by their place in memory.
type namesPair struct {
	a, b       *string
	lenA, lenB int
}

func (v *view) spendOn(lists [][]string) {
	for _, l := range lists {
		v.budget.spend(len(l))
		v.budget.hold(bytesOfWord * len(l))
	}
}

const bytesOfWord = 16

// namesHeld returns the lists of names for which a piece is held, or true when it
// is for all.
func (c *Capabilities) namesHeld(h *held, p part) (names [][]string, all bool) {
	if len(h.parts) == 0 {
		return nil, false
	}
	// What covers p has, in each respect, the same or a wildcard: a handful of
	// look-ups, however much is held.
	a := &c.atoms[p.atom]
	resources := wider(p.resource, a.resource)
	if _, sub, found := strings.Cut(p.resource, "/"); found {
		if every := wildcard + "/" + sub; every != p.resource && every != a.resource {
			resources = append(resources, every)
		}
	}
	groups, verbs := wider(p.group, a.group), wider(p.verb, a.verb)
	for _, m := range h.parts {
		for _, group := range groups {
			for _, verb := range verbs {
				for _, resource := range resources {
					have, there := m.parts[part{atom: p.atom, group: group, resource: resource, verb: verb}]
					if there && have == nil {
						return nil, true
					}
					if there {
						names = append(names, have)
					}
				}
			}
		}
	}
	return names, false
}

func wider(special, whole string) []string {
	if special == whole {
		return []string{whole}
	}
	return []string{special, whole}
}

// localize adds to b what of m is in atoms. In a namespace, the names of Namespace
// objects are resolved: there a rule that names it holds in whole, and one that names
// others holds nothing.
func (c *Capabilities) localize(b *builder, m *mask, namespace string, atoms bitset) {
	b.m.full.or(m.full)
	b.m.full.and(atoms)
	for p, names := range m.parts {
		if !atoms.has(p.atom) || !b.budget.spend(1) {
			continue
		}
		a := &c.atoms[p.atom]
		switch {
		case a.scope != OwnNamespace || namespace == "":
			b.add(p, names)
		case names != nil && !contains(names, namespace):
		case p.group == a.group && p.resource == a.resource && p.verb == a.verb:
			b.m.full.set(p.atom)
		default:
			b.add(p, nil)
		}
	}
}

// overlapsRoughly reports whether m has something of an atom of o.
func (m *mask) overlapsRoughly(o *mask) bool {
	return m.full.intersects(o.full) || m.full.intersects(o.some) || m.some.intersects(o.full) || m.some.intersects(o.some)
}

// maxCompared bounds the pieces that overlaps compares one by one.
const maxCompared = 1 << 14

// overlaps reports whether m gives something of o. For masks with thousands of
// pieces it is content with the same atom: it only chooses paths to show.
func (m *mask) overlaps(o *mask) bool {
	switch {
	case m.full.intersects(o.full) || m.full.intersects(o.some):
		return true
	case !m.some.intersects(o.some):
		return false
	case len(m.parts)*len(o.parts) > maxCompared:
		return true
	}
	for p, names := range m.parts {
		for q, wanted := range o.parts {
			if p.atom == q.atom && (p == q || p.sharesWith(q)) && (names == nil || wanted == nil || meetNames(names, wanted)) {
				return true
			}
		}
	}
	return false
}

// meetNames reports whether two sorted lists have a name in common.
func meetNames(a, b []string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return slices.ContainsFunc(a, func(n string) bool { return contains(b, n) })
}

// sharesWith is a rough test, for paths only: two pieces of one atom have
// something in common unless they differ in a field that is exact in both.
func (p part) sharesWith(q part) bool {
	same := func(a, b string) bool {
		return a == b || strings.Contains(a, wildcard) || strings.Contains(b, wildcard)
	}
	return same(p.group, q.group) && same(p.resource, q.resource) && same(p.verb, q.verb)
}

// hash is the same for masks that hold the same, however many pieces they have.
func (v *view) hash(m *mask) uint64 {
	var h maphash.Hash
	h.SetSeed(ruleSeed)
	_, _ = h.Write(m.full.appendTo(nil))
	for _, p := range m.sortedParts() {
		maphash.WriteComparable(&h, p)
		maphash.WriteComparable(&h, v.hashNames(m.parts[p]))
	}
	return h.Sum64()
}

// hashNames hashes a list once, however many pieces have it.
func (v *view) hashNames(names []string) uint64 {
	if names == nil {
		return 0
	}
	key := namesPair{a: &names[0], lenA: len(names)}
	hash, done := v.memo.hashes[key]
	if !done {
		v.budget.spend(1 + len(names)/wordsPerStep)
		var h maphash.Hash
		h.SetSeed(ruleSeed)
		for _, n := range names {
			_, _ = h.WriteString(n)
			_ = h.WriteByte(0)
		}
		hash = h.Sum64() | 1
		v.memo.hashes[key] = hash
	}
	return hash
}
