package cluster

import (
	"maps"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Add adds or replaces what rules and scope ask of an object. Roles and bindings
// tell only whether a namespace is EMR's; what they grant is Set's.
func (s *Snapshot) Add(o *object.Object) {
	s.mu.Lock()
	switch o.GVK.Kind {
	case "Namespace":
		set := labels.Set{}
		maps.Copy(set, o.Meta.Labels)
		s.at(o.Meta.Name).labels = set
	case "ServiceAccount":
		s.setAccount(rule.ServiceAccountOf(o.Meta.Namespace, o.Meta.Name, o.Meta.Annotations))
	case "RoleBinding":
		if b, ok := o.Typed.(*rbacv1.RoleBinding); ok {
			s.setBinding(b)
		}
	}
	s.mu.Unlock()
	if o.RBAC() == nil {
		s.SetObject(o)
	}
}
