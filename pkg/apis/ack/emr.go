package ack

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// JobRun has the fields of `emrcontainers.services.k8s.aws/v1alpha1` JobRun that rules
// read.
type JobRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		// ConfigurationOverrides is text: a ConfigurationOverrides.
		ConfigurationOverrides string `json:"configurationOverrides"`
		ExecutionRoleARN       string `json:"executionRoleARN"`
		ReleaseLabel           string `json:"releaseLabel"`
		// VirtualClusterID names the virtual cluster, or VirtualClusterRef its object.
		VirtualClusterID  string    `json:"virtualClusterID"`
		VirtualClusterRef Reference `json:"virtualClusterRef"`
		JobDriver         struct {
			SparkSubmitJobDriver struct {
				SparkSubmitParameters string `json:"sparkSubmitParameters"`
			} `json:"sparkSubmitJobDriver"`
		} `json:"jobDriver"`
	} `json:"spec"`
}

// ConfigurationOverrides has the fields of ConfigurationOverrides in the AWS SDK for
// Go that rules read, without tags as there: the controller reads the text by
// ghodss/yaml, YAML or JSON with keys in any case.
type ConfigurationOverrides struct {
	ApplicationConfiguration []Classification
}

// Classification is one entry of StartJobRun's applicationConfiguration.
type Classification struct {
	Classification string
	Properties     map[string]string
	Configurations []Classification
}

// VirtualCluster has the fields of `emrcontainers.services.k8s.aws/v1alpha1`
// VirtualCluster that rules read.
type VirtualCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ContainerProvider struct {
			Info struct {
				EKSInfo struct {
					// Namespace of the EKS cluster in which jobs run.
					Namespace string `json:"namespace"`
				} `json:"eksInfo"`
			} `json:"info"`
		} `json:"containerProvider"`
	} `json:"spec"`
	Status struct {
		// ID of the virtual cluster, empty before it exists.
		ID string `json:"id"`
	} `json:"status"`
}
