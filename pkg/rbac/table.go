package rbac

import (
	"hash/maphash"
	"iter"
	"slices"
)

// table is an immutable set of things, each under a key that it knows itself. A
// change makes a new table, which shares with the old one all but the nodes on the
// way to what is changed: whoever holds a table goes on reading what it was. The
// zero table is empty.
//
// It is a tree of hashes with leaves of a few dozen things, which costs less memory
// than a map: about 20 bytes for each.
type table[K comparable, V keyed[K]] struct {
	root *tableNode[V]
	size int
}

// keyed is something that is found by its key.
type keyed[K comparable] interface {
	comparable

	tableKey() K
}

// tableNode is a leaf with things, or a branch.
type tableNode[V any] struct {
	// tags has a byte of the hash of each thing, so that a look-up reads hardly
	// any thing but the one that it looks for.
	tags   []byte
	things []V
	branch *[branches]*tableNode[V]
}

const (
	branches    = 4
	branchBits  = 2
	leafSize    = 32
	maxDepth    = 28 // of branches: the rest of the 64 bits is the tag
	tagShift    = 56
	mergedSize  = leafSize / 2 // branches with no more become a leaf again
	branchMask  = branches - 1
	tagByteMask = 0xff
)

var tableSeed = maphash.MakeSeed()

func hashKey[K comparable](key K) uint64 { return maphash.Comparable(tableSeed, key) }

func tagOf(hash uint64) byte { return byte(hash >> tagShift & tagByteMask) }

// get returns what has a key, the zero thing when nothing has.
func (t table[K, V]) get(key K) V {
	var none V
	if t.root == nil {
		return none
	}
	hash := hashKey(key)
	tag, n, path := tagOf(hash), t.root, hash
	for n != nil && n.branch != nil {
		n = n.branch[path&branchMask]
		path >>= branchBits
	}
	if n == nil {
		return none
	}
	for i, have := range n.tags {
		if have == tag && n.things[i].tableKey() == key {
			return n.things[i]
		}
	}
	return none
}

// with returns a table that has a thing, in the place of the one with its key.
func (t table[K, V]) with(thing V) table[K, V] {
	hash := hashKey(thing.tableKey())
	root, added := putNode[K](t.root, thing, thing.tableKey(), hash, 0)
	if added {
		t.size++
	}
	t.root = root
	return t
}

func putNode[K comparable, V keyed[K]](n *tableNode[V], thing V, key K, hash uint64, depth int) (*tableNode[V], bool) {
	if n == nil {
		return &tableNode[V]{tags: []byte{tagOf(hash)}, things: []V{thing}}, true
	}
	if n.branch != nil {
		to := hash >> (branchBits * depth) & branchMask
		child, added := putNode[K](n.branch[to], thing, key, hash, depth+1)
		next := *n.branch
		next[to] = child
		return &tableNode[V]{branch: &next}, added
	}
	tag := tagOf(hash)
	for i, have := range n.tags {
		if have == tag && n.things[i].tableKey() == key {
			things := slices.Clone(n.things)
			things[i] = thing
			return &tableNode[V]{tags: n.tags, things: things}, false
		}
	}
	size := len(n.things) + 1
	tags, things := make([]byte, size), make([]V, size)
	copy(tags, n.tags)
	copy(things, n.things)
	tags[size-1], things[size-1] = tag, thing
	if size <= leafSize || depth >= maxDepth {
		return &tableNode[V]{tags: tags, things: things}, true
	}
	return splitLeaf[K](tags, things, depth), true
}

// splitLeaf makes a branch of what is too much for a leaf.
func splitLeaf[K comparable, V keyed[K]](tags []byte, things []V, depth int) *tableNode[V] {
	var counts [branches]int
	places := make([]byte, len(things))
	for i, v := range things {
		to := hashKey(v.tableKey()) >> (branchBits * depth) & branchMask
		places[i] = byte(to)
		counts[to]++
	}
	var next [branches]*tableNode[V]
	for i, v := range things {
		to := places[i]
		child := next[to]
		if child == nil {
			child = &tableNode[V]{tags: make([]byte, 0, counts[to]), things: make([]V, 0, counts[to])}
			next[to] = child
		}
		child.tags, child.things = append(child.tags, tags[i]), append(child.things, v)
	}
	return &tableNode[V]{branch: &next}
}

// without returns a table that has nothing with a key.
func (t table[K, V]) without(key K) table[K, V] {
	root, removed := dropNode[K](t.root, key, hashKey(key), 0)
	if removed {
		t.root = root
		t.size--
	}
	return t
}

func dropNode[K comparable, V keyed[K]](n *tableNode[V], key K, hash uint64, depth int) (*tableNode[V], bool) {
	if n == nil {
		return nil, false
	}
	if n.branch != nil {
		to := hash >> (branchBits * depth) & branchMask
		child, removed := dropNode[K](n.branch[to], key, hash, depth+1)
		if !removed {
			return n, false
		}
		next := *n.branch
		next[to] = child
		return mergeBranch(&next), true
	}
	tag := tagOf(hash)
	for i, have := range n.tags {
		if have != tag || n.things[i].tableKey() != key {
			continue
		}
		if len(n.things) == 1 {
			return nil, true
		}
		return &tableNode[V]{
			tags:   slices.Concat(n.tags[:i], n.tags[i+1:]),
			things: slices.Concat(n.things[:i], n.things[i+1:]),
		}, true
	}
	return n, false
}

// mergeBranch makes a leaf of a branch that has become small.
func mergeBranch[V any](children *[branches]*tableNode[V]) *tableNode[V] {
	size := 0
	for _, c := range children {
		if c == nil {
			continue
		}
		if c.branch != nil {
			return &tableNode[V]{branch: children}
		}
		size += len(c.things)
	}
	switch {
	case size == 0:
		return nil
	case size > mergedSize:
		return &tableNode[V]{branch: children}
	}
	leaf := &tableNode[V]{tags: make([]byte, 0, size), things: make([]V, 0, size)}
	for _, c := range children {
		if c != nil {
			leaf.tags, leaf.things = append(leaf.tags, c.tags...), append(leaf.things, c.things...)
		}
	}
	return leaf
}

// all are the things, in no order.
func (t table[K, V]) all() iter.Seq[V] {
	return func(yield func(V) bool) { t.root.each(yield) }
}

func (n *tableNode[V]) each(yield func(V) bool) bool {
	if n == nil {
		return true
	}
	if n.branch != nil {
		for _, c := range n.branch {
			if !c.each(yield) {
				return false
			}
		}
		return true
	}
	for _, v := range n.things {
		if !yield(v) {
			return false
		}
	}
	return true
}
