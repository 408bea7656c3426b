package rbac

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Store holds Roles, ClusterRoles, RoleBindings and ClusterRoleBindings, and what
// is needed to answer quickly who may do what. It keeps names, subjects, roleRefs
// and rules, labels and aggregationRules of ClusterRoles, and nothing else.
// Objects are not changed and not kept, only their strings are; so those given to
// it may be stripped, and must not change afterwards. It is safe for concurrent
// use: a question is answered from the state at its beginning, without a lock, so
// that neither a long evaluation nor a burst of changes keeps anybody waiting. Make
// one with [NewStore].
type Store struct {
	mu       sync.Mutex // for changes
	rulesets rulesets
	now      atomic.Pointer[state]
}

// state is everything that a store holds at a time. It is never changed: a change
// makes a new one, which shares nearly all of its memory with the old one.
type state struct {
	roles           table[roleKey, *definition] // that exist
	clusterRoles    table[roleKey, *definition]
	aggregates      table[roleKey, *definition] // the ClusterRoles with an aggregationRule
	bound           table[roleKey, *bound]
	namespaces      table[string, *namespace]
	clusterBindings table[string, *binding]
	subjects        table[Subject, *uses]
	roleBindings    int
	// selected remembers which ClusterRoles selectors select. States with the same
	// labels share it.
	selected *selected
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

// bound are the bindings that name a role, which need not exist.
type bound struct {
	roleKey

	bindings []*binding
}

func (b *bound) tableKey() roleKey { return b.roleKey }

// namespace has the RoleBindings of one.
type namespace struct {
	name     string
	bindings table[string, *binding]
}

func (n *namespace) tableKey() string { return n.name }

// binding is a RoleBinding or ClusterRoleBinding. It is never changed.
type binding struct {
	name      string
	namespace string // empty for a ClusterRoleBinding
	role      roleKey
	grants    bool       // false when the roleRef can never name a role
	subjects  []*subject // sorted, without doubles
}

func (b *binding) tableKey() string { return b.name }

func (b *binding) ref() ObjectRef {
	if b.namespace == "" {
		return ObjectRef{Kind: KindClusterRoleBinding, Name: b.name}
	}
	return ObjectRef{Kind: KindRoleBinding, Namespace: b.namespace, Name: b.name}
}

// is reports whether the binding is what an entry says.
func (b *binding) is(e *bindingEntry) bool {
	return b.grants == e.grants && (!e.grants || b.role == e.role && slices.EqualFunc(b.subjects, e.subjects, func(s *subject, t Subject) bool { return s.Subject == t }))
}

// subject is somebody whom bindings name: one for all of them.
type subject struct{ Subject }

// uses are the bindings that name a subject.
type uses struct {
	*subject

	cluster []*binding // ClusterRoleBindings
	local   []*binding // RoleBindings, of all namespaces
}

func (u *uses) tableKey() Subject { return u.Subject }

// NewStore returns an empty store.
func NewStore() *Store {
	s := &Store{rulesets: rulesets{}}
	s.now.Store(&state{selected: &selected{}})
	return s
}

// Set adds an object, or replaces the one of its kind, namespace and name. An
// object that is none of the four kinds is an error.
func (s *Store) Set(obj runtime.Object) error {
	e, err := entryOf(obj)
	if err != nil {
		return fmt.Errorf("add to the RBAC store: %w", err)
	}
	s.change(func(next *state) { s.set(next, e) })
	return nil
}

// change publishes what f makes of the state.
func (s *Store) change(f func(next *state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.now.Load()
	f(&next)
	s.now.Store(&next)
}

// Delete removes the object of the same kind, namespace and name. One that is not
// there is no error; one that is none of the four kinds is.
func (s *Store) Delete(obj runtime.Object) error {
	e, err := entryOf(obj)
	if err != nil {
		return fmt.Errorf("remove from the RBAC store: %w", err)
	}
	s.change(func(next *state) { s.remove(next, e.ref()) })
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
	s.change(func(next *state) {
		for _, ref := range next.refs(kind) {
			if !keep[ref] {
				s.remove(next, ref)
			}
		}
		for _, e := range entries {
			s.set(next, e)
		}
	})
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
	now := s.now.Load()
	out := Stats{
		Roles: now.roles.size, ClusterRoles: now.clusterRoles.size, RoleBindings: now.roleBindings,
		ClusterRoleBindings: now.clusterBindings.size, Subjects: now.subjects.size,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
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
	return s.now.Load().definition(key) != nil
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
