// Package spark has the fields of the custom resources of the two Spark operators,
// Kubeflow's and Apache's, that rules read.
package spark

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImageKey is the setting by which Spark takes the image of driver and executors.
const ImageKey = "spark.kubernetes.container.image"

// Application has the fields of `sparkoperator.k8s.io/v1beta2` SparkApplication that
// rules read.
type Application struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              Spec `json:"spec"`
}

// ScheduledApplication has the fields of `sparkoperator.k8s.io/v1beta2`
// ScheduledSparkApplication that rules read.
type ScheduledApplication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Template Spec `json:"template"`
	} `json:"spec"`
}

// Spec is what both say of the application.
type Spec struct {
	Image      string            `json:"image"`
	SparkConf  map[string]string `json:"sparkConf"`
	HadoopConf map[string]string `json:"hadoopConf"`
	Volumes    []corev1.Volume   `json:"volumes"`
	Driver     Pod               `json:"driver"`
	Executor   Pod               `json:"executor"`
}

// Pod is the driver's or the executors' section.
type Pod struct {
	Image              string                     `json:"image"`
	Annotations        map[string]string          `json:"annotations"`
	Labels             map[string]string          `json:"labels"`
	Env                []corev1.EnvVar            `json:"env"`
	EnvVars            map[string]string          `json:"envVars"`
	EnvFrom            []corev1.EnvFromSource     `json:"envFrom"`
	EnvSecretKeyRefs   map[string]NameKey         `json:"envSecretKeyRefs"`
	Secrets            []Mounted                  `json:"secrets"`
	ConfigMaps         []Mounted                  `json:"configMaps"`
	VolumeMounts       []corev1.VolumeMount       `json:"volumeMounts"`
	HostNetwork        *bool                      `json:"hostNetwork"`
	ServiceAccount     *string                    `json:"serviceAccount"`
	SecurityContext    *corev1.SecurityContext    `json:"securityContext"`
	PodSecurityContext *corev1.PodSecurityContext `json:"podSecurityContext"`
	Sidecars           []corev1.Container         `json:"sidecars"`
	Lifecycle          *corev1.Lifecycle          `json:"lifecycle"`
	JavaOptions        string                     `json:"javaOptions"`
	InitContainers     []corev1.Container         `json:"initContainers"`
	Template           *corev1.PodTemplateSpec    `json:"template"`
}

// NameKey is a key of a Secret.
type NameKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// Mounted is a Secret or ConfigMap with the path at which it is mounted.
type Mounted struct {
	Name string `json:"name"`
	Path string `json:"path"`
}
