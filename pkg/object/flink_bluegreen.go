package object

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The fields of `flink.apache.org/v1beta1` FlinkBlueGreenDeployment that rules read
// (apache/flink-kubernetes-operator, 1.13 and later): the FlinkDeployments that the
// operator makes in turn have the spec of the template.
type flinkBlueGreenDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Template struct {
			Spec flinkSpec `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

func decodeFlinkBlueGreenDeployment(o *Object, raw []byte) error {
	var x flinkBlueGreenDeployment
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addFlink(&x.Spec.Template.Spec, "spec.template.spec")
	return err
}
