package cluster

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// kindOfResource names the kinds of RBAC by their resources.
var kindOfResource = map[string]string{
	"roles": rbac.KindRole, "clusterroles": rbac.KindClusterRole,
	"rolebindings": rbac.KindRoleBinding, "clusterrolebindings": rbac.KindClusterRoleBinding,
}

// Replace makes the objects all there is of a resource: "namespaces", "serviceaccounts",
// or one of RBAC, such as "rolebindings".
func (s *Snapshot) Replace(resource string, objects []runtime.Object) error {
	if kind, ok := kindOfResource[resource]; ok {
		return s.replaceRBAC(kind, objects)
	}
	for _, gone := range s.missing(objects, resource == "serviceaccounts") {
		s.Delete(gone)
	}
	for _, o := range objects {
		s.Set(o)
	}
	return nil
}

// missing returns the accounts, or else the namespaces, that are known and that the
// list does not have.
func (s *Snapshot) missing(listed []runtime.Object, accounts bool) []runtime.Object {
	type name struct{ namespace, name string }
	there := make(map[name]bool, len(listed))
	for _, obj := range listed {
		switch o := obj.(type) {
		case *corev1.ServiceAccount:
			there[name{o.Namespace, o.Name}] = true
		case *corev1.Namespace:
			there[name{"", o.Name}] = true
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var gone []runtime.Object
	for ns, n := range s.namespaces {
		if !accounts {
			if n.labels != nil && !there[name{"", ns}] {
				o := &corev1.Namespace{}
				o.Name = ns
				gone = append(gone, o)
			}
			continue
		}
		for account := range n.accounts {
			if !there[name{ns, account}] {
				o := &corev1.ServiceAccount{}
				o.Namespace, o.Name = ns, account
				gone = append(gone, o)
			}
		}
	}
	return gone
}

// replaceRBAC makes the objects all there is of one kind of RBAC.
func (s *Snapshot) replaceRBAC(kind string, objects []runtime.Object) error {
	if err := s.RBAC().Replace(kind, objects); err != nil {
		return err
	}
	if kind != rbac.KindRoleBinding {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, n := range s.namespaces {
		clear(n.bindings)
		s.forget(name)
	}
	for _, obj := range objects {
		if b, ok := obj.(*rbacv1.RoleBinding); ok {
			s.setBinding(b)
		}
	}
	return nil
}
