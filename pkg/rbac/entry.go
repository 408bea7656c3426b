package rbac

import (
	"fmt"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// entry is what is read of an object: a role or a binding.
type entry struct {
	role    *roleEntry
	binding *bindingEntry
}

type roleEntry struct {
	key       roleKey
	rules     []rbacv1.PolicyRule
	labels    map[string]string
	aggregate bool
	selectors []selector
}

// definition is the entry without a place in a store.
func (e *roleEntry) definition() *definition {
	d := &definition{roleKey: e.key, rules: &ruleset{rules: e.rules}, aggregate: e.aggregate, selectors: e.selectors}
	if e.key.cluster {
		d.labels = e.labels
	}
	return d
}

type bindingEntry struct {
	reference ObjectRef
	role      roleKey
	grants    bool      // false when role can never be one
	subjects  []Subject // without doubles
}

func (e entry) ref() ObjectRef {
	if e.role != nil {
		return e.role.key.ref()
	}
	return e.binding.reference
}

// entryOf reads one of the four kinds.
func entryOf(obj runtime.Object) (entry, error) {
	switch o := obj.(type) {
	case *rbacv1.Role:
		if o != nil {
			if o.Namespace == "" {
				return entry{}, fmt.Errorf("%s %q: %w", KindRole, o.Name, errNoNamespace)
			}
			return entry{role: &roleEntry{key: roleKey{namespace: o.Namespace, name: o.Name}, rules: o.Rules}}, nil
		}
	case *rbacv1.ClusterRole:
		if o != nil {
			e := &roleEntry{key: roleKey{name: o.Name, cluster: true}, rules: o.Rules, labels: o.Labels}
			e.aggregate, e.selectors = selectorsOf(o.AggregationRule)
			return entry{role: e}, nil
		}
	case *rbacv1.RoleBinding:
		if o != nil {
			if o.Namespace == "" {
				return entry{}, fmt.Errorf("%s %q: %w", KindRoleBinding, o.Name, errNoNamespace)
			}
			return bindingOf(KindRoleBinding, &o.ObjectMeta, o.RoleRef, o.Subjects), nil
		}
	case *rbacv1.ClusterRoleBinding:
		if o != nil {
			return bindingOf(KindClusterRoleBinding, &o.ObjectMeta, o.RoleRef, o.Subjects), nil
		}
	}
	return entry{}, fmt.Errorf("%T is no Role, ClusterRole, RoleBinding or ClusterRoleBinding of %s, or is nil",
		obj, rbacv1.SchemeGroupVersion)
}

func bindingOf(kind string, meta *metav1.ObjectMeta, roleRef rbacv1.RoleRef, subjects []rbacv1.Subject) entry {
	namespace := meta.Namespace
	if kind == KindClusterRoleBinding {
		namespace = ""
	}
	e := &bindingEntry{reference: ObjectRef{Kind: kind, Namespace: namespace, Name: meta.Name}}
	e.role, e.grants = keyOf(roleRef, namespace)
	e.subjects = make([]Subject, 0, len(subjects))
	for _, s := range subjects {
		if subject, ok := NewSubject(s, namespace); ok {
			e.subjects = append(e.subjects, subject)
		}
	}
	if len(e.subjects) > 1 {
		slices.SortFunc(e.subjects, compareSubjects)
		e.subjects = slices.Compact(e.subjects)
	}
	return entry{binding: e}
}

// selectorsOf reads an aggregationRule. The aggregation controller gives up on the
// whole rule when one of its selectors is invalid (the API server refuses to
// store such a rule): it then selects nothing.
func selectorsOf(rule *rbacv1.AggregationRule) (aggregate bool, out []selector) {
	if rule == nil {
		return false, nil
	}
	for i := range rule.ClusterRoleSelectors {
		s, err := metav1.LabelSelectorAsSelector(&rule.ClusterRoleSelectors[i])
		if err != nil {
			return true, nil
		}
		out = append(out, selector{matches: s, text: s.String()})
	}
	return true, out
}

// selector is one of an aggregationRule. Its text is the same for selectors that
// select the same.
type selector struct {
	matches labels.Selector
	text    string
}

// definition is what a role that exists consists of. It is never changed.
type definition struct {
	roleKey

	rules     *ruleset // nil when there are none
	labels    labels.Set
	aggregate bool
	selectors []selector
}

func (d *definition) tableKey() roleKey { return d.roleKey }

// selects reports whether an aggregate selects a ClusterRole by its labels.
func (d *definition) selects(l labels.Set) bool {
	for _, s := range d.selectors {
		if s.matches.Matches(l) {
			return true
		}
	}
	return false
}

// sameSelectors reports whether two aggregates select the same.
func (d *definition) sameSelectors(o *definition) bool {
	return d.aggregate == o.aggregate && slices.EqualFunc(d.selectors, o.selectors, func(a, b selector) bool { return a.text == b.text })
}
