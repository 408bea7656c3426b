package object

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The fields of `emrcontainers.services.k8s.aws/v1alpha1` JobRun (AWS
// Controllers for Kubernetes) that rules read.
type jobRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ConfigurationOverrides string `json:"configurationOverrides"`
		ExecutionRoleARN       string `json:"executionRoleARN"`
		ReleaseLabel           string `json:"releaseLabel"`
		JobDriver              struct {
			SparkSubmitJobDriver struct {
				SparkSubmitParameters string `json:"sparkSubmitParameters"`
			} `json:"sparkSubmitJobDriver"`
		} `json:"jobDriver"`
	} `json:"spec"`
}

// classification is one entry of StartJobRun's applicationConfiguration.
type classification struct {
	Classification string            `json:"classification"`
	Properties     map[string]string `json:"properties"`
	Configurations []classification  `json:"configurations"`
}

func decodeJobRun(o *Object, raw []byte) error {
	var x jobRun
	err := unmarshal(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	if err != nil {
		return err
	}
	o.ExecutionRole, o.ExecutionRolePath = x.Spec.ExecutionRoleARN, "spec.executionRoleARN"
	o.ReleaseLabel, o.ReleaseLabelPath = x.Spec.ReleaseLabel, "spec.releaseLabel"
	const parameters = "spec.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters"
	o.Settings = appendTokens(o.Settings, x.Spec.JobDriver.SparkSubmitJobDriver.SparkSubmitParameters, parameters)
	if text := x.Spec.ConfigurationOverrides; text != "" {
		var overrides struct {
			ApplicationConfiguration []classification `json:"applicationConfiguration"`
		}
		if err := unmarshal([]byte(text), &overrides); err != nil {
			// Text inside a field that is no JSON leaves the object itself readable,
			// so the cause is told and not wrapped.
			return errors.New("spec.configurationOverrides is not the JSON of StartJobRun's configurationOverrides: " + err.Error())
		}
		o.addClassifications(overrides.ApplicationConfiguration, maxFlattenDepth)
	}
	o.addConfigured(o.Settings)
	return nil
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
