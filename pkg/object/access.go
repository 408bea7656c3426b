package object

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object/decode"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// Secret is what rules read of a Secret: never what it holds.
type Secret struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Type              corev1.SecretType `json:"type"`
}

func decodeSecret(o *Object, raw []byte) error {
	_, err := decodeAs[Secret](o, raw)
	o.raw = nil // nobody compares Secrets, and nothing may keep their data
	return err
}

// decodeBinding reads what a Binding gives to the pod that it puts on a node: its
// annotations, and its labels.
func decodeBinding(o *Object, raw []byte) error {
	x, err := decodeAs[corev1.Binding](o, raw)
	o.Pods = []podspec.Pod{{Meta: &x.ObjectMeta, Spec: &corev1.PodSpec{}, MetaPath: "metadata", SpecPath: "spec"}}
	return err
}

// decodeOptions reads the options of a connection: `kubectl exec` and its like.
// Rules ask for nothing but the kind.
func decodeOptions(o *Object, raw []byte) error {
	var x metav1.TypeMeta
	err := decode.JSON(raw, &x)
	o.GVK, o.Meta = x.GroupVersionKind(), &metav1.ObjectMeta{}
	return err
}
