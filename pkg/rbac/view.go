package rbac

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
)

// view is a state as it would be with some objects replaced, added or removed. It
// lives for one evaluation, in one goroutine.
type view struct {
	s      *state
	caps   *Capabilities
	budget *budget

	roles    map[roleKey]*definition     // instead of the state's; nil when removed
	bindings map[ObjectRef]*bindingEntry // instead of the state's; nil when removed
	byRole   map[roleKey][]*bindingEntry // the same by the role that they name
	extra    *Additions                  // beside all of this; nil for none
	changed  ObjectRef                   // of which nothing is extra
	clusters []roleKey                   // ClusterRoles that are replaced or extra, each once
	touched  map[ObjectRef]bool          // extra objects that had a say

	memo memo
}

// memo is what a view has computed already.
type memo struct {
	masks  map[roleKey]*mask      // what roles hold
	scoped map[scopeKey]*mask     // the same inside of a namespace, or outside
	shares map[string][]share     // masks by capabilities
	reach  map[roleKey][]node     // what roles are made of
	copied map[roleKey]*origins   // where aggregates have their rules from
	givers map[givingKey][]origin // rules that give something

	without map[namesPair][]string // names of one list that another has not
	hashes  map[namesPair]uint64   // of lists of names
}

func (t *state) view(c *Capabilities, b *budget) *view {
	return &view{s: t, caps: c, budget: b, memo: memo{
		masks: map[roleKey]*mask{}, scoped: map[scopeKey]*mask{}, shares: map[string][]share{}, reach: map[roleKey][]node{},
		copied: map[roleKey]*origins{}, givers: map[givingKey][]origin{}, without: map[namesPair][]string{}, hashes: map[namesPair]uint64{},
	}}
}

// put makes the view have an object, instead of the state's own if it has one.
func (v *view) put(e entry) {
	if e.role == nil {
		v.putBinding(e.binding.reference, e.binding)
		return
	}
	def := e.role.definition()
	if have := v.s.definition(def.roleKey); have != nil && have.rules.equal(e.role.rules) {
		def.rules = have.rules // which knows already what it holds
	}
	v.putRole(def.roleKey, def)
}

// drop makes the view not have an object.
func (v *view) drop(ref ObjectRef) {
	switch ref.Kind {
	case KindRole:
		v.putRole(roleKey{namespace: ref.Namespace, name: ref.Name}, nil)
	case KindClusterRole:
		v.putRole(roleKey{name: ref.Name, cluster: true}, nil)
	default:
		v.putBinding(ref, nil)
	}
}

func (v *view) putRole(key roleKey, def *definition) {
	if v.roles == nil {
		v.roles = map[roleKey]*definition{}
	}
	if _, there := v.roles[key]; !there && key.cluster {
		v.clusters = append(v.clusters, key)
	}
	v.roles[key] = def
}

func (v *view) putBinding(ref ObjectRef, e *bindingEntry) {
	if v.bindings == nil {
		v.bindings = map[ObjectRef]*bindingEntry{}
	}
	v.bindings[ref] = e
}

// done ends the changes of a view. What is extra lies beside what is there, and
// hides none of it; of the object that is changed nothing is extra, because the
// change says what becomes of it.
func (v *view) done(extra *Additions, changed ObjectRef) {
	v.byRole = map[roleKey][]*bindingEntry{}
	for _, e := range v.bindings {
		if e != nil && e.grants {
			v.byRole[e.role] = append(v.byRole[e.role], e)
		}
	}
	if extra == nil {
		return
	}
	v.extra, v.changed, v.touched = extra, changed, map[ObjectRef]bool{}
	for _, key := range extra.clusters {
		if _, there := v.roles[key]; !there {
			v.clusters = append(v.clusters, key)
		}
	}
}

// hides reports whether the view has something else in the place of a binding of
// the state.
func (v *view) hides(b *binding) bool {
	if len(v.bindings) == 0 {
		return false
	}
	_, there := v.bindings[b.ref()]
	return there
}

