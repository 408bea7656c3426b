package object

import (
	"bytes"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The fields of `flink.apache.org/v1beta1` FlinkDeployment that rules read.
type flinkDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ServiceAccount     string                  `json:"serviceAccount"`
		ExecutionRoleARN   string                  `json:"executionRoleArn"`
		ReleaseLabel       string                  `json:"emrReleaseLabel"`
		Image              string                  `json:"image"`
		FlinkConfiguration map[string]any          `json:"flinkConfiguration"`
		PodTemplate        *corev1.PodTemplateSpec `json:"podTemplate"`
		JobManager         flinkManager            `json:"jobManager"`
		TaskManager        flinkManager            `json:"taskManager"`
	} `json:"spec"`
}

type flinkManager struct {
	PodTemplate *corev1.PodTemplateSpec `json:"podTemplate"`
}

func decodeFlinkDeployment(o *Object, raw []byte) error {
	var x flinkDeployment
	err := unmarshal(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	account := x.Spec.ServiceAccount
	o.ExecutionRole, o.ExecutionRolePath, o.RunsAs = x.Spec.ExecutionRoleARN, "spec.executionRoleArn", account
	o.ReleaseLabel, o.ReleaseLabelPath = x.Spec.ReleaseLabel, "spec.emrReleaseLabel"
	for _, t := range []struct {
		template *corev1.PodTemplateSpec
		path     string
		role     string
	}{
		{x.Spec.PodTemplate, "spec.podTemplate", ""},
		{x.Spec.JobManager.PodTemplate, "spec.jobManager.podTemplate", roleJobManager},
		{x.Spec.TaskManager.PodTemplate, "spec.taskManager.podTemplate", roleTaskManager},
	} {
		if t.template == nil {
			continue
		}
		if t.template.Spec.ServiceAccountName == "" {
			t.template.Spec.ServiceAccountName = account
		}
		o.addPod(Pod{Meta: &t.template.ObjectMeta, Spec: &t.template.Spec, MetaPath: t.path + ".metadata", SpecPath: t.path + ".spec", Role: t.role})
	}
	settings := map[string]string{}
	flatten(settings, "", x.Spec.FlinkConfiguration, maxFlattenDepth)
	from := len(o.Settings)
	o.Settings = appendMap(o.Settings, settings, "spec.flinkConfiguration")
	if image := x.Spec.Image; image != "" {
		o.Settings = append(o.Settings, Setting{Key: "kubernetes.container.image.ref", Value: image, base: "spec.image"})
	}
	o.addConfigured(o.Settings[from:])
	o.fillAccounts(map[string]string{roleJobManager: account, roleTaskManager: account})
	return err
}

// maxFlattenDepth is far more than any Flink key has dots.
const maxFlattenDepth = 16

// flatten joins the keys of nested maps with dots: newer operators take the
// configuration as a tree, older ones as a flat map.
func flatten(into map[string]string, prefix string, tree map[string]any, depth int) {
	for key, value := range tree {
		if prefix != "" {
			key = prefix + "." + key
		}
		switch v := value.(type) {
		case map[string]any:
			if depth > 0 {
				flatten(into, key, v, depth-1)
			}
		case string:
			into[key] = v
		default:
			into[key] = scalar(v)
		}
	}
}

func scalar(v any) string {
	switch v.(type) {
	case nil:
		return ""
	case bool, int64, float64:
		return fmt.Sprint(v)
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
