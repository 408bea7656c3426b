package spark

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Connect has the fields of `sparkoperator.k8s.io/v1alpha1` SparkConnect that rules read
// (kubeflow/spark-operator, api/v1alpha1). The operator makes the server's pod of its
// template, and starts the server with the configuration and the executors' template:
// the server is the driver.
type Connect struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Image      string            `json:"image"`
		SparkConf  map[string]string `json:"sparkConf"`
		HadoopConf map[string]string `json:"hadoopConf"`
		Server     ConnectPod        `json:"server"`
		Executor   ConnectPod        `json:"executor"`
	} `json:"spec"`
}

// ConnectPod is the server's or the executors' section.
type ConnectPod struct {
	Template *corev1.PodTemplateSpec `json:"template"`
}