// definition returns the role with a key; nil when it does not exist.
func (v *view) definition(key roleKey) *definition {
	if def, there := v.roles[key]; there {
		return def
	}
	return v.s.definition(key)
}

// extras are the definitions of a role beside the one that it has.
func (v *view) extras(key roleKey) []*definition {
	if v.extra == nil || key.ref() == v.changed {
		return nil
	}
	return v.extra.definitions[key]
}

// also are the same, when they are to have a say.
func (v *view) also(key roleKey) []*definition {
	list := v.extras(key)
	if len(list) > 0 {
		v.touched[key.ref()] = true
	}
	return list
}

// extraBindings are the bindings to a role beside those that there are.
func (v *view) extraBindings(key roleKey) []*bindingEntry {
	if v.extra == nil {
		return nil
	}
	list := v.extra.bindings[key]
	if slices.ContainsFunc(list, v.isChanged) {
		list = slices.DeleteFunc(slices.Clone(list), v.isChanged)
	}
	return list
}

func (v *view) isChanged(e *bindingEntry) bool { return e.reference == v.changed }

// definitions are all definitions of a role.
func (v *view) definitions(key roleKey) []*definition {
	also := v.also(key)
	def := v.definition(key)
	switch {
	case def == nil:
		return also
	case len(also) == 0:
		return []*definition{def}
	}
	return append([]*definition{def}, also...)
}

// exists reports whether there is a role with a key.
func (v *view) exists(key roleKey) bool { return v.definition(key) != nil || len(v.also(key)) > 0 }

