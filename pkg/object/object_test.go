package object_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

func decode(t *testing.T, kind schema.GroupKind, text string) *object.Object {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	res, ok := object.FindKind(kind)
	if !ok {
		t.Fatalf("no resource for %s", kind)
	}
	o, err := object.Decode(res, raw)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func settings(o *object.Object) []string {
	var list []string
	for _, s := range o.Settings {
		list = append(list, s.Path()+" "+s.Key+"="+s.Value)
	}
	return list
}

var sparkDefaults = schema.GroupKind{Kind: "ConfigMap"}

// spark-defaults.conf is read by java.util.Properties, so every way in which that
// class reads a key is a way to write one.
func TestSparkDefaultsAreReadAsJavaProperties(t *testing.T) {
	t.Parallel()
	o := decode(t, sparkDefaults, `
apiVersion: v1
kind: ConfigMap
metadata: {name: 0000000337okspsc913-spark-defaults}
data:
  spark-defaults.conf: |
    # comment=1
      ! comment=2
    spark.blank value one
    spark.equals=value
    spark.colon : value
    spark.tab	value
    spark.both   =   value = x
    spark.escaped\=key value
    spark.\u0061scii value
    spark.continued val\
        ue
    spark.twoBackslashes value\\
    spark.none
    spark.hadoop.fs.s3a.access.key x
    spark.last \
`)
	want := []string{
		"spark.blank=value one", "spark.equals=value", "spark.colon=value", "spark.tab=value", "spark.both=value = x",
		"spark.escaped=key=value", "spark.ascii=value", "spark.continued=value", `spark.twoBackslashes=value\`, "spark.none=", "fs.s3a.access.key=x", "spark.last=",
	}
	for i, s := range o.Settings {
		if got := s.Key + "=" + s.Value; i >= len(want) || got != want[i] {
			t.Errorf("setting %d is %q, want %q", i, got, want[min(i, len(want)-1)])
		}
	}
	if len(o.Settings) != len(want) {
		t.Errorf("%d settings, want %d", len(o.Settings), len(want))
	}
	if p := o.Settings[0].Path(); p != "data[spark-defaults.conf][spark.blank]" {
		t.Errorf("path %q", p)
	}
}

func TestOtherConfigMapsHaveNoSettings(t *testing.T) {
	t.Parallel()
	o := decode(t, sparkDefaults, "{apiVersion: v1, kind: ConfigMap, metadata: {name: mine}, data: {a: spark.x y}}")
	if len(o.Settings) != 0 {
		t.Errorf("settings %q", settings(o))
	}
}

func TestSettingsInCommandLines(t *testing.T) {
	t.Parallel()
	o := decode(t, schema.GroupKind{Kind: "Pod"}, `
apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  initContainers:
  - {name: i, command: [spark-submit, --conf, spark.a.b=1, --conf=spark.c.d=2, -Dspark.e.f=3]}
  containers:
  - name: c
    command: [sh, -c, "spark-submit --conf 'spark.g.h=4 5' \\\n --conf spark.i.j=\"6\" && echo done"]
    args: [plain, no.dots, "=x", "a=b", "bash -c \"exec sh -c 'run --conf spark.k.l=7'\""]
    env:
    - {name: JAVA_TOOL_OPTIONS, value: "-Xmx1g -Daws.accessKeyId=8"}
    - {name: OTHER, value: "-Dx.y=9"}
    lifecycle: {postStart: {exec: {command: [run, spark.m.n=10]}}}
    livenessProbe: {exec: {command: [run, spark.o.p=11]}}
`)
	want := []string{
		"spec.initContainers[0].command[2] spark.a.b=1",
		"spec.initContainers[0].command[3] spark.c.d=2",
		"spec.initContainers[0].command[4] spark.e.f=3",
		"spec.containers[0].command[2] spark.g.h=4 5",
		"spec.containers[0].command[2] spark.i.j=6",
		"spec.containers[0].args[4] spark.k.l=7",
		"spec.containers[0].lifecycle.postStart.exec.command[1] spark.m.n=10",
		"spec.containers[0].livenessProbe.exec.command[1] spark.o.p=11",
		"spec.containers[0].env[0] aws.accessKeyId=8",
	}
	if got := settings(o); !slices.Equal(got, want) {
		t.Errorf("settings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A command line that nests quotes must not cost more than its length.
func TestDeeplyNestedCommandLineIsCheap(t *testing.T) {
	t.Parallel()
	const options = "-Dspark.driver.extraJavaOptions="
	for _, nested := range []string{strings.Repeat(`"' `, 200_000) + "spark.a.b=1", strings.Repeat(options, 50_000)} {
		testCheap(t, nested)
	}
}

func testCheap(t *testing.T, nested string) {
	t.Helper()
	o := decode(t, schema.GroupKind{Kind: "Pod"}, `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"c","args":["`+strings.ReplaceAll(nested, `"`, `\"`)+`"]}]}}`)
	if len(o.Pods) == 0 {
		t.Error("the pod is gone")
	}
}

func TestContainersAreAllContainers(t *testing.T) {
	t.Parallel()
	o := decode(t, schema.GroupKind{Group: "batch", Kind: "CronJob"}, `
apiVersion: batch/v1
kind: CronJob
metadata: {name: x}
spec: {jobTemplate: {spec: {template: {spec: {
  initContainers: [{name: a}, {name: b, restartPolicy: Always}],
  containers: [{name: c, env: [{name: e}], volumeMounts: [{name: v}]}],
  ephemeralContainers: [{name: d}],
  volumes: [{name: v}]}}}}}
`)
	var got []string
	for c := range o.Pods[0].Containers() {
		got = append(got, c.Name+" "+c.Path())
	}
	const spec = "spec.jobTemplate.spec.template.spec."
	want := []string{"a " + spec + "initContainers[0]", "b " + spec + "initContainers[1]", "c " + spec + "containers[0]", "d " + spec + "ephemeralContainers[0]"}
	if !slices.Equal(got, want) {
		t.Errorf("containers %q, want %q", got, want)
	}
	for c := range o.Pods[0].Containers() { // a consumer may stop anywhere
		if c.Name == "c" {
			if p := c.EnvPath(0) + " " + c.MountPath(0); p != spec+"containers[0].env[0] "+spec+"containers[0].volumeMounts[0]" {
				t.Errorf("paths %q", p)
			}
			break
		}
	}
}

func TestAccountOfAPod(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"{}":                      "default",
		"{serviceAccountName: a}": "a",
		"{serviceAccount: b}":     "b",
		"{serviceAccountName: a, serviceAccount: b}": "a",
	} {
		o := decode(t, schema.GroupKind{Kind: "Pod"}, "{apiVersion: v1, kind: Pod, spec: "+spec+"}")
		if got := o.Pods[0].ServiceAccountName(); got != want {
			t.Errorf("%s runs as %q, want %q", spec, got, want)
		}
	}
}

