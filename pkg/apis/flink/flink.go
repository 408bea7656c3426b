// Package flink has the fields of the custom resources of Apache's Flink operator, and of
// EMR's build of it, that rules read.
package flink

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Deployment has the fields of `flink.apache.org/v1beta1` FlinkDeployment that rules
// read.
type Deployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              Spec `json:"spec"`
}

// BlueGreenDeployment has the fields of `flink.apache.org/v1beta1`
// FlinkBlueGreenDeployment that rules read (1.13 and later): the FlinkDeployments that
// the operator makes in turn have the spec of the template.
type BlueGreenDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Template struct {
			Spec Spec `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

// Spec is what both say of the cluster.
type Spec struct {
	ServiceAccount string `json:"serviceAccount"`
	// ExecutionRoleARN and ReleaseLabel are EMR's.
	ExecutionRoleARN   string                  `json:"executionRoleArn"`
	ReleaseLabel       string                  `json:"emrReleaseLabel"`
	Image              string                  `json:"image"`
	FlinkConfiguration map[string]any          `json:"flinkConfiguration"`
	PodTemplate        *corev1.PodTemplateSpec `json:"podTemplate"`
	JobManager         Manager                 `json:"jobManager"`
	TaskManager        Manager                 `json:"taskManager"`
}

// Manager is the section of the job manager or of the task managers.
type Manager struct {
	PodTemplate *corev1.PodTemplateSpec `json:"podTemplate"`
}

// SessionJob has the fields of `flink.apache.org/v1beta1` FlinkSessionJob that rules
// read.
type SessionJob struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		// DeploymentName is the FlinkDeployment in which the job runs.
		DeploymentName string `json:"deploymentName"`
	} `json:"spec"`
}
