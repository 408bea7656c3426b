// Package cluster answers what rules and scope ask about the objects that exist.
// A Snapshot holds what they read, and nothing else; package live keeps it up to date in
// the webhook, files or lists fill it elsewhere.
package cluster

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Snapshot is what is known of a cluster. The zero value is an empty cluster.
// It is safe for concurrent use.
type Snapshot struct {
	mu         sync.RWMutex
	namespaces map[string]*namespace
	roles      roleIndex

	rbacOnce sync.Once
	rbac     *rbac.Store
}

// namespace is what is known of one namespace.
type namespace struct {
	labels   labels.Set                     // nil when the Namespace itself is unknown
	accounts map[string]rule.ServiceAccount // by name
	managed  int                            // accounts with a managed name
	bindings map[string][]string            // users by RoleBinding
	objects  map[objectKey]*object.Object
}

// objectKey names an object of a namespace; those without one are kept under "".
type objectKey struct {
	schema.GroupResource
	name string
}

func (s *Snapshot) at(name string) *namespace {
	if s.namespaces == nil {
		s.namespaces = map[string]*namespace{}
	}
	n := s.namespaces[name]
	if n == nil {
		n = &namespace{accounts: map[string]rule.ServiceAccount{}, bindings: map[string][]string{}}
		s.namespaces[name] = n
	}
	return n
}

// forget drops a namespace of which nothing is known any more.
func (s *Snapshot) forget(name string) {
	if n := s.namespaces[name]; n != nil && n.labels == nil && len(n.accounts) == 0 && len(n.bindings) == 0 && len(n.objects) == 0 {
		delete(s.namespaces, name)
	}
}