// What the pods of a custom resource are made of, wherever it stands in it.
func TestSparkApplicationPods(t *testing.T) {
	t.Parallel()
	o := decode(t, schema.GroupKind{Group: "sparkoperator.k8s.io", Kind: "SparkApplication"}, `
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: x}
spec:
  image: common
  volumes: [{name: v, hostPath: {path: /}}]
  sparkConf:
    spark.kubernetes.driver.annotation.k: v
    spark.kubernetes.driverEnv.E: from-conf
    spark.kubernetes.executor.volumes.hostPath.node.options.path: /proc
    spark.kubernetes.executor.volumes.hostPath.node.mount.path: /node
    spark.kubernetes.executor.secrets.keys: /root/.aws
    spark.kubernetes.executor.secretKeyRef.E: secret:key
    spark.kubernetes.authenticate.executor.serviceAccountName: other
  driver:
    serviceAccount: spark
    env: [{name: A}]
    envVars: {B: b}
    envSecretKeyRefs: {C: {name: s, key: k}}
    secrets: [{name: s, path: /s}]
    sidecars: [{name: side}]
    initContainers: [{name: init}]
    template: {spec: {containers: [{name: t}]}}
`)
	find := func(role string, configured bool) *podspec.Pod {
		i := slices.IndexFunc(o.Pods, func(p podspec.Pod) bool { return p.Role == role && p.Configured == configured })
		if i < 0 {
			t.Fatalf("no pod of role %q, configured %t", role, configured)
		}
		return &o.Pods[i]
	}
	driver := find("driver", false)
	var paths []string
	for c := range driver.Containers() {
		paths = append(paths, c.Name+" "+c.Path())
		for i := range c.Env {
			paths = append(paths, c.Env[i].Name+" "+c.EnvPath(i))
		}
		for i := range c.VolumeMounts {
			paths = append(paths, c.VolumeMounts[i].MountPath+" "+c.MountPath(i))
		}
	}
	paths = append(paths, driver.VolumePath(0), driver.VolumePath(1))
	want := []string{
		"init spec.driver.initContainers[0]", "driver spec.driver", "A spec.driver.env[0]", "B spec.driver.envVars[B]", "C spec.driver.envSecretKeyRefs[C]",
		"/s spec.driver.secrets[0]", "side spec.driver.sidecars[0]", "spec.volumes[0]", "spec.driver.secrets[0]",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("paths\n%s\nwant\n%s", strings.Join(paths, "\n"), strings.Join(want, "\n"))
	}
	if got := find("", false).SpecPath; got != "spec.driver.template.spec" {
		t.Errorf("the template stands at %q", got)
	}

	configured := find("driver", true)
	if configured.Meta.Annotations["k"] != "v" || configured.AnnotationPath("k") != "spec.sparkConf[spark.kubernetes.driver.annotation.k]" {
		t.Errorf("annotation %v at %q", configured.Meta.Annotations, configured.AnnotationPath("k"))
	}
	if got := configured.ServiceAccountName(); got != "spark" {
		t.Errorf("the configured driver runs as %q, the custom resource says spark", got)
	}
	executor := find("executor", true)
	if got := executor.ServiceAccountName(); got != "other" {
		t.Errorf("the configured executor runs as %q, its setting says other", got)
	}
	for c := range executor.Containers() {
		if c.Env[0].ValueFrom.SecretKeyRef.Key != "key" || len(c.VolumeMounts) != 2 {
			t.Errorf("the configured executor is %+v", c.Container)
		}
	}
	for i, v := range executor.Spec.Volumes {
		if v.Name == "node" && (v.HostPath.Path != "/proc" || executor.VolumePath(i) != "spec.sparkConf[spark.kubernetes.executor.volumes.hostPath.node.options.path]") {
			t.Errorf("volume %+v at %q", v, executor.VolumePath(i))
		}
	}
}

