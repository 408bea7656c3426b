package object

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rbacKind makes the decoder of one of the four kinds of RBAC.
func rbacKind[T any](parts func(*T) (metav1.TypeMeta, *metav1.ObjectMeta)) func(*Object, []byte) error {
	return func(o *Object, raw []byte) error {
		x := new(T)
		err := unmarshal(raw, x)
		kind, meta := parts(x)
		o.set(kind, meta)
		o.RBAC = x
		return err
	}
}
