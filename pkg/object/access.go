package object

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object/decode"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// decodeSecret reads what a Secret is, never what it holds.
func decodeSecret(o *Object, raw []byte) error {
	var x struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Type              corev1.SecretType `json:"type"`
	}
	err := decode.JSON(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.SecretType = x.Type
	o.raw = nil // nobody compares Secrets, and nothing may keep their data
	return err
}

func decodeTokenRequest(o *Object, raw []byte) error {
	x := &authenticationv1.TokenRequest{}
	err := decode.JSON(raw, x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.Token = x
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
	o.set(x, &metav1.ObjectMeta{})
	return err
}
