// Package cluster answers what rules and scope ask about the objects that exist.
// A Snapshot holds what they read, and nothing else; package live keeps it up to date in
// the webhook, files or lists fill it elsewhere.
package cluster

import (
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
