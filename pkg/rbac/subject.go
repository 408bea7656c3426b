package rbac

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Prefixes and groups of the Kubernetes authenticator for ServiceAccounts
// (kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin).
const (
	accountUserPrefix  = "system:serviceaccount:"
	accountsGroup      = "system:serviceaccounts"
	authenticatedGroup = "system:authenticated"
	mastersGroup       = "system:masters"
)

// Subject is somebody whom bindings name. Subjects are comparable: equal ones are
// the same to the API server. Use [NewSubject], [User], [Group] or
// [ServiceAccount] to make one, so that both spellings of a ServiceAccount give
// the same value.
type Subject struct {
	// Kind is User, Group or ServiceAccount, as in rbac.authorization.k8s.io/v1.
	Kind string
	// Namespace of a ServiceAccount; empty for the other kinds.
	Namespace string
	// Name of the user, the group or the account.
	Name string
}

// NewSubject reads a subject of a binding. A ServiceAccount without a namespace
// belongs to the binding's; bindingNamespace is empty for a ClusterRoleBinding.
// It reports false for what matches nobody: a ServiceAccount that has no
// namespace at all, or a kind that does not exist (kinds are case-sensitive).
func NewSubject(s rbacv1.Subject, bindingNamespace string) (Subject, bool) {
	switch s.Kind {
	case rbacv1.UserKind:
		return User(s.Name), true
	case rbacv1.GroupKind:
		return Group(s.Name), true
	case rbacv1.ServiceAccountKind:
		namespace := s.Namespace
		if namespace == "" {
			namespace = bindingNamespace
		}
		if namespace == "" {
			return Subject{}, false
		}
		return ServiceAccount(namespace, s.Name), true
	}
	return Subject{}, false
}

// User is the subject that a user name stands for: a ServiceAccount when it is
// spelled `system:serviceaccount:<namespace>:<name>`, as the API server reads it.
func User(name string) Subject {
	if rest, ok := strings.CutPrefix(name, accountUserPrefix); ok {
		if namespace, account, ok := strings.Cut(rest, ":"); ok && namespace != "" {
			return Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}
		}
	}
	return Subject{Kind: rbacv1.UserKind, Name: name}
}

// Group is the subject of a group.
func Group(name string) Subject { return Subject{Kind: rbacv1.GroupKind, Name: name} }

// ServiceAccount is the subject of an account.
func ServiceAccount(namespace, name string) Subject {
	if strings.Contains(namespace, ":") {
		// No namespace is called so, but the API server would compare the whole
		// user name, and equal subjects must be equal values.
		return User(accountUserPrefix + namespace + ":" + name)
	}
	return Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}
}

// UserName is the name under which the subject makes requests; empty for a Group.
func (s Subject) UserName() string {
	switch s.Kind {
	case rbacv1.UserKind:
		return s.Name
	case rbacv1.ServiceAccountKind:
		return accountUserPrefix + s.Namespace + ":" + s.Name
	}
	return ""
}

// ImplicitGroups are the groups that a ServiceAccount is in by its nature; none
// for the other kinds.
func (s Subject) ImplicitGroups() []string {
	if s.Kind != rbacv1.ServiceAccountKind {
		return nil
	}
	return []string{accountsGroup, accountsGroup + ":" + s.Namespace, authenticatedGroup}
}

// String is the subject as messages name it: `User alice`, `Group team-a`,
// `ServiceAccount emr-jobs/spark`.
func (s Subject) String() string {
	if s.Kind == rbacv1.ServiceAccountKind {
		return s.Kind + " " + s.Namespace + "/" + s.Name
	}
	return s.Kind + " " + s.Name
}

// compareSubjects orders subjects by kind, namespace, name.
func compareSubjects(a, b Subject) int {
	if c := strings.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}