func TestFlinkConfigurationMayBeATree(t *testing.T) {
	t.Parallel()
	const text = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: x}
spec:
  serviceAccount: flink
  podTemplate: {spec: {containers: [{name: c}]}}
  flinkConfiguration: `
	for name, conf := range map[string]string{
		"flat": `{kubernetes.hostnetwork.enabled: "true", kubernetes.jobmanager.annotations: "a:b,'iam.amazonaws.com/role':r", kubernetes.env.secretKeyRef: "env:E,secret:s,key:k;env:F,secret:s,key:l"}`,
		"tree": `{kubernetes: {hostnetwork: {enabled: true}, jobmanager: {annotations: "a:b,'iam.amazonaws.com/role':r"}, env: {secretKeyRef: "env:E,secret:s,key:k;env:F,secret:s,key:l"}}}`,
	} {
		o := decode(t, schema.GroupKind{Group: "flink.apache.org", Kind: "FlinkDeployment"}, text+conf)
		seen := map[string]bool{}
		for i := range o.Pods {
			p := &o.Pods[i]
			if p.ServiceAccountName() != "flink" {
				t.Errorf("%s: the %s pod runs as %q", name, p.Role, p.ServiceAccountName())
			}
			if p.Configured && p.Spec.HostNetwork {
				seen[p.Role] = true
			}
			if p.Role == "jobmanager" && p.Meta.Annotations["iam.amazonaws.com/role"] != "r" {
				t.Errorf("%s: annotations %v", name, p.Meta.Annotations)
			}
			if p.Configured && len(p.Spec.Containers[0].Env) != 2 {
				t.Errorf("%s: env %v", name, p.Spec.Containers[0].Env)
			}
		}
		if !seen["jobmanager"] || !seen["taskmanager"] {
			t.Errorf("%s: host network of %v", name, seen)
		}
	}
}

func TestJobRunCarriesConfiguration(t *testing.T) {
	t.Parallel()
	o := decode(t, schema.GroupKind{Group: "emrcontainers.services.k8s.aws", Kind: "JobRun"}, `
