package audit

import (
	"cmp"
	"fmt"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/audit/defaults"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/object"
)

// World is what exists, as far as rules look it up. The zero World is empty.
type World struct{ snapshot cluster.Snapshot }

// Add takes an object in. What roles and bindings grant does not count yet: see
// grants.
func (w *World) Add(o *object.Object) { w.snapshot.Add(o) }

// grants lets a role or binding grant what it grants, from now on.
func (w *World) grants(o *object.Object) {
	if obj := o.RBAC(); obj != nil {
		_ = w.snapshot.RBAC().Set(obj) // it knows the four kinds
	}
}

// forgets takes back what a binding grants that somebody defines again.
func (w *World) forgets(o *object.Object) {
	if obj := o.RBAC(); obj != nil {
		_ = w.snapshot.RBAC().Delete(obj) // it knows the four kinds
	}
}

// addDefaults adds the roles and bindings that every cluster has. What the input
// defines under the same names replaces them.
func (w *World) addDefaults() error {
	objects, err := defaults.Objects()
	if err != nil {
		return err
	}
	for _, obj := range objects {
		if err := w.snapshot.RBAC().Set(obj); err != nil {
			return fmt.Errorf("add the default roles: %w", err)
		}
	}
	return nil
}

// asOneState is the order in which objects are judged that exist together, by their
// places in a list of n, so that what they grant is found once and at the same place
// whatever their order: roles come first, and count from then on, so that a role is
// blamed only for what it gives to those who are bound already. Each binding is then
// judged by itself, beside all roles and without the other bindings: two that give
// the same are both found, because whoever removes one leaves the other.
func asOneState(n int, at func(int) *object.Object) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	rank := func(o *object.Object) int {
		switch role := o.Typed.(type) {
		case *rbacv1.ClusterRole:
			if role.AggregationRule != nil {
				return 0 // so that the role is blamed from which it has its rules
			}
			return 1
		case *rbacv1.Role:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := at(i), at(j)
		if r := cmp.Compare(rank(a), rank(b)); r != 0 || rank(a) == 3 {
			return r
		}
		return cmp.Or(cmp.Compare(a.Meta.Namespace, b.Meta.Namespace), cmp.Compare(a.Meta.Name, b.Meta.Name))
	})
	return order
}

// mergeRoles lets roles that are defined more than once grant what all their
// definitions do.
func (w *World) mergeRoles(objects []fileObject) {
	for _, role := range merged(objects) {
		_ = w.snapshot.RBAC().Set(role) // it knows the four kinds
	}
}

// merged are the roles that are defined more than once, each with the rules of all its
// definitions: which of them a cluster gets depends on who applies what in which
// order, and the one that grants less must not hide the other.
func merged(objects []fileObject) []runtime.Object {
	type key struct{ kind, namespace, name string }
	seen := map[key]runtime.Object{}
	var twice []key
	for i := range objects {
		o := objects[i].object
		k := key{o.GVK.Kind, o.Meta.Namespace, o.Meta.Name}
		first, again := seen[k]
		switch role := o.Typed.(type) {
		case *rbacv1.Role:
			if have, ok := first.(*rbacv1.Role); ok {
				role = role.DeepCopy()
				role.Rules = append(role.Rules, have.Rules...)
			}
			seen[k] = role
		case *rbacv1.ClusterRole:
			if have, ok := first.(*rbacv1.ClusterRole); ok {
				role = withAll(role, have)
			}
			seen[k] = role
		default:
			continue
		}
		if again && !slices.Contains(twice, k) {
			twice = append(twice, k)
		}
	}
	list := make([]runtime.Object, 0, len(twice))
	for _, k := range twice {
		list = append(list, seen[k])
	}
	return list
}

func withAll(role, other *rbacv1.ClusterRole) *rbacv1.ClusterRole {
	role = role.DeepCopy()
	role.Rules = append(role.Rules, other.Rules...)
	for name, value := range other.Labels {
		if _, there := role.Labels[name]; !there {
			if role.Labels == nil {
				role.Labels = map[string]string{}
			}
			role.Labels[name] = value
		}
	}
	if other.AggregationRule != nil {
		if role.AggregationRule == nil {
			role.AggregationRule = &rbacv1.AggregationRule{}
		}
		role.AggregationRule.ClusterRoleSelectors = append(role.AggregationRule.ClusterRoleSelectors, other.AggregationRule.ClusterRoleSelectors...)
	}
	return role
}

// isBinding reports whether an object grants what a role holds.
func isBinding(o *object.Object) bool {
	switch o.Typed.(type) {
	case *rbacv1.RoleBinding, *rbacv1.ClusterRoleBinding:
		return true
	}
	return false
}
