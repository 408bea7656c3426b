package object

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The fields of `flink.apache.org/v1beta1` FlinkDeployment that rules read.
type flinkDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              flinkSpec `json:"spec"`
}

type flinkSpec struct {
	ServiceAccount     string                  `json:"serviceAccount"`
	ExecutionRoleARN   string                  `json:"executionRoleArn"`
	ReleaseLabel       string                  `json:"emrReleaseLabel"`
	Image              string                  `json:"image"`
	FlinkConfiguration map[string]any          `json:"flinkConfiguration"`
	PodTemplate        *corev1.PodTemplateSpec `json:"podTemplate"`
	JobManager         flinkManager            `json:"jobManager"`
	TaskManager        flinkManager            `json:"taskManager"`
}

type flinkManager struct {
	PodTemplate *corev1.PodTemplateSpec `json:"podTemplate"`
}

func decodeFlinkDeployment(o *Object, raw []byte) error {
	var x flinkDeployment
	err := unmarshalParts(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addFlink(&x.Spec, "spec")
	return err
}

// addFlink reads the spec of a Flink cluster, which stands at that path.
func (o *Object) addFlink(s *flinkSpec, path string) {
	o.ExecutionRole, o.ExecutionRolePath = s.ExecutionRoleARN, path+".executionRoleArn"
	o.ReleaseLabel, o.ReleaseLabelPath = s.ReleaseLabel, path+".emrReleaseLabel"
	for _, t := range []struct {
		template *corev1.PodTemplateSpec
		path     string
		role     string
	}{
		{s.PodTemplate, path + ".podTemplate", ""},
		{s.JobManager.PodTemplate, path + ".jobManager.podTemplate", roleJobManager},
		{s.TaskManager.PodTemplate, path + ".taskManager.podTemplate", roleTaskManager},
	} {
		if t.template != nil {
			o.addPod(Pod{Meta: &t.template.ObjectMeta, Spec: &t.template.Spec, MetaPath: t.path + ".metadata", SpecPath: t.path + ".spec", Role: t.role})
		}
	}
	from := len(o.Settings)
	configuration := flatten(nil, "", s.FlinkConfiguration, maxFlattenDepth)
	for _, p := range configuration {
		o.Settings = appendSetting(o.Settings, p.key, p.value, path+".flinkConfiguration", p.key, maxNesting)
	}
	if image := s.Image; image != "" {
		o.Settings = append(o.Settings, Setting{Key: "kubernetes.container.image.ref", Value: image, base: path + ".image"})
	}
	// The templates' own accounts, before a stronger field takes their place.
	accounts := flinkAccounts(s, path, configuration)
	o.addConfigured(o.Settings[from:])
	for _, role := range flinkRoles {
		o.runAs(role, accounts[role]...)
	}
}

// flinkAccounts ranks the fields that name the account of each pod, as Apache's
// operator and Flink read them, sources of 2026:
//
//   - FlinkConfigBuilder.applyServiceAccount writes spec.serviceAccount over
//     `kubernetes.service-account` of the configuration;
//   - KubernetesConfigOptions: `kubernetes.{jobmanager,taskmanager}.service-account`
//     come before that key, which is their fallback;
//   - KubernetesUtils.resolveUserDefinedValue lets any of these keys go before the pod
//     template, of which getServiceAccount reads the deprecated field first;
//   - FlinkConfigBuilder.applyPodTemplate lays the template of the manager over the
//     common one, field by field.
//
// With executionRoleArn, EMR's operator names accounts of its own.
func flinkAccounts(s *flinkSpec, path string, configuration []property) map[string][][]named {
	setting := func(key string) []named {
		fields := []named{{MapPath(path+".flinkConfiguration", key), ""}}
		for _, p := range configuration {
			if accountName(p.key) == key {
				fields = append(fields, named{MapPath(path+".flinkConfiguration", p.key), p.value})
			}
		}
		return fields
	}
	ranks := map[string][][]named{}
	for role, manager := range map[string]*corev1.PodTemplateSpec{roleJobManager: s.JobManager.PodTemplate, roleTaskManager: s.TaskManager.PodTemplate} {
		field := map[string]string{roleJobManager: "jobManager", roleTaskManager: "taskManager"}[role]
		own := templateAccounts(manager, path+"."+field+".podTemplate")
		common := templateAccounts(s.PodTemplate, path+".podTemplate")
		ranks[role] = [][]named{
			setting("kubernetes." + role + ".service-account"),
			{{path + ".serviceAccount", s.ServiceAccount}},
			setting("kubernetes.service-account"),
			own[:1], common[:1], own[1:], common[1:],
		}
	}
	// The field that is meant to name the account is the one to point at when none
	// does.
	for role := range ranks {
		ranks[role] = slices.Insert(ranks[role], 0, []named{{path + ".serviceAccount", ""}})
	}
	return ranks
}

// templateAccounts are the two fields of a pod template that name its account: the
// deprecated one, and the other.
func templateAccounts(t *corev1.PodTemplateSpec, path string) []named {
	fields := []named{{path: path + ".spec.serviceAccount"}, {path: path + ".spec.serviceAccountName"}}
	if t != nil {
		fields[0].name, fields[1].name = t.Spec.DeprecatedServiceAccount, t.Spec.ServiceAccountName
	}
	return fields
}

// maxFlattenDepth is far more than any Flink key has dots.
const maxFlattenDepth = 16

// flatten joins the keys of nested maps with dots: newer operators take the
// configuration as a tree, older ones as a flat map. A key that is written both ways
// comes twice: which one wins is the operator's affair.
func flatten(list []property, prefix string, tree map[string]any, depth int) []property {
	for _, name := range sortedKeys(tree) {
		key := name
		if prefix != "" {
			key = prefix + "." + name
		}
		switch v := tree[name].(type) {
		case map[string]any:
			if depth > 0 {
				list = flatten(list, key, v, depth-1)
			}
		case string:
			list = append(list, property{key, v})
		default:
			list = append(list, property{key, scalar(v)})
		}
	}
	return list
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
