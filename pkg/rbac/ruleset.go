package rbac

import (
	"hash/maphash"
	"slices"
	"sync/atomic"

	rbacv1 "k8s.io/api/rbac/v1"
)

// ruleset is a list of rules that all roles with the same rules share: charts and
// operators create the same Role in every namespace. It is immutable, but for
// what it remembers.
type ruleset struct {
	rules []rbacv1.PolicyRule
	hash  uint64
	refs  int // roles of the store that have it
	masks atomic.Pointer[cachedMask]
}

// cachedMask remembers what the rules hold of some capabilities. A process has one
// or two sets of capabilities, and a new one when its configuration changes, so
// the list is short and forgets the oldest.
type cachedMask struct {
	caps *Capabilities
	mask *mask
	next *cachedMask
}

const maxCachedMasks = 3

// mask is what the rules hold of the capabilities.
func (r *ruleset) mask(c *Capabilities, b *budget) *mask {
	if r == nil {
		return c.none
	}
	first := r.masks.Load()
	for m := first; m != nil; m = m.next {
		if m.caps == c {
			return m.mask
		}
	}
	made := &cachedMask{caps: c, mask: c.rulesMask(r.rules, b)}
	if b.over() != nil {
		return c.none // half of it is nothing to remember
	}
	last := made
	for m, n := first, 1; m != nil && n < maxCachedMasks; m, n = m.next, n+1 {
		last.next = &cachedMask{caps: m.caps, mask: m.mask}
		last = last.next
	}
	r.masks.Store(made) // when two do it at once, one is forgotten
	return made.mask
}

// words counts the strings of the rules.
func (r *ruleset) words() int {
	n := 0
	for i := range r.list() {
		n += wordsOf(&r.rules[i])
	}
	return n
}

// list returns the rules; a nil ruleset has none.
func (r *ruleset) list() []rbacv1.PolicyRule {
	if r == nil {
		return nil
	}
	return r.rules
}

func (r *ruleset) equal(rules []rbacv1.PolicyRule) bool {
	return slices.EqualFunc(r.list(), rules, equalRules)
}

// rulesets are the lists of rules that the store shares, by hash.
type rulesets map[uint64][]*ruleset

var ruleSeed = maphash.MakeSeed()

// intern returns the shared copy of the rules; nil when there are none.
func (s rulesets) intern(rules []rbacv1.PolicyRule) *ruleset {
	if len(rules) == 0 {
		return nil
	}
	hash := hashRules(rules)
	for _, r := range s[hash] {
		if r.equal(rules) {
			r.refs++
			return r
		}
	}
	r := &ruleset{rules: copyRules(rules), hash: hash, refs: 1}
	s[hash] = append(s[hash], r)
	return r
}

// release gives back what intern returned.
func (s rulesets) release(r *ruleset) {
	if r == nil {
		return
	}
	if r.refs--; r.refs > 0 {
		return
	}
	rest := slices.DeleteFunc(s[r.hash], func(o *ruleset) bool { return o == r })
	if len(rest) == 0 {
		delete(s, r.hash)
		return
	}
	s[r.hash] = rest
}

func equalRules(a, b rbacv1.PolicyRule) bool {
	other := fieldsOf(&b)
	for i, list := range fieldsOf(&a) {
		if !slices.Equal(*list, *other[i]) {
			return false
		}
	}
	return true
}

func fieldsOf(r *rbacv1.PolicyRule) [5]*[]string {
	return [5]*[]string{&r.Verbs, &r.APIGroups, &r.Resources, &r.ResourceNames, &r.NonResourceURLs}
}

// copyRules copies rules with one allocation for all of their lists. The words that
// nearly every rule has are taken from the program.
func copyRules(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	n := 0
	for i := range rules {
		for _, list := range fieldsOf(&rules[i]) {
			n += len(*list)
		}
	}
	words := make([]string, 0, n)
	out := make([]rbacv1.PolicyRule, len(rules))
	for i := range rules {
		to := fieldsOf(&out[i])
		for j, list := range fieldsOf(&rules[i]) {
			if len(*list) == 0 {
				continue
			}
			start := len(words)
			for _, s := range *list {
				words = append(words, common(s))
			}
			*to[j] = words[start:len(words):len(words)]
		}
	}
	return out
}

// common returns the program's own copy of a word that is frequent in rules, so
// that the decoded one can be forgotten.
func common(s string) string {
	switch s {
	case "":
		return ""
	case "*":
		return "*"
	case "get":
		return "get"
	case "list":
		return "list"
	case "watch":
		return "watch"
	case "create":
		return "create"
	case "update":
		return "update"
	case "patch":
		return "patch"
	case "delete":
		return "delete"
	case "deletecollection":
		return "deletecollection"
	case "apps":
		return "apps"
	case "batch":
		return "batch"
	case "pods":
		return "pods"
	case "pods/log":
		return "pods/log"
	case "services":
		return "services"
	case "configmaps":
		return "configmaps"
	case "secrets":
		return "secrets"
	case "serviceaccounts":
		return "serviceaccounts"
	case "deployments":
		return "deployments"
	case "events":
		return "events"
	}
	return s
}