// Set adds or replaces an object. Kinds that nobody asks about are ignored.
func (s *Snapshot) Set(obj any) {
	if o, ok := rbacObject(obj); ok {
		_ = s.RBAC().Set(o) // it knows the four kinds
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o := obj.(type) {
	case *corev1.Namespace:
		set := labels.Set{}
		maps.Copy(set, o.Labels)
		s.at(o.Name).labels = set
	case *corev1.ServiceAccount:
		s.setAccount(rule.ServiceAccountOf(o.Namespace, o.Name, o.Annotations))
	case *rbacv1.RoleBinding:
		s.setBinding(o)
	}
}

func (s *Snapshot) setAccount(sa rule.ServiceAccount) {
	n := s.at(sa.Namespace)
	was, known := n.accounts[sa.Name]
	if !known && emr.IsManagedName(sa.Name) {
		n.managed++
	}
	if !known || was != sa {
		s.roles.remove(was)
		s.roles.add(sa)
	}
	n.accounts[sa.Name] = sa
}

// rbacObject is an object that the store of roles and bindings holds.
func rbacObject(obj any) (runtime.Object, bool) {
	if _, ok := rbac.KindOf(obj); !ok {
		return nil, false
	}
	o, ok := obj.(runtime.Object)
	return o, ok
}

// Delete removes an object.
func (s *Snapshot) Delete(obj any) {
	if o, ok := rbacObject(obj); ok {
		_ = s.RBAC().Delete(o) // it knows the four kinds
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o := obj.(type) {
	case *corev1.Namespace:
		s.at(o.Name).labels = nil
		s.forget(o.Name)
	case *corev1.ServiceAccount:
		n := s.at(o.Namespace)
		was, known := n.accounts[o.Name]
		if known && emr.IsManagedName(o.Name) {
			n.managed--
		}
		s.roles.remove(was)
		delete(n.accounts, o.Name)
		s.forget(o.Namespace)
	case *rbacv1.RoleBinding:
		delete(s.at(o.Namespace).bindings, o.Name)
		s.forget(o.Namespace)
	}
}

func (s *Snapshot) setBinding(b *rbacv1.RoleBinding) {
	users := boundUsers(b)
	if len(users) == 0 {
		if n := s.namespaces[b.Namespace]; n != nil {
			delete(n.bindings, b.Name)
			s.forget(b.Namespace)
		}
		return
	}
	s.at(b.Namespace).bindings[b.Name] = users
}

// boundUsers are the users by name that a RoleBinding binds. Groups and accounts
// are no mark of EMR.
func boundUsers(b *rbacv1.RoleBinding) []string {
	var users []string
	for _, subject := range b.Subjects {
		if subject.Kind == rbacv1.UserKind && !slices.Contains(users, subject.Name) {
			users = append(users, subject.Name)
		}
	}
	return users
}

// ServiceAccount returns an account, or rule.ErrNotFound.
func (s *Snapshot) ServiceAccount(_ context.Context, namespace, name string) (rule.ServiceAccount, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.namespaces[namespace]; n != nil {
		if sa, ok := n.accounts[name]; ok {
			return sa, nil
		}
	}
	return rule.ServiceAccount{}, rule.ErrNotFound
}

// SetObject adds or replaces an object that rules look up as it is.
func (s *Snapshot) SetObject(o *object.Object) {
	res, ok := object.FindKind(o.GVK.GroupKind())
	if !ok {
		return // no rule can ask for it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.at(o.Meta.Namespace)
	if n.objects == nil {
		n.objects = map[objectKey]*object.Object{}
	}
	n.objects[objectKey{res.GroupResource(), o.Meta.Name}] = o
}

// Object returns an object that SetObject has brought, or rule.ErrNotFound.
func (s *Snapshot) Object(_ context.Context, resource schema.GroupResource, namespace, name string) (*object.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.namespaces[namespace]; n != nil {
		if o := n.objects[objectKey{resource, name}]; o != nil {
			return o, nil
		}
	}
	return nil, rule.ErrNotFound
}

// Objects returns the objects of a resource, by namespace and name.
func (s *Snapshot) Objects(_ context.Context, resource schema.GroupResource, namespace string) ([]*object.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []*object.Object
	for name, n := range s.namespaces {
		if namespace != "" && name != namespace {
			continue
		}
		for key, o := range n.objects {
			if key.GroupResource == resource {
				list = append(list, o)
			}
		}
	}
	slices.SortFunc(list, func(a, b *object.Object) int {
		return cmp.Or(cmp.Compare(a.Meta.Namespace, b.Meta.Namespace), cmp.Compare(a.Meta.Name, b.Meta.Name))
	})
	return list, nil
}

// ServiceAccounts returns the accounts of a namespace, by name.
func (s *Snapshot) ServiceAccounts(_ context.Context, namespace string) ([]rule.ServiceAccount, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.namespaces[namespace]
	if n == nil {
		return nil, nil
	}
	return slices.SortedFunc(maps.Values(n.accounts), func(a, b rule.ServiceAccount) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// RoleNamespaces returns the namespaces that have an account of the role, sorted.
func (s *Snapshot) RoleNamespaces(_ context.Context, role emr.Role) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.roles.namespaces(role), nil
}

// Namespace returns the labels of a namespace, or rule.ErrNotFound.
func (s *Snapshot) Namespace(_ context.Context, name string) (labels.Set, error) {
	if set := s.NamespaceLabels(name); set != nil {
		return set, nil
	}
	return nil, rule.ErrNotFound
}

// NamespaceLabels returns the labels of a namespace, nil when it is unknown.
func (s *Snapshot) NamespaceLabels(name string) labels.Set {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.namespaces[name]; n != nil {
		return n.labels
	}
	return nil
}

// Namespaces lists the namespaces of which anything is known.
func (s *Snapshot) Namespaces() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.DeleteFunc(slices.Collect(maps.Keys(s.namespaces)), func(name string) bool { return name == "" })
}

// Gains says who gains what by a change of RBAC, from the snapshot alone.
func (s *Snapshot) Gains(ctx context.Context, change rbac.Change, namespaces []string, c *rbac.Capabilities) (rbac.Result, error) {
	return s.RBAC().Gains(ctx, change, namespaces, c)
}

// RBAC returns the roles and bindings of the cluster.
func (s *Snapshot) RBAC() *rbac.Store {
	s.rbacOnce.Do(func() { s.rbac = rbac.NewStore() })
	return s.rbac
}

// HasManagedAccount reports whether the namespace has a ServiceAccount with a
// managed name.
func (s *Snapshot) HasManagedAccount(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.namespaces[name]
	return n != nil && n.managed > 0
}

// BoundUsers returns the users that RoleBindings of the namespace name.
func (s *Snapshot) BoundUsers(name string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.namespaces[name]
	if n == nil {
		return nil
	}
	var users []string
	for _, list := range n.bindings {
		users = append(users, list...)
	}
	return users
}
