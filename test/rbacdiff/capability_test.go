package rbacdiff

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// Words that no rule of a random world has: what is allowed for them is allowed
// for everything.
const (
	otherGroup = "other.example.com"
	otherWord  = "other"
)

// rulesOf are the rules of all roles.
func rulesOf(w *world) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, o := range w.Roles {
		out = append(out, o.Rules...)
	}
	for _, o := range w.ClusterRoles {
		out = append(out, o.Rules...)
	}
	return out
}

// near makes a target that a rule gives, at least in part.
func (t *targets) near(rule rbacv1.PolicyRule) rbac.Target {
	out := rbac.Target{Scope: one(t.random, []rbac.Scope{rbac.Namespaced, rbac.Namespaced, rbac.Cluster})}
	words := func(to *[]string, from, all []string) {
		for range 1 + t.IntN(2) {
			s := one(t.random, all)
			if len(from) > 0 && t.chance(85) {
				if w := one(t.random, from); w != "*" {
					s = w
				}
			}
			*to = append(*to, s)
		}
	}
	words(&out.APIGroups, rule.APIGroups, groups)
	words(&out.Verbs, rule.Verbs, verbs)
	words(&out.Resources, rule.Resources, resources)
	for i, res := range out.Resources {
		name, sub, _ := strings.Cut(res, "/")
		if name == "*" || name == "" || name == "namespaces" {
			name = "pods"
		}
		out.Resources[i] = resource(name, sub)
	}
	return out
}

// targets makes parts of capabilities for a world.
type targets struct {
	random

	rules []rbacv1.PolicyRule
}

func (t *targets) target() rbac.Target {
	if len(t.rules) > 0 && t.chance(60) {
		return t.near(one(t.random, t.rules))
	}
	return t.random.target()
}

// target makes a part of a capability; all of its words are a scope's.
func (r random) target() rbac.Target {
	t := rbac.Target{Scope: one(r, []rbac.Scope{rbac.Namespaced, rbac.Namespaced, rbac.Cluster})}
	for range 1 + r.IntN(2) {
		t.APIGroups = append(t.APIGroups, one(r, groups))
	}
	if r.chance(15) {
		t.APIGroups = []string{"*"}
	}
	for range 1 + r.IntN(3) {
		name := one(r, resources)
		if name == "namespaces" {
			name = "pods"
		}
		t.Resources = append(t.Resources, resource(name, one(r, subs[:len(subs)-1])))
	}
	for range 1 + r.IntN(4) {
		t.Verbs = append(t.Verbs, one(r, verbs))
	}
	switch {
	case r.chance(10):
		t.Resources = []string{one(r, []string{"*", "userextras/*", "pods/*", "*/exec"})}
	case r.chance(15):
		t.Verbs = []string{one(r, []string{"*", "impersonate*", "impersonate-on:*"})}
	case r.chance(16):
		t = rbac.Target{
			Scope: rbac.OwnNamespace, APIGroups: []string{""}, Resources: []string{one(r, []string{"namespaces", "namespaces/x/y"})},
			Verbs: []string{"get", "patch", "use"},
		}
	case r.chance(12):
		t.Names = []string{one(r, names)}
		t.Verbs = []string{"get", "list", "impersonate"}
	}
	return t
}

// point is one request of a capability, without the one who asks.
type point struct {
	rbac.Attributes

	// either is true when the object is reached without its name, too: by a
	// list of everything.
	either bool
}

// point picks a request that a target stands for in a namespace.
func (r random) point(t rbac.Target, namespace string) point {
	return concrete(t.Scope, namespace, one(r, t.APIGroups), one(r, t.Resources), one(r, t.Verbs), t.Names,
		func(list []string, other string) string { return one(r, append([]string{other}, list...)) })
}

// concrete fills in the wildcards by what choose takes.
func concrete(scope rbac.Scope, namespace, group, res, verb string, only []string, choose func(list []string, other string) string) point {
	p := point{Attributes: rbac.Attributes{Namespace: namespace, APIGroup: group}}
	if group == "*" {
		p.APIGroup = choose(groups, otherGroup)
	}
	p.Resource, p.Subresource, _ = strings.Cut(res, "/")
	if p.Resource == "*" {
		p.Resource = choose(resources, otherWord)
	}
	if res == "*" {
		p.Subresource = choose([]string{"", "exec"}, otherWord)
	}
	if p.Subresource == "*" {
		p.Subresource = choose([]string{"exec", "log"}, otherWord)
	}
	p.Verb = verb
	if prefix, ok := strings.CutSuffix(verb, "*"); ok {
		var matching []string
		for _, v := range verbs {
			if strings.HasPrefix(v, prefix) {
				matching = append(matching, v)
			}
		}
		p.Verb = choose(matching, prefix+otherWord)
	}
	switch {
	case scope == rbac.OwnNamespace:
		p.Name = namespace
	case p.Verb == "deletecollection" || p.Verb == "create" && p.Subresource == "":
	case p.Verb == "list" || p.Verb == "watch":
		p.Name, p.either = choose(names, ""), true
	default:
		p.Name = choose(names, otherWord)
	}
	if len(only) > 0 {
		p.Name = only[0]
	}
	return p
}

// covers reports whether an answer says that the point is held.
func covers(permissions []rbac.Permission, p point) bool {
	for _, perm := range permissions {
		if (perm.APIGroup == "*" || perm.APIGroup == p.APIGroup) &&
			coversResource(perm.Resource, p) &&
			slices.ContainsFunc(perm.Verbs, func(v string) bool { return coversVerb(v, p.Verb) }) &&
			(len(perm.Names) == 0 || p.Name != "" && slices.Contains(perm.Names, p.Name)) {
			return true
		}
	}
	return false
}

func coversVerb(v, verb string) bool {
	prefix, ok := strings.CutSuffix(v, "*")
	return v == verb || ok && strings.HasPrefix(verb, prefix)
}

func coversResource(res string, p point) bool {
	name, sub, found := strings.Cut(res, "/")
	return res == "*" || (name == "*" && found || name == p.Resource) && (sub == p.Subresource || sub == "*" && p.Subresource != "")
}

// subjects are all that the bindings of worlds name.
func subjects(worlds ...*world) []rbac.Subject {
	var out []rbac.Subject
	add := func(list []rbacv1.Subject, namespace string) {
		for _, s := range list {
			if subj, ok := rbac.NewSubject(s, namespace); ok && !slices.Contains(out, subj) {
				out = append(out, subj)
			}
		}
	}
	for _, w := range worlds {
		for _, b := range w.RoleBindings {
			add(b.Subjects, b.Namespace)
		}
		for _, b := range w.ClusterRoleBindings {
			add(b.Subjects, "")
		}
	}
	return out
}

// asking is a request by a subject; with its implicit groups when all is true.
func asking(subj rbac.Subject, all bool, a rbac.Attributes) rbac.Request {
	req := rbac.Request{User: subj.UserName(), Attributes: a}
	if subj.Kind == rbacv1.GroupKind {
		req.User, req.Groups = "somebody else", []string{subj.Name}
	}
	if all {
		req.Groups = append(req.Groups, subj.ImplicitGroups()...)
	}
	return req
}
