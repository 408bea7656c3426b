package cluster

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

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
