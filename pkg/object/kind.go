package object

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object/decode"
)

// kind is a pointer to a struct with the TypeMeta and the ObjectMeta of an API object.
type kind[T any] interface {
	*T
	GetObjectKind() schema.ObjectKind
	GetObjectMeta() metav1.Object
}

// decodeAs reads the JSON into a new T, which becomes the object.
func decodeAs[T any, P kind[T]](o *Object, raw []byte) (*T, error) {
	return readAs[T, P](o, raw, decode.JSON)
}

// decodeParts does so for a custom resource: a field that cannot be read hides no other.
func decodeParts[T any, P kind[T]](o *Object, raw []byte) (*T, error) {
	return readAs[T, P](o, raw, decode.Parts)
}

func readAs[T any, P kind[T]](o *Object, raw []byte, read func([]byte, any) error) (*T, error) {
	x := new(T)
	err := read(raw, x)
	o.GVK = P(x).GetObjectKind().GroupVersionKind()
	o.Meta, _ = P(x).GetObjectMeta().(*metav1.ObjectMeta)
	o.Typed = x
	return x, err
}

// typed makes the decoder of a kind that rules read as it is.
func typed[T any, P kind[T]]() func(*Object, []byte) error {
	return func(o *Object, raw []byte) error {
		_, err := decodeAs[T, P](o, raw)
		return err
	}
}

// revision is the pod template that a StatefulSet or DaemonSet had at some time.
type revision struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Data              struct {
		Spec struct {
			Template *corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	} `json:"data"`
}

// decodeControllerRevision reads a revision. For any other owner's, which may hold
// whatever it likes, there is none.
func decodeControllerRevision(o *Object, raw []byte) error {
	x, err := decodeParts[revision](o, raw)
	if unread := (*decode.UnreadError)(nil); errors.As(err, &unread) {
		err = nil
	}
	o.addTemplate(x.Data.Spec.Template, "data.spec.template")
	return err
}

// workload makes the decoder of a kind with one pod template.
func workload[T any, P kind[T]](path string, template func(P) *corev1.PodTemplateSpec) func(*Object, []byte) error {
	return func(o *Object, raw []byte) error {
		x, err := decodeAs[T, P](o, raw)
		o.addTemplate(template(x), path)
		return err
	}
}
