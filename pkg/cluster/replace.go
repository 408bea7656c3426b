package cluster

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// kindOfResource names the kinds of RBAC by their resources.
var kindOfResource = map[string]string{
	"roles": rbac.KindRole, "clusterroles": rbac.KindClusterRole,
	"rolebindings": rbac.KindRoleBinding, "clusterrolebindings": rbac.KindClusterRoleBinding,
}

// replace makes the objects all there is of a watched resource.
func (s *Snapshot) replace(resource string, objects []runtime.Object) error {
	if kind, ok := kindOfResource[resource]; ok {
		return s.ReplaceRBAC(kind, objects)
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
