package rbac

import (
	"hash/maphash"
	"slices"
)

// builder unites masks, and what rules hold, at a cost that grows with what goes in
// and not with its square: names are put together once, at the end, and once for
// all atoms that have them from the same rules.
type builder struct {
	c     *Capabilities
	m     *mask
	lists map[part][][]string // names (sorted) that are still to be united
	made  map[uint64][]united
	limit int // of pieces that wildcards of rules may add

	budget *budget // nil for none
}

// bytesOfPiece is what a piece costs: in the map of the mask, and of its lists.
const bytesOfPiece = 160

// united remembers what became of some lists.
type united struct {
	lists [][]string
	names []string
}

func (c *Capabilities) builder() *builder {
	return &builder{c: c, m: &mask{full: make(bitset, c.words)}, limit: maxPieces}
}

// add adds names (sorted, nil for all) of a piece.
func (b *builder) add(p part, names []string) {
	if b.m.full.has(p.atom) {
		return
	}
	if b.m.parts == nil {
		b.m.parts = map[part][]string{}
	}
	if have, there := b.m.parts[p]; there && have == nil {
		return // all of them
	}
	if names == nil {
		delete(b.lists, p)
		b.m.parts[p] = nil
		return
	}
	if !b.budget.hold(bytesOfPiece) {
		return
	}
	b.m.parts[p] = names
	if b.lists == nil {
		b.lists = map[part][][]string{}
	}
	b.lists[p] = append(b.lists[p], names)
}

// addMask adds what another mask holds.
func (b *builder) addMask(m *mask) {
	b.m.full.or(m.full)
	for p, names := range m.parts {
		if !b.budget.spend(1) {
			return
		}
		b.add(p, names)
	}
}

// mask is everything that was added. The builder must not be used any more.
func (b *builder) mask() *mask {
	for p, lists := range b.lists {
		if len(lists) > 1 && !b.m.full.has(p.atom) {
			b.m.parts[p] = b.unite(lists)
		}
	}
	for p, names := range b.m.parts {
		if b.m.full.has(p.atom) {
			delete(b.m.parts, p) // a piece of what is held in whole says nothing
			continue
		}
		if b.m.some == nil {
			b.m.some = make(bitset, b.c.words)
		}
		b.m.some.set(p.atom)
		b.m.own = b.m.own || names != nil && b.c.atoms[p.atom].scope == OwnNamespace
	}
	return b.m
}

func (b *builder) unite(lists [][]string) []string {
	var h maphash.Hash
	h.SetSeed(ruleSeed)
	for _, l := range lists {
		maphash.WriteComparable(&h, &l[0])
	}
	key := h.Sum64()
	for _, u := range b.made[key] {
		if slices.EqualFunc(u.lists, lists, sameList) {
			return u.names
		}
	}
	for _, l := range lists {
		if !b.budget.spend(len(l)) || !b.budget.hold(bytesOfWord*len(l)) {
			return lists[0] // the evaluation fails
		}
	}
	u := united{lists: lists, names: unite(lists)}
	if b.made == nil {
		b.made = map[uint64][]united{}
	}
	b.made[key] = append(b.made[key], u)
	return u.names
}

// sameList reports whether two lists, neither empty, are one in memory.
func sameList(a, b []string) bool { return len(a) == len(b) && &a[0] == &b[0] }

// unite merges lists into one that is sorted and without doubles.
func unite(lists [][]string) []string {
	if len(lists) == 1 {
		return lists[0]
	}
	out := slices.Concat(lists...)
	slices.Sort(out)
	return slices.Compact(out)
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