apiVersion: emrcontainers.services.k8s.aws/v1alpha1
kind: JobRun
metadata: {name: x}
spec:
  jobDriver: {sparkSubmitJobDriver: {sparkSubmitParameters: "--conf spark.executorEnv.A=1 --class Main"}}
  configurationOverrides: |
    {"applicationConfiguration": [{"classification": "spark-defaults", "properties": {"spark.kubernetes.driverEnv.B": "2"},
      "configurations": [{"classification": "inner", "properties": {"fs.s3a.access.key": "3"}}]}]}
`)
	want := []string{
		"spec.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters spark.executorEnv.A=1",
		"spec.configurationOverrides[spark-defaults][spark.kubernetes.driverEnv.B] spark.kubernetes.driverEnv.B=2",
		"spec.configurationOverrides[inner][fs.s3a.access.key] fs.s3a.access.key=3",
	}
	if got := settings(o); !slices.Equal(got, want) {
		t.Errorf("settings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(o.Pods) != 2 {
		t.Errorf("%d pods, want a driver and an executor", len(o.Pods))
	}
}

// A release of an operator may change a field's type before emrguard knows.
func TestUnreadableFieldOfACustomResource(t *testing.T) {
	t.Parallel()
	for kind, text := range map[schema.GroupKind]string{
		{Group: "sparkoperator.k8s.io", Kind: "SparkApplication"}: `{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, spec: {driver: {env: {A: b}}, executor: {hostNetwork: true}}}`,
		{Group: "emrcontainers.services.k8s.aws", Kind: "JobRun"}: `{apiVersion: emrcontainers.services.k8s.aws/v1alpha1, kind: JobRun, spec: {configurationOverrides: "not: [yaml"}}`,
	} {
		if o := decode(t, kind, text); o.Unreadable == nil {
			t.Errorf("%s: everything was readable", kind)
		}
	}
}

func TestDecodeRefusesAnotherKind(t *testing.T) {
	t.Parallel()
	pods, _ := object.FindKind(schema.GroupKind{Kind: "Pod"})
	sparks, _ := object.FindKind(schema.GroupKind{Group: "sparkoperator.k8s.io", Kind: "SparkApplication"})
	for name, c := range map[string]struct {
		res object.Resource
		raw string
	}{
		"empty":              {pods, ""},
		"null":               {pods, "null"},
		"no kind":            {pods, "{}"},
		"another kind":       {pods, `{"apiVersion":"v1","kind":"ConfigMap"}`},
		"another group":      {pods, `{"apiVersion":"apps/v1","kind":"Pod"}`},
		"upper case":         {pods, `{"APIVERSION":"v1","KIND":"Pod"}`},
		"truncated":          {pods, `{"apiVersion":"v1","kind":"Pod"`},
		"wrong type":         {pods, `{"apiVersion":"v1","kind":"Pod","spec":{"containers":1}}`},
		"custom, truncated":  {sparks, `{"apiVersion":"sparkoperator.k8s.io/v1beta2","kind":"SparkApplication"`},
		"custom, not for it": {sparks, `{"apiVersion":"v1","kind":"Pod","spec":{"driver":1}}`},
		"nothing to decode":  {object.Resource{}, "{}"},
	} {
		if o, err := object.Decode(c.res, []byte(c.raw)); err == nil {
			t.Errorf("%s: decoded to %+v", name, o)
		}
	}
}

// TestImages proves that every image that an object names is seen, at the field
// that names it.
func TestImages(t *testing.T) {
	t.Parallel()
	flink := schema.GroupKind{Group: "flink.apache.org", Kind: "FlinkDeployment"}
	spark := schema.GroupKind{Group: "sparkoperator.k8s.io", Kind: "SparkApplication"}
	jobRun := schema.GroupKind{Group: "emrcontainers.services.k8s.aws", Kind: "JobRun"}
	for text, want := range map[string]struct {
		kind  schema.GroupKind
		paths []string
	}{
		"{spec: {containers: [{name: a, image: i}], initContainers: [{name: b, image: j}]}}": {
			schema.GroupKind{Kind: "Pod"}, []string{"spec.containers[0].image=i", "spec.initContainers[0].image=j"},
		},
		"{spec: {image: all, driver: {image: own, sidecars: [{name: s, image: side}]}, executor: {}, sparkConf: {spark.kubernetes.executor.container.image: ' conf '}}}": {
			spark, []string{
				"spec.driver.image=own", "spec.driver.sidecars[0].image=side", "spec.image=all",
				"spec.sparkConf[spark.kubernetes.executor.container.image]=conf",
			},
		},
		"{spec: {image: all, emrReleaseLabel: emr-7.13.0-flink-latest, flinkConfiguration: {kubernetes.container.image: conf}, podTemplate: {spec: {containers: [{name: t, image: side}]}}}}": {
			flink, []string{"spec.flinkConfiguration[kubernetes.container.image]=conf", "spec.image=all", "spec.podTemplate.spec.containers[0].image=side"},
		},
		// The last one wins for spark-submit, the first one for nobody: both count.
		`{spec: {jobDriver: {sparkSubmitJobDriver: {sparkSubmitParameters: "--conf spark.kubernetes.container.image=first --conf spark.kubernetes.container.image=last"}}}}`: {
			jobRun, []string{
				"spec.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters=first",
				"spec.jobDriver.sparkSubmitJobDriver.sparkSubmitParameters=last",
			},
		},
		`{spec: {configurationOverrides: '{"applicationConfiguration": [
			{"classification": "emr-containers-defaults", "properties": {"logging.image": "logs"}},
			{"classification": "emr-job-submitter", "properties": {"jobsubmitter.container.image": "runner", "jobsubmitter.logging.image": "more"}},
			{"classification": "other", "properties": {"logging.image": "no"}}]}'}}`: {
			jobRun, []string{
				"spec.configurationOverrides[emr-containers-defaults][logging.image]=logs",
				"spec.configurationOverrides[emr-job-submitter][jobsubmitter.container.image]=runner",
				"spec.configurationOverrides[emr-job-submitter][jobsubmitter.logging.image]=more",
			},
		},
	} {
		res, _ := object.FindKind(want.kind)
		o := decode(t, want.kind, "{apiVersion: '"+res.GroupVersion().String()+"', kind: "+res.Kind+", "+strings.TrimPrefix(text, "{"))
		var got []string
		for i := range o.Pods {
			for c := range o.Pods[i].Containers() {
				if one := c.ImagePath() + "=" + c.Image; c.Image != "" && !slices.Contains(got, one) {
					got = append(got, one)
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want.paths) {
			t.Errorf("%s\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want.paths, "\n"))
		}
	}
}
