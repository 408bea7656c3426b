package audit

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rbac"
)

// World is what exists, as far as rules look it up. The zero World is empty.
type World struct {
	snapshot cluster.Snapshot
	roles    map[rbac.ObjectRef]runtime.Object
}

// Add takes an object in.
func (w *World) Add(o *object.Object) {
	w.snapshot.Add(o)
	switch role := o.RBAC.(type) {
	case *rbacv1.Role:
		w.addRole(rbac.ObjectRef{Kind: rbac.KindRole, Namespace: role.Namespace, Name: role.Name}, role)
	case *rbacv1.ClusterRole:
		w.addRole(rbac.ObjectRef{Kind: rbac.KindClusterRole, Name: role.Name}, role)
	}
}

func (w *World) addRole(ref rbac.ObjectRef, role runtime.Object) {
	if w.roles == nil {
		w.roles = map[rbac.ObjectRef]runtime.Object{}
	}
	w.roles[ref] = role
}

// count lets a role or binding grant what it grants, from now on.
func (w *World) count(o *object.Object) {
	if obj, ok := o.RBAC.(runtime.Object); ok {
		_ = w.snapshot.RBAC().Set(obj) // it knows the four kinds
	}
}
