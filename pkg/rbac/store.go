package rbac

import (
	"errors"
	"fmt"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Store holds Roles, ClusterRoles, RoleBindings and ClusterRoleBindings, and what
// is needed to answer quickly who may do what. It keeps names, subjects, roleRefs
// and rules, labels and aggregationRules of ClusterRoles, and nothing else.
// Objects are not changed and not kept, only their strings are; so those given to
// it may be stripped, and must not change afterwards. It is safe for concurrent
// use. Make one with [NewStore].
type Store struct {
	mu sync.RWMutex

	roles           map[roleKey]*role
	clusterRoles    map[*role]struct{} // that exist
	namespaces      map[string]*namespace
	clusterBindings map[string]*binding
	subjects        map[Subject]*subject
	aggregates      map[*role]struct{} // ClusterRoles with an aggregationRule
	rulesets        rulesets
}

// roleKey names a Role or ClusterRole.
type roleKey struct {
	namespace, name string
	cluster         bool
}

func (k roleKey) ref() ObjectRef {
	if k.cluster {
		return ObjectRef{Kind: KindClusterRole, Name: k.name}
	}
	return ObjectRef{Kind: KindRole, Namespace: k.namespace, Name: k.name}
}

// role is a Role or ClusterRole that exists, or that a binding names, or both.
type role struct {
	key      roleKey
	def      *definition // nil when it does not exist
	bindings []*binding  // that name it

	// For ClusterRoles: the aggregates that select this one, and for an
	// aggregate those that it selects.
	parents, members []*role
}

// namespace is what exists in one namespace.
type namespace struct {
	name      string
	bindings  map[string]*binding
	bySubject map[*subject][]*binding
}

// binding is a RoleBinding or ClusterRoleBinding.
type binding struct {
	name      string
	namespace *namespace // nil for a ClusterRoleBinding
	role      *role      // nil when the roleRef can never name one
	slot      int        // place in role.bindings
	subjects  []*subject // without doubles
}

func (b *binding) ref() ObjectRef {
	if b.namespace == nil {
		return ObjectRef{Kind: KindClusterRoleBinding, Name: b.name}
	}
	return ObjectRef{Kind: KindRoleBinding, Namespace: b.namespace.name, Name: b.name}
}

// subject is somebody whom bindings name.
type subject struct {
	Subject
	cluster []*binding // ClusterRoleBindings
	refs    int        // bindings of either kind
}

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{
		roles:           map[roleKey]*role{},
		clusterRoles:    map[*role]struct{}{},
		namespaces:      map[string]*namespace{},
		clusterBindings: map[string]*binding{},
		subjects:        map[Subject]*subject{},
		aggregates:      map[*role]struct{}{},
		rulesets:        rulesets{},
	}
}

// Set adds an object, or replaces the one of its kind, namespace and name. An
// object that is none of the four kinds is an error.
func (s *Store) Set(obj runtime.Object) error {
	e, err := entryOf(obj)
	if err != nil {
		return fmt.Errorf("add to the RBAC store: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(e)
	return nil
}

// Delete removes the object of the same kind, namespace and name. One that is not
// there is no error; one that is none of the four kinds is.
func (s *Store) Delete(obj runtime.Object) error {
	e, err := entryOf(obj)
	if err != nil {
		return fmt.Errorf("remove from the RBAC store: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(e.ref())
	return nil
}

// Replace makes the store hold exactly these objects of one kind, as after a list.
// The other kinds stay. On an error the store is as it was.
func (s *Store) Replace(kind string, objects []runtime.Object) error {
	switch kind {
	case KindRole, KindClusterRole, KindRoleBinding, KindClusterRoleBinding:
	default:
		return fmt.Errorf("replace %q in the RBAC store: it holds %s, %s, %s and %s", kind,
			KindRole, KindClusterRole, KindRoleBinding, KindClusterRoleBinding)
	}
	entries := make([]entry, 0, len(objects))
	keep := make(map[ObjectRef]bool, len(objects))
	for _, obj := range objects {
		e, err := entryOf(obj)
		if err != nil {
			return fmt.Errorf("replace %s in the RBAC store: %w", kind, err)
		}
		if e.ref().Kind != kind {
			return fmt.Errorf("replace %s in the RBAC store: the list has %s", kind, e.ref())
		}
		entries = append(entries, e)
		keep[e.ref()] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range s.refs(kind) {
		if !keep[ref] {
			s.remove(ref)
		}
	}
	for _, e := range entries {
		s.set(e)
	}
	return nil
}

// Stats says how much a store holds.
type Stats struct {
	Roles, ClusterRoles, RoleBindings, ClusterRoleBindings int
	// Subjects is the number of different ones that bindings name.
	Subjects int
	// RuleLists is the number of different lists of rules: roles share equal
	// ones.
	RuleLists int
}

// Stats counts what the store holds.
func (s *Store) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := Stats{ClusterRoles: len(s.clusterRoles), ClusterRoleBindings: len(s.clusterBindings), Subjects: len(s.subjects)}
	for key, r := range s.roles {
		if r.def != nil && !key.cluster {
			out.Roles++
		}
	}
	for _, ns := range s.namespaces {
		out.RoleBindings += len(ns.bindings)
	}
	for _, list := range s.rulesets {
		out.RuleLists += len(list)
	}
	return out
}

// HasRole reports whether the store holds the role that a binding of a namespace
// refers to; bindingNamespace is empty for a ClusterRoleBinding. It is false, too,
// for a roleRef that can never name a role.
func (s *Store) HasRole(roleRef rbacv1.RoleRef, bindingNamespace string) bool {
	key, ok := keyOf(roleRef, bindingNamespace)
	if !ok {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.roles[key]
	return r != nil && r.def != nil
}

// keyOf reads a roleRef. It reports false for one that grants nothing: another
// kind or API group, which the API server refuses to store, or a Role in a
// ClusterRoleBinding. An empty API group is what the API server defaults to
// RBAC's own.
func keyOf(ref rbacv1.RoleRef, bindingNamespace string) (roleKey, bool) {
	if ref.APIGroup != "" && ref.APIGroup != rbacv1.GroupName {
		return roleKey{}, false
	}
	switch ref.Kind {
	case KindClusterRole:
		return roleKey{name: ref.Name, cluster: true}, true
	case KindRole:
		return roleKey{namespace: bindingNamespace, name: ref.Name}, bindingNamespace != ""
	}
	return roleKey{}, false
}

var errNoNamespace = errors.New("it has no namespace: set metadata.namespace")
