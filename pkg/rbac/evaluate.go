package rbac

import (
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
	out := v.scoped[key]
	if out == nil {
		if namespace != "" {
			m = v.caps.localize(m, namespace)
		}
		out = v.caps.restrict(m, atoms)
		v.scoped[key] = out
	}
	return out
}

// heldWide is what ClusterRoleBindings that name a subject give it.
func (v *view) heldWide(subj Subject) *held {
	h := v.wide[subj]
	if h == nil {
		h = newHeld(v.caps.words)
		for _, u := range v.wideUses(subj) {
			h.add(v.mask(u.role))
		}
		v.wide[subj] = h
	}
	return h
}

// held is what a subject holds in a namespace, by its implicit groups, too; an
// empty namespace is the cluster.
func (v *view) held(subj Subject, namespace string) *held {
	h := newHeld(v.caps.words)
	v.addHeld(h, subj, namespace)
	for _, name := range subj.ImplicitGroups() {
		v.addHeld(h, Group(name), namespace)
	}
	return h
}

func (v *view) addHeld(h *held, subj Subject, namespace string) {
	wide := v.heldWide(subj)
	h.full.or(wide.full)
	for _, m := range wide.parts {
		h.add(v.scope(m, namespace))
	}
	if namespace == "" {
		return
	}
	for _, u := range v.localUses(subj, namespace) {
		h.add(v.scope(v.mask(u.role), namespace))
	}
}

// ruleGrant is what one rule gives to those who are bound to a role.
type ruleGrant struct {
	through []string
	rule    int
	mask    *mask
}

// ruleGrants are the rules by which a role holds something. A rule that the
// aggregation controller has copied is named where it comes from.
func (v *view) ruleGrants(key roleKey) []ruleGrant {
	out, there := v.rules[key]
	if there {
		return out
	}
	reached := reach(key, v.members)
	for _, node := range reached {
		def := v.definition(node.key)
		if def == nil {
			continue
		}
		for i := range def.rules.list() {
			rule := &def.rules.list()[i]
			m := v.caps.ruleMask(rule, len(def.rules.list()))
			if m.empty() || def.aggregate && len(v.sources(reached, rule)) > 0 {
				continue
			}
			out = append(out, ruleGrant{through: node.through, rule: i, mask: m})
		}
	}
	v.rules[key] = out
	return out
}

// node is a ClusterRole that an aggregate reaches, and the way there.
type node struct {
	key     roleKey
	through []string // names, the last of which is key's; empty for the start
}

// reach is closure with the way to each.
func reach(key roleKey, next func(roleKey) []roleKey) []node {
	out := []node{{key: key}}
	seen := map[roleKey]bool{key: true}
	for i := 0; i < len(out); i++ {
		for _, k := range next(out[i].key) {
			if !seen[k] {
				seen[k] = true
				out = append(out, node{key: k, through: append(slices.Clone(out[i].through), k.name)})
			}
		}
	}
	return out
}

// source is where an aggregate has a rule from.
type source struct {
	through []string
	rule    int
}

// sources finds, among the roles that an aggregate reaches, those that are no
// aggregates themselves and have a rule.
func (v *view) sources(reached []node, rule *rbacv1.PolicyRule) []source {
	var out []source
	for _, n := range reached {
		def := v.definition(n.key)
		if def == nil || def.aggregate {
			continue
		}
		for i, r := range def.rules.list() {
			if equalRules(r, *rule) {
				out = append(out, source{through: n.through, rule: i})
			}
		}
	}
	return out
}

// giver is a binding that gives a subject, or one of its groups, something.
type giver struct {
	use

	subject Subject
	mask    *mask // what it gives, in the namespace that is looked at
}

// grants says what a subject has of total in a namespace: one grant for each
// capability of which it has something.
func (v *view) grants(subj Subject, namespace string, total *mask, givers []giver) []Grant {
	shares := v.split(total)
	out := make([]Grant, 0, len(shares))
	for _, s := range shares {
		g := Grant{Subject: subj, Namespace: namespace, Capability: v.caps.ids[s.capability], Permissions: s.permissions}
		for _, from := range givers {
			if !from.mask.overlaps(s.mask) {
				continue
			}
			for _, r := range v.giving(from.role, namespace, s.mask) {
				g.Paths = append(g.Paths, Path{Binding: from.binding, Subject: from.subject, Role: from.role.ref(), Through: r.through, Rule: r.rule})
			}
		}
		slices.SortFunc(g.Paths, comparePaths)
		out = append(out, g)
	}
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
	if out, there := v.shares[key]; there && key != "" {
		return out
	}
	var out []share
	for i := range v.caps.ids {
		if m := v.caps.restrict(total, v.caps.byID[i]); !m.empty() {
			out = append(out, share{capability: i, mask: m, permissions: v.caps.permissions(m, i)})
		}
	}
	if key != "" {
		v.shares[key] = out
	}
	return out
}

type givingKey struct {
	role      roleKey
	namespace string
	mask      *mask
}

// giving are the rules by which a role gives something of m in a namespace.
func (v *view) giving(key roleKey, namespace string, m *mask) []ruleGrant {
	at := givingKey{role: key, namespace: namespace, mask: m}
	out, there := v.givers[at]
	if there {
		return out
	}
	for _, r := range v.ruleGrants(key) {
		if v.scope(r.mask, namespace).overlaps(m) {
			out = append(out, r)
		}
	}
	v.givers[at] = out
	return out
}
