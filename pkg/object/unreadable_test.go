package object_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	sparkKind  = schema.GroupKind{Group: "sparkoperator.k8s.io", Kind: "SparkApplication"}
	jobRunKind = schema.GroupKind{Group: "emrcontainers.services.k8s.aws", Kind: "JobRun"}
)

// The message speaks of the API, not of the types of Go that decode it, and quotes
// nothing of what it read.
func TestUnreadableFieldIsNamedWithoutTypesOfGo(t *testing.T) {
	t.Parallel()
	const jobRun = "{apiVersion: emrcontainers.services.k8s.aws/v1alpha1, kind: JobRun, metadata: {name: x}, spec: {configurationOverrides: "
	for name, c := range map[string]struct {
		kind schema.GroupKind
		text string
		want string
	}{
		"a string for a list": {
			sparkKind, "{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, metadata: {name: x}, spec: {volumes: secret-word}}",
			"spec.volumes: expected a list, found a string",
		},
		"a number for a map": {
			sparkKind, "{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, metadata: {name: x}, spec: {driver: 4711}}",
			"spec.driver: expected a map, found a number",
		},
		"an object for a string": {
			sparkKind, "{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, metadata: {name: x}, spec: {image: {name: secret-word}}}",
			"spec.image: expected a string, found an object",
		},
		"text that is no YAML": {
			jobRunKind, jobRun + `"a: [secret-word"}}`,
			"spec.configurationOverrides: expected the YAML or JSON of StartJobRun's configurationOverrides, found text that is neither, from line 1 on",
		},
		"a key that is a map": {
			jobRunKind, jobRun + `"{? {a: b} : secret-word}"}}`,
			"spec.configurationOverrides: expected the YAML or JSON of StartJobRun's configurationOverrides, found text that is neither",
		},
		"a field of another type inside the text": {
			jobRunKind, jobRun + `"ApplicationConfiguration: secret-word"}}`,
			"spec.configurationOverrides: ApplicationConfiguration: expected a list, found a string",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := decode(t, c.kind, c.text)
			if o.Unreadable == nil {
				t.Fatal("it is readable")
			}
			if got := o.Unreadable.Error(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if strings.Contains(o.Unreadable.Error(), "secret-word") {
				t.Error("the message quotes the object")
			}
		})
	}
}

// ACK's controller reads the overrides by ghodss/yaml: YAML or JSON, keys in any case.
func TestJobRunOverridesAreReadAsTheControllerReadsThem(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"JSON":             `{"applicationConfiguration":[{"classification":"spark-defaults","properties":{"spark.a":"1","spark.b":"true"}}]}`,
		"JSON in capitals": `{"APPLICATIONCONFIGURATION":[{"Classification":"spark-defaults","PROPERTIES":{"spark.a":"1","spark.b":"true"}}]}`,
		"YAML": `
ApplicationConfiguration:
- Classification: spark-defaults
  Properties: {spark.a: 1, spark.b: true}
MonitoringConfiguration: null`,
		"YAML with an anchor": `
x: &x {spark.a: 1}
applicationConfiguration: [{classification: spark-defaults, properties: {<<: *x, spark.b: true}}]`,
		"nested": `
applicationConfiguration: [{classification: emr-containers-defaults, configurations: [{classification: spark-defaults, properties: {spark.a: 1, spark.b: true}}]}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := decode(t, jobRunKind, "{apiVersion: emrcontainers.services.k8s.aws/v1alpha1, kind: JobRun, metadata: {name: x}, spec: {configurationOverrides: "+quote(text)+"}}")
			if o.Unreadable != nil {
				t.Fatal(o.Unreadable)
			}
			got := strings.Join(settings(o), "; ")
			if want := "spec.configurationOverrides[spark-defaults][spark.a] spark.a=1; spec.configurationOverrides[spark-defaults][spark.b] spark.b=true"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// What stands beside unreadable overrides is read all the same.
func TestUnreadableOverridesLeaveTheParametersReadable(t *testing.T) {
	t.Parallel()
	o := decode(t, jobRunKind, `
apiVersion: emrcontainers.services.k8s.aws/v1alpha1
kind: JobRun
metadata: {name: x}
spec:
  configurationOverrides: "["
  jobDriver: {sparkSubmitJobDriver: {sparkSubmitParameters: "--conf spark.kubernetes.driverEnv.A=b"}}
`)
	if o.Unreadable == nil || len(o.Pods) != 1 {
		t.Errorf("unreadable: %v, %d pods", o.Unreadable, len(o.Pods))
	}
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}
