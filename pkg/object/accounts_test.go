package object_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
)

var flinkKind = schema.GroupKind{Group: "flink.apache.org", Kind: "FlinkDeployment"}

func accounts(o *object.Object) string {
	var list []string
	for _, a := range o.Accounts() {
		list = append(list, a.Role+" "+a.Name+" "+a.Path)
	}
	return strings.Join(list, "\n")
}

// What runs as which account is what the operators make of the object, not the first
// field that names one.
func TestAccountsHaveTheOperatorsPrecedence(t *testing.T) {
	t.Parallel()
	const (
		flink = "{apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment, metadata: {name: x}, spec: "
		spark = "{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, metadata: {name: x}, spec: "
	)
	for name, c := range map[string]struct {
		kind       schema.GroupKind
		text, want string
	}{
		"Flink: nothing": {flinkKind, flink + "{}}", "jobmanager default spec.serviceAccount\ntaskmanager default spec.serviceAccount"},
		"Flink: EMR's own accounts": {
			flinkKind, flink + "{executionRoleArn: 'arn:aws:iam::123456789012:role/R'}}", "",
		},
		"Flink: the field before the settings and the template": {
			flinkKind, flink + "{serviceAccount: a, flinkConfiguration: {kubernetes.service-account: b}, podTemplate: {spec: {serviceAccountName: c}}}}",
			"jobmanager a spec.serviceAccount\ntaskmanager a spec.serviceAccount",
		},
		"Flink: a manager's setting before the field": {
			flinkKind, flink + "{serviceAccount: a, flinkConfiguration: {kubernetes.taskmanager.service-account: b}}}",
			"jobmanager a spec.serviceAccount\ntaskmanager b spec.flinkConfiguration[kubernetes.taskmanager.service-account]",
		},
		"Flink: the setting before the template": {
			flinkKind, flink + "{flinkConfiguration: {kubernetes.service-account: b}, podTemplate: {spec: {serviceAccount: c}}}}",
			"jobmanager b spec.flinkConfiguration[kubernetes.service-account]\ntaskmanager b spec.flinkConfiguration[kubernetes.service-account]",
		},
		"Flink: the manager's template before the common one": {
			flinkKind, flink + "{podTemplate: {spec: {serviceAccountName: c}}, taskManager: {podTemplate: {spec: {serviceAccountName: d}}}}}",
			"jobmanager c spec.podTemplate.spec.serviceAccountName\ntaskmanager d spec.taskManager.podTemplate.spec.serviceAccountName",
		},
		"Spark: nothing": {sparkKind, spark + "{}}", "driver default spec.driver.serviceAccount\nexecutor default spec.executor.serviceAccount"},
		"Spark: the section before the settings": {
			sparkKind, spark + "{driver: {serviceAccount: a, template: {spec: {serviceAccountName: c}}}, sparkConf: {spark.kubernetes.authenticate.driver.serviceAccountName: b}}}",
			"driver a spec.driver.serviceAccount\nexecutor a spec.driver.serviceAccount",
		},
		"Spark: the settings before the driver's template": {
			sparkKind, spark + "{driver: {template: {spec: {serviceAccountName: c}}}, sparkConf: {spark.kubernetes.authenticate.driver.serviceAccountName: b}}}",
			"driver b spec.sparkConf[spark.kubernetes.authenticate.driver.serviceAccountName]\nexecutor b spec.sparkConf[spark.kubernetes.authenticate.driver.serviceAccountName]",
		},
		"Spark: an executor's template and setting": {
			sparkKind, spark + "{driver: {serviceAccount: a}, executor: {serviceAccount: b, template: {spec: {serviceAccountName: c}}}}}",
			"driver a spec.driver.serviceAccount\nexecutor b spec.executor.serviceAccount\nexecutor c spec.executor.template.spec.serviceAccountName",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := accounts(decode(t, c.kind, c.text)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Whatever part of the object is bad, everything else is read; what may have named an
// account is known to be missing.
func TestABadPartHidesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spec             string
		unread, accounts []string
		runs             string
	}{
		"a quantity": {
			"{podTemplate: {spec: {containers: [{name: c, resources: {limits: {memory: lots, cpu: 1}}}], serviceAccountName: a}}}",
			[]string{"spec.podTemplate.spec.containers[0].resources.limits[memory]"},
			nil, "a",
		},
		"a port, a list and a time": {
			"{jobManager: {podTemplate: {metadata: {creationTimestamp: never}, spec: {tolerations: all, containers: [{name: c, livenessProbe: {tcpSocket: {port: [1]}}}]}}}, serviceAccount: a}",
			[]string{
				"spec.jobManager.podTemplate.metadata.creationTimestamp", "spec.jobManager.podTemplate.spec.containers[0].livenessProbe.tcpSocket.port",
				"spec.jobManager.podTemplate.spec.tolerations",
			},
			nil, "a",
		},
		"the account":           {"{serviceAccount: {name: a}}", []string{"spec.serviceAccount"}, []string{"spec.serviceAccount"}, "default"},
		"the template as text":  {"{serviceAccount: a, podTemplate: 'spec: {serviceAccountName: b}'}", []string{"spec.podTemplate"}, []string{"spec.podTemplate"}, "a"},
		"the spec as a list":    {"[serviceAccount]", []string{"spec"}, []string{"spec"}, "default"},
		"a number for a name":   {"{serviceAccount: 4711}", nil, nil, "4711"},
		"text for true":         {"{serviceAccount: a, podTemplate: {spec: {hostNetwork: 'TRUE'}}}", nil, nil, "a"},
		"null where a map is":   {"{serviceAccount: a, podTemplate: null, flinkConfiguration: null}", nil, nil, "a"},
		"another case":          {"{ServiceAccount: b, serviceAccount: a}", nil, nil, "a"},
		"the configuration":     {"{serviceAccount: a, flinkConfiguration: [x]}", []string{"spec.flinkConfiguration"}, []string{"spec.flinkConfiguration"}, "a"},
		"one of many templates": {"{serviceAccount: a, taskManager: {podTemplate: {spec: 7}}}", []string{"spec.taskManager.podTemplate.spec"}, []string{"spec.taskManager.podTemplate.spec"}, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := decode(t, flinkKind, "{apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment, metadata: {name: x}, spec: "+c.spec+"}")
			if got := o.Unread(); !slices.Equal(got, c.unread) {
				t.Errorf("unread are %q, want %q", got, c.unread)
			}
			if got := o.UnreadAccounts(); !slices.Equal(got, c.accounts) {
				t.Errorf("of them may name an account %q, want %q", got, c.accounts)
			}
			if list := o.Accounts(); len(list) != 2 || list[0].Name != c.runs {
				t.Errorf("it runs as %v, want %s", list, c.runs)
			}
			for i := range o.Pods {
				if name == "text for true" && !o.Pods[i].Spec.HostNetwork {
					t.Error("the operator takes the host's network, which was not seen")
				}
			}
		})
	}
}

// Each command in a container may name an account of its own.
func TestEveryAccountOfSettingsCounts(t *testing.T) {
	t.Parallel()
	o := decode(t, schema.GroupKind{Kind: "Pod"}, `
apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  serviceAccountName: own
  containers:
  - name: c
    command: [sh, -c, "spark-submit --conf spark.kubernetes.authenticate.driver.serviceAccountName=strong a.py; spark-submit --conf spark.kubernetes.authenticate.driver.serviceAccountName=harmless b.py"]
`)
	var got []string
	for _, a := range o.Accounts() {
		got = append(got, a.Name)
	}
	if want := []string{"own", "strong", "harmless"}; !slices.Equal(got, want) {
		t.Errorf("accounts %q, want %q", got, want)
	}
}
