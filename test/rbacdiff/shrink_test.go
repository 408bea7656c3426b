package rbacdiff

import (
	rbacv1 "k8s.io/api/rbac/v1"
)

// shrink removes from a world what can go while it still shows a difference.
func shrink(w *world, differs func(*world) bool) *world {
	for again := true; again; {
		again = false
		for _, smaller := range smallerWorlds(w) {
			if differs(smaller) {
				w, again = smaller, true
				break
			}
		}
	}
	return w
}

// smallerWorlds are all worlds with one thing less.
func smallerWorlds(w *world) []*world {
	var out []*world
	add := func(change func(*world)) {
		c := w.clone()
		change(c)
		out = append(out, c)
	}
	for i, o := range w.Roles {
		add(func(c *world) { c.Roles = drop(c.Roles, i) })
		for _, rules := range smallerRules(o.Rules) {
			add(func(c *world) {
				n := o.DeepCopy()
				n.Rules = rules
				c.Roles[i] = n
			})
		}
	}
	for i, o := range w.ClusterRoles {
		add(func(c *world) { c.ClusterRoles = drop(c.ClusterRoles, i) })
		for _, rules := range smallerRules(o.Rules) {
			add(func(c *world) {
				n := o.DeepCopy()
				n.Rules = rules
				c.ClusterRoles[i] = n
			})
		}
	}
	for i, o := range w.RoleBindings {
		add(func(c *world) { c.RoleBindings = drop(c.RoleBindings, i) })
		for j := range o.Subjects {
			add(func(c *world) {
				n := o.DeepCopy()
				n.Subjects = drop(n.Subjects, j)
				c.RoleBindings[i] = n
			})
		}
	}
	for i, o := range w.ClusterRoleBindings {
		add(func(c *world) { c.ClusterRoleBindings = drop(c.ClusterRoleBindings, i) })
		for j := range o.Subjects {
			add(func(c *world) {
				n := o.DeepCopy()
				n.Subjects = drop(n.Subjects, j)
				c.ClusterRoleBindings[i] = n
			})
		}
	}
	return out
}

func smallerRules(rules []rbacv1.PolicyRule) [][]rbacv1.PolicyRule {
	var out [][]rbacv1.PolicyRule
	for i := range rules {
		out = append(out, drop(rules, i))
		for _, rule := range smallerRule(rules[i]) {
			changed := append([]rbacv1.PolicyRule{}, rules...)
			changed[i] = rule
			out = append(out, changed)
		}
	}
	return out
}

// smallerRule drops one word of one list.
func smallerRule(rule rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for field := range 5 {
		list := func(r *rbacv1.PolicyRule) *[]string {
			return []*[]string{&r.Verbs, &r.APIGroups, &r.Resources, &r.ResourceNames, &r.NonResourceURLs}[field]
		}
		for i := range *list(&rule) {
			n := *rule.DeepCopy()
			*list(&n) = drop(*list(&n), i)
			out = append(out, n)
		}
	}
	return out
}

func drop[T any](list []T, i int) []T {
	out := append([]T{}, list[:i]...)
	return append(out, list[i+1:]...)
}