// selects lists the ClusterRoles that a selector selects, sorted.
func (v *view) selects(s selector) []roleKey {
	list := v.s.selects(s, v.budget)
	if len(v.clusters) == 0 {
		return list
	}
	out := make([]roleKey, 0, len(list)+len(v.clusters))
	v.budget.spend(len(list) + stepsToMatch*len(v.clusters))
	for _, key := range list {
		if _, replaced := v.roles[key]; !replaced {
			out = append(out, key)
		}
	}
	for _, key := range v.clusters {
		if def := v.roles[key]; def != nil && s.matches.Matches(def.labels) {
			out = append(out, key)
			continue
		}
		if slices.ContainsFunc(v.extras(key), func(d *definition) bool { return s.matches.Matches(d.labels) }) {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, compareKeys)
	return slices.Compact(out)
}

// node is a role that an aggregate is made of, and how it is reached.
type node struct {
	key  roleKey
	from int // place of the one that selects it; -1 for the start
}

// reached are the roles of which a role is made, nearest first: itself, and when it
// is an aggregate what its selectors reach, through other aggregates too. Roles
// that aggregate each other in a circle are there once.
func (v *view) reached(key roleKey) []node {
	if out, there := v.memo.reach[key]; there {
		return out
	}
	out := []node{{key: key, from: -1}}
	var seen map[roleKey]bool
	var expanded map[string]bool // the same selector leads nowhere else
	for i := 0; i < len(out); i++ {
		for _, def := range v.definitions(out[i].key) {
			if !def.aggregate {
				continue
			}
			if seen == nil {
				seen, expanded = map[roleKey]bool{key: true}, map[string]bool{}
			}
			for _, s := range def.selectors {
				if expanded[s.text] {
					continue
				}
				expanded[s.text] = true
				list := v.selects(s)
				if !v.budget.spend(1+len(list)) || !v.budget.hold(bytesOfNode*len(list)) {
					return out
				}
				for _, k := range list {
					if !seen[k] {
						seen[k] = true
						out = append(out, node{key: k, from: i})
					}
				}
			}
		}
	}
	v.memo.reach[key] = out
	return out
}

const bytesOfNode = 100

// through names the roles on the way to a node, without the start.
func through(nodes []node, i int) []string {
	var out []string
	for ; nodes[i].from >= 0; i = nodes[i].from {
		out = append(out, nodes[i].key.name)
	}
	slices.Reverse(out)
	return out
}

// parents are a role and all aggregates that reach it, nearest first.
func (v *view) parents(key roleKey) []roleKey {
	out := []roleKey{key}
	if !key.cluster {
		return out
	}
	var rest []*definition // aggregates that are not found yet
	for d := range v.s.aggregates.all() {
		if _, replaced := v.roles[d.roleKey]; !replaced {
			rest = append(rest, d)
		}
	}
	for _, k := range v.clusters {
		if d := v.roles[k]; d != nil && d.aggregate {
			rest = append(rest, d)
		}
		rest = append(rest, v.extras(k)...)
	}
	slices.SortStableFunc(rest, func(a, b *definition) int { return compareKeys(a.roleKey, b.roleKey) })
	seen := map[roleKey]bool{key: true}
	for i := 0; i < len(out); i++ {
		var sets []labels.Set
		for _, d := range v.definitions(out[i]) {
			sets = append(sets, d.labels)
		}
		if !v.budget.spend(1 + stepsToMatch*len(rest)*len(sets)) {
			return out
		}
		rest = slices.DeleteFunc(rest, func(d *definition) bool {
			if seen[d.roleKey] {
				return true
			}
			if !d.aggregate || !slices.ContainsFunc(sets, d.selects) {
				return false
			}
			seen[d.roleKey] = true
			out = append(out, d.roleKey)
			return true
		})
	}
	return out
}

// mask is what a role holds, by aggregation too. The result must not be changed.
func (v *view) mask(key roleKey) *mask {
	if m := v.memo.masks[key]; m != nil {
		return m
	}
	m := v.caps.none
	nodes := v.reached(key)
	if defs := v.definitions(key); len(nodes) == 1 && len(defs) <= 1 {
		if len(defs) == 1 {
			m = defs[0].rules.mask(v.caps, v.budget)
		}
	} else {
		b := v.builder()
		for _, n := range nodes {
			for _, d := range v.definitions(n.key) {
				if !v.budget.spend(1) {
					return m
				}
				b.addMask(d.rules.mask(v.caps, v.budget))
			}
		}
		m = b.mask()
	}
	v.memo.masks[key] = m
	return m
}

func (v *view) builder() *builder {
	b := v.caps.builder()
	b.budget = v.budget
	return b
}

// use is a binding that names a subject, and the role that it gives.
type use struct {
	binding ObjectRef
	role    roleKey
}

// uses are the bindings that count for a subject in a namespace: ClusterRoleBindings,
// and those of the namespace; an empty one is the cluster.
func (v *view) uses(subj Subject, namespace string) []use {
	var out []use
	v.eachUse(subj, func(u use) {
		if u.binding.Namespace == "" || u.binding.Namespace == namespace {
			out = append(out, u)
		}
	})
	return out
}

// eachUse calls f with every binding that names a subject, those of other namespaces
// too.
func (v *view) eachUse(subj Subject, f func(use)) {
	if found := v.s.subjects.get(subj); found != nil {
		for _, list := range [2][]*binding{found.cluster, found.local} {
			if !v.budget.spend(len(list)) {
				return
			}
			for _, b := range list {
				if !v.hides(b) {
					f(use{binding: b.ref(), role: b.role})
				}
			}
		}
	}
	if !v.budget.spend(len(v.bindings)) {
		return
	}
	for _, e := range v.bindings {
		if e != nil && e.grants && e.names(subj) {
			f(use{binding: e.reference, role: e.role})
		}
	}
}

// names reports whether a binding names a subject.
func (e *bindingEntry) names(subj Subject) bool {
	_, found := slices.BinarySearchFunc(e.subjects, subj, compareSubjects)
	return found
}

func sameLabels(a, b map[string]string) bool { return maps.Equal(a, b) }

func sameSubjects(a, b []Subject) bool { return slices.Equal(a, b) }
