package object

import (
	"cmp"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/object/decode"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
)

func decodeJobRun(o *Object, raw []byte) error {
	x, err := decodeParts[ack.JobRun](o, raw)
	cluster := x.Spec.VirtualClusterRef.From
	o.Job = &Job{
		ExecutionRole: x.Spec.ExecutionRoleARN, ExecutionRolePath: "spec.executionRoleARN",
		ReleaseLabel: x.Spec.ReleaseLabel, ReleaseLabelPath: "spec.releaseLabel",
		VirtualCluster: &VirtualClusterRef{ID: strings.TrimSpace(x.Spec.VirtualClusterID), Name: cluster.Name, Namespace: cluster.Namespace},
		accountFields:  []string{"spec.executionRoleARN"},
	}
	const parameters = "spec.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters"
	o.Settings = jobconf.AppendTokens(o.Settings, x.Spec.JobDriver.SparkSubmitJobDriver.SparkSubmitParameters, parameters)
	overrides, textErr := readOverrides(x.Spec.ConfigurationOverrides)
	o.addClassifications(overrides.ApplicationConfiguration, maxClassifications)
	o.addConfigured(o.Settings)
	return cmp.Or(err, textErr)
}

// readOverrides reads spec.configurationOverrides as ACK's controller does. With an
// error it returns what could be read; the controller then runs nothing of it.
func readOverrides(text string) (ack.ConfigurationOverrides, error) {
	var overrides ack.ConfigurationOverrides
	if err := yaml.Unmarshal([]byte(text), &overrides); err != nil {
		return overrides, decode.DescribeText("spec.configurationOverrides", "the YAML or JSON of StartJobRun's configurationOverrides", err)
	}
	return overrides, nil
}

// maxClassifications is far more than classifications of EMR stand in each other.
const maxClassifications = 16

func (o *Object) addClassifications(list []ack.Classification, depth int) {
	for _, c := range list {
		o.Settings = jobconf.AppendMap(o.Settings, c.Properties, jobconf.OverridesPath(c.Classification))
		if depth > 0 {
			o.addClassifications(c.Configurations, depth-1)
		}
	}
}
