package object

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/apis/flink"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

func decodeFlinkDeployment(o *Object, raw []byte) error {
	x, err := decodeParts[flink.Deployment](o, raw)
	o.addFlink(&x.Spec, "spec")
	return err
}

func decodeFlinkBlueGreenDeployment(o *Object, raw []byte) error {
	x, err := decodeParts[flink.BlueGreenDeployment](o, raw)
	o.addFlink(&x.Spec.Template.Spec, "spec.template.spec")
	return err
}

func decodeFlinkSessionJob(o *Object, raw []byte) error {
	x, err := decodeParts[flink.SessionJob](o, raw)
	o.Job = &Job{Session: x.Spec.DeploymentName, accountFields: []string{"spec.deploymentName"}}
	return err
}

// addFlink reads the spec of a Flink cluster, which stands at that path.
func (o *Object) addFlink(s *flink.Spec, path string) {
	o.Job = &Job{
		ExecutionRole: s.ExecutionRoleARN, ExecutionRolePath: path + ".executionRoleArn",
		ReleaseLabel: s.ReleaseLabel, ReleaseLabelPath: path + ".emrReleaseLabel",
	}
	for _, t := range []struct {
		template *corev1.PodTemplateSpec
		path     string
		role     string
	}{
		{s.PodTemplate, path + ".podTemplate", ""},
		{s.JobManager.PodTemplate, path + ".jobManager.podTemplate", podspec.RoleJobManager},
		{s.TaskManager.PodTemplate, path + ".taskManager.podTemplate", podspec.RoleTaskManager},
	} {
		if t.template != nil {
			o.addPod(podspec.Pod{Meta: &t.template.ObjectMeta, Spec: &t.template.Spec, MetaPath: t.path + ".metadata", SpecPath: t.path + ".spec", Role: t.role})
		}
	}
	from := len(o.Settings)
	configuration := jobconf.Flatten(s.FlinkConfiguration)
	for _, p := range configuration {
		o.Settings = jobconf.Append(o.Settings, p.Key, p.Value, path+".flinkConfiguration")
	}
	if image := s.Image; image != "" {
		o.Settings = append(o.Settings, jobconf.At("kubernetes.container.image.ref", image, path+".image"))
	}
	// The templates' own accounts, before a stronger field takes their place.
	accounts := flinkAccounts(s, path, configuration)
	o.addConfigured(o.Settings[from:])
	for _, role := range []string{podspec.RoleJobManager, podspec.RoleTaskManager} {
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
func flinkAccounts(s *flink.Spec, path string, configuration []jobconf.Property) map[string][][]named {
	setting := func(key string) []named {
		fields := []named{{fieldpath.Key(path+".flinkConfiguration", key), ""}}
		for _, p := range configuration {
			if jobconf.AccountName(p.Key) == key {
				fields = append(fields, named{fieldpath.Key(path+".flinkConfiguration", p.Key), p.Value})
			}
		}
		return fields
	}
	ranks := map[string][][]named{}
	for role, manager := range map[string]*corev1.PodTemplateSpec{podspec.RoleJobManager: s.JobManager.PodTemplate, podspec.RoleTaskManager: s.TaskManager.PodTemplate} {
		field := map[string]string{podspec.RoleJobManager: "jobManager", podspec.RoleTaskManager: "taskManager"}[role]
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
