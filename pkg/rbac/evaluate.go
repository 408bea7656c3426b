package rbac

import (
	"hash/maphash"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
)

// scopeKey is a mask inside of a namespace, in any namespace (`*`), or outside of
// all (empty).
type scopeKey struct {
	mask      *mask
	namespace string
}

// scope returns what of a mask can be held in a namespace; an empty one is the
// cluster. The result must not be changed.
func (v *view) scope(m *mask, namespace string) *mask {
	key, atoms := scopeKey{mask: m, namespace: namespace}, v.caps.local
	switch {
	case namespace == "":
		atoms = v.caps.cluster
	case !m.own:
		key.namespace = wildcard
	}
	out := v.memo.scoped[key]
	if out == nil {
		b := v.builder()
		v.caps.localize(b, m, namespace, atoms)
		out = b.mask()
		v.memo.scoped[key] = out
	}
	return out
}

// origins is where an aggregate has its rules from: rules of roles that it reaches
// and that are no aggregates themselves, by hash.
type origins struct {
	nodes  []node
	byHash map[uint64][]origin
}

// origin is a rule of one of the roles that a role reaches.
type origin struct {
	node, rule int
}

// originsOf finds them. The aggregation controller copies rules, so that the same
// one is in the aggregate and where it comes from.
func (v *view) originsOf(key roleKey) *origins {
	if o := v.memo.copied[key]; o != nil {
		return o
	}
	o := &origins{nodes: v.reached(key), byHash: map[uint64][]origin{}}
	for i, n := range o.nodes {
		def := v.definition(n.key)
		if def == nil || def.aggregate {
			continue
		}
		rules := def.rules.list()
		if !v.budget.spend(def.rules.words()) || !v.budget.hold(bytesOfOrigin*len(rules)) {
			break
		}
		for j := range rules {
			h := hashRules(rules[j : j+1])
			o.byHash[h] = append(o.byHash[h], origin{node: i, rule: j})
		}
	}
	v.memo.copied[key] = o
	return o
}

const bytesOfOrigin = 64

// of lists where a rule of the aggregate comes from.
func (o *origins) of(v *view, rule *rbacv1.PolicyRule) []origin {
	var out []origin
	for _, from := range o.byHash[hashRules([]rbacv1.PolicyRule{*rule})] {
		if equalRules(v.definition(o.nodes[from.node].key).rules.list()[from.rule], *rule) {
			out = append(out, from)
		}
	}
	return out
}

type givingKey struct {
	role      roleKey
	namespace string
	mask      *mask
}

// maxGivers bounds the rules that are named as the way by which somebody gets one
// thing.
const maxGivers = 64

// giving are the rules by which a role gives something of m in a namespace. A rule
// that the aggregation controller has copied is named where it comes from.
func (v *view) giving(key roleKey, namespace string, m *mask) []origin {
	at := givingKey{role: key, namespace: namespace, mask: m}
	out, there := v.memo.givers[at]
	if there {
		return out
	}
	nodes := v.reached(key)
	test := v.caps.giveTest(m, namespace, v.budget)
	for i, n := range nodes {
		def := v.definition(n.key)
		if def == nil || !def.rules.mask(v.caps, v.budget).overlapsRoughly(m) {
			continue
		}
		rules := def.rules.list()
		for j := range rules {
			if !v.budget.spend(1) || len(out) >= maxGivers {
				break
			}
			if !test.gives(&rules[j], len(rules)) || def.aggregate && len(v.originsOf(key).of(v, &rules[j])) > 0 {
				continue
			}
			out = append(out, origin{node: i, rule: j})
		}
	}
	v.memo.givers[at] = out
	return out
}

// paths are the ways by which uses give a subject something of m in a namespace, at
// most `most` of them.
func (v *view) paths(subj Subject, list []use, namespace string, m *mask, most int) []Path {
	var out []Path
	for _, u := range list {
		if !v.scope(v.mask(u.role), namespace).overlaps(m) {
			continue
		}
		for _, r := range v.giving(u.role, namespace, m) {
			if len(out) == most {
				return out
			}
			out = append(out, Path{Binding: u.binding, Subject: subj, Role: u.role.ref(), Through: through(v.reached(u.role), r.node), Rule: r.rule})
		}
	}
	slices.SortFunc(out, comparePaths)
	return out
}

// share is what a mask has of one capability.
type share struct {
	capability  int
	mask        *mask
	permissions []Permission
}

// split divides a mask by capabilities. A changed role gives most who are bound to
// it the same, so the answers are remembered.
func (v *view) split(total *mask) []share {
	key := total.key()
	if out, there := v.memo.shares[key]; there && key != "" {
		return out
	}
	var out []share
	for i := range v.caps.ids {
		b := v.builder()
		v.caps.localize(b, total, "", v.caps.byID[i])
		if m := b.mask(); !m.empty() {
			out = append(out, share{capability: i, mask: m, permissions: v.caps.permissions(m, i, v.budget)})
		}
	}
	if key != "" {
		v.memo.shares[key] = out
	}
	return out
}

// hashRules is the same for equal lists of rules.
func hashRules(rules []rbacv1.PolicyRule) uint64 {
	var h maphash.Hash
	h.SetSeed(ruleSeed)
	for i := range rules {
		for _, list := range fieldsOf(&rules[i]) {
			for _, s := range *list {
				_, _ = h.WriteString(s)
				_ = h.WriteByte(0)
			}
			_ = h.WriteByte(1)
		}
	}
	return h.Sum64()
}
