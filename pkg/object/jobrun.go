package object

import (
	"cmp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// The fields of `emrcontainers.services.k8s.aws/v1alpha1` JobRun (AWS
// Controllers for Kubernetes) that rules read.
type jobRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ConfigurationOverrides string       `json:"configurationOverrides"`
		ExecutionRoleARN       string       `json:"executionRoleARN"`
		ReleaseLabel           string       `json:"releaseLabel"`
		VirtualClusterID       string       `json:"virtualClusterID"`
		VirtualClusterRef      ACKReference `json:"virtualClusterRef"`
		JobDriver              struct {
			SparkSubmitJobDriver struct {
				SparkSubmitParameters string `json:"sparkSubmitParameters"`
			} `json:"sparkSubmitJobDriver"`
		} `json:"jobDriver"`
	} `json:"spec"`
}

// configurationOverrides has the fields of ConfigurationOverrides in the AWS SDK for
// Go, without tags as there: ACK's controller reads the text by ghodss/yaml, YAML or
// JSON with keys in any case.
type configurationOverrides struct {
	ApplicationConfiguration []classification
}

// classification is one entry of StartJobRun's applicationConfiguration.
type classification struct {
	Classification string
	Properties     map[string]string
	Configurations []classification
}

// VirtualClusterRef names the virtual cluster in which a JobRun runs, whatever the
// namespace of the JobRun.
type VirtualClusterRef struct {
	// ID of the virtual cluster, empty when an object names it.
	ID string
	// Name and Namespace of the VirtualCluster that names it, empty for none.
	Name, Namespace string
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

func decodeJobRun(o *Object, raw []byte) error {
	var x jobRun
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.ExecutionRole, o.ExecutionRolePath = x.Spec.ExecutionRoleARN, "spec.executionRoleARN"
	o.ReleaseLabel, o.ReleaseLabelPath = x.Spec.ReleaseLabel, "spec.releaseLabel"
	o.VirtualCluster = &VirtualClusterRef{
		ID: strings.TrimSpace(x.Spec.VirtualClusterID), Name: x.Spec.VirtualClusterRef.From.Name, Namespace: x.Spec.VirtualClusterRef.From.Namespace,
	}
	o.accountFields = []string{"spec.executionRoleARN"}
	const parameters = "spec.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters"
	o.Settings = appendTokens(o.Settings, x.Spec.JobDriver.SparkSubmitJobDriver.SparkSubmitParameters, parameters)
	overrides, textErr := readOverrides(x.Spec.ConfigurationOverrides)
	o.addClassifications(overrides.ApplicationConfiguration, maxFlattenDepth)
	o.addConfigured(o.Settings)
	return cmp.Or(err, textErr)
}

// readOverrides reads spec.configurationOverrides as ACK's controller does. With an
// error it returns what could be read; the controller then runs nothing of it.
func readOverrides(text string) (configurationOverrides, error) {
	var overrides configurationOverrides
	if err := yaml.Unmarshal([]byte(text), &overrides); err != nil {
		return overrides, describeText("spec.configurationOverrides", "the YAML or JSON of StartJobRun's configurationOverrides", err)
	}
	return overrides, nil
}

// overridesPath is the path of a classification in a JobRun.
func overridesPath(classification string) string {
	return MapPath("spec.configurationOverrides", classification)
}

func (o *Object) addClassifications(list []classification, depth int) {
	for _, c := range list {
		o.Settings = appendMap(o.Settings, c.Properties, overridesPath(c.Classification))
		if depth > 0 {
			o.addClassifications(c.Configurations, depth-1)
		}
	}
}
