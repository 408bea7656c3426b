package object

import (
	rbacv1 "k8s.io/api/rbac/v1"
)

func decodeRole(o *Object, raw []byte) error {
	x := &rbacv1.Role{}
	err := unmarshal(raw, x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.RBAC = x
	return err
}

func decodeClusterRole(o *Object, raw []byte) error {
	x := &rbacv1.ClusterRole{}
	err := unmarshal(raw, x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.RBAC = x
	return err
}

func decodeRoleBinding(o *Object, raw []byte) error {
	x := &rbacv1.RoleBinding{}
	err := unmarshal(raw, x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.RBAC = x
	return err
}

func decodeClusterRoleBinding(o *Object, raw []byte) error {
	x := &rbacv1.ClusterRoleBinding{}
	err := unmarshal(raw, x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.RBAC = x
	return err
}
