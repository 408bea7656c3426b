package spark

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApacheApplication has the fields of `spark.apache.org/v1` SparkApplication that rules
// read (apache/spark-kubernetes-operator, spark-operator-api). The operator submits it
// with its configuration, and its templates as Spark's pod template files.
type ApacheApplication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		SparkConf    map[string]string `json:"sparkConf"`
		DriverArgs   []string          `json:"driverArgs"`
		DriverSpec   ApacheTemplate    `json:"driverSpec"`
		ExecutorSpec ApacheTemplate    `json:"executorSpec"`
	} `json:"spec"`
}

// ApacheTemplate is the driver's or the executors' section of an ApacheApplication.
type ApacheTemplate struct {
	PodTemplate *corev1.PodTemplateSpec `json:"podTemplateSpec"`
}

// ApacheCluster has the fields of `spark.apache.org/v1` SparkCluster that rules read. The
// operator makes two StatefulSets of it, whose containers get the configuration as
// options of the Java virtual machine. The ConfigMaps and Services that it makes besides
// are judged by themselves.
type ApacheCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		SparkConf  map[string]string `json:"sparkConf"`
		MasterSpec ApacheStatefulSet `json:"masterSpec"`
		WorkerSpec ApacheStatefulSet `json:"workerSpec"`
	} `json:"spec"`
}

// ApacheStatefulSet is the masters' or the workers' section of an ApacheCluster.
type ApacheStatefulSet struct {
	StatefulSetSpec struct {
		Template *corev1.PodTemplateSpec `json:"template"`
	} `json:"statefulSetSpec"`
}
