package rbac

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Kinds of rbac.authorization.k8s.io/v1.
const (
	KindRole               = "Role"
	KindClusterRole        = "ClusterRole"
	KindRoleBinding        = "RoleBinding"
	KindClusterRoleBinding = "ClusterRoleBinding"
)

// KindOf names the kind of an object of RBAC; it reports false for all others.
func KindOf(obj any) (string, bool) {
	switch obj.(type) {
	case *rbacv1.Role:
		return KindRole, true
	case *rbacv1.ClusterRole:
		return KindClusterRole, true
	case *rbacv1.RoleBinding:
		return KindRoleBinding, true
	case *rbacv1.ClusterRoleBinding:
		return KindClusterRoleBinding, true
	}
	return "", false
}

// ObjectRef names one of the four kinds of RBAC.
type ObjectRef struct {
	// Kind is one of the Kind constants of this package.
	Kind string
	// Namespace of a Role or RoleBinding; empty for the cluster-scoped kinds.
	Namespace string
	// Name of the object. Names of RBAC objects may hold every character but
	// "/" and "%".
	Name string
}

// String is `RoleBinding emr-jobs/x` or `ClusterRole edit`.
func (r ObjectRef) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Path is the way by which a permission reaches a subject.
type Path struct {
	// Binding that names the subject.
	Binding ObjectRef
	// Subject of the binding: the one who was asked for, or a group of theirs.
	Subject Subject
	// Role that the binding's roleRef names.
	Role ObjectRef
	// Through names the ClusterRoles by which Role gets the rule, when it is an
	// aggregate: the one that its selectors find, and so on down to the one
	// that holds the rule. Empty when Role holds it itself.
	Through []string
	// Rule is the index in `rules` of the last role on the path.
	Rule int
}

// String is readable: `RoleBinding emr-jobs/x → ClusterRole admin → aggregates
// ClusterRole my-edit → rules[0]`.
func (p Path) String() string {
	var b strings.Builder
	b.WriteString(p.Binding.String())
	b.WriteString(" → ")
	if p.Role.Kind == KindRole { // of the binding's own namespace
		b.WriteString(KindRole + " " + p.Role.Name)
	} else {
		b.WriteString(p.Role.String())
	}
	for i, name := range p.Through {
		if len(p.Through) > maxWords && i > 0 && i < len(p.Through)-1 {
			if i == 1 {
				b.WriteString(" → " + strconv.Itoa(len(p.Through)-2) + " more")
			}
			continue
		}
		b.WriteString(" → aggregates " + KindClusterRole + " " + name)
	}
	b.WriteString(" → rules[" + strconv.Itoa(p.Rule) + "]")
	return b.String()
}

func comparePaths(a, b Path) int {
	return cmp.Or(
		compareRefs(a.Binding, b.Binding),
		compareSubjects(a.Subject, b.Subject),
		compareRefs(a.Role, b.Role),
		slices.Compare(a.Through, b.Through),
		cmp.Compare(a.Rule, b.Rule),
	)
}

// compareRefs puts RoleBindings after ClusterRoleBindings: the wider grant comes
// first.
func compareRefs(a, b ObjectRef) int {
	return cmp.Or(
		strings.Compare(a.Kind, b.Kind),
		strings.Compare(a.Namespace, b.Namespace),
		strings.Compare(a.Name, b.Name),
	)
}

func compareKeys(a, b roleKey) int { return compareRefs(a.ref(), b.ref()) }
