package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	onTheHost = "apiVersion: v1\nkind: Pod\nmetadata: {name: %, namespace: emr-jobs}\nspec:\n  hostNetwork: true\n  containers: [{name: c, image: public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest}]\n"
	clean     = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %, namespace: emr-jobs}\n"
)

func manifestOf(text, name string) string { return strings.ReplaceAll(text, "%", name) }

// folder writes files into a folder and answers it.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCheckEndsByWhatItFinds(t *testing.T) {
	t.Parallel()
	bad, good := write(t, "bad.yaml", manifestOf(onTheHost, "etl")), write(t, "good.yaml", manifestOf(clean, "settings"))
	dryRun := write(t, "config.yaml", "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\nmode: warn\nemr: {namespaces: [emr-jobs]}\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{good}, 0, "Nothing breaks the guide: 1 object judged"},
		{[]string{bad}, 1, bad + ":5  spec.hostNetwork"},
		{[]string{good, bad}, 1, "2 objects judged: 1 denied"},
		{[]string{"--mode", "warn", bad}, 0, "0 denied, 2 warned"},
		{[]string{"--mode", "enforce", bad}, 1, "1 denied, 1 warned"},
		{[]string{"--mode", "deny", bad}, 1, "2 denied, 0 warned"},
		{[]string{"--mode", "deny", "--rules", "irsa-credentials", bad}, 1, "DENY   irsa-credentials"},
		{[]string{"--config", dryRun, "--mode", "enforce", bad}, 1, "1 denied, 1 warned"},
		{[]string{"--config", dryRun, bad}, 0, "0 denied, 2 warned"},
		{[]string{"--fail-on", "none", bad}, 0, "1 denied, 1 warned"},
		{[]string{"--fail-on", "warn", "--mode", "warn", bad}, 1, "0 denied, 2 warned"},
		{[]string{"--fail-on", "warn", "--rules", "irsa-credentials", bad}, 1, "0 denied, 1 warned"},
		{[]string{"--fail-on", "deny", "--rules", "irsa-credentials", bad}, 0, "0 denied, 1 warned"},
		{[]string{"-f", bad}, 1, bad + ":5  spec.hostNetwork"},
		{[]string{"--filename", good, bad}, 1, "2 objects judged: 1 denied"},
		{[]string{"--rules", "kube2iam-kiam-annotation", bad}, 0, "1 rule"},
	} {
		if code, out, errOut := run(append([]string{"check"}, c.args...)...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", c.args, code, c.code, c.want, out, errOut)
		}
	}
}

func TestCheckRefusesBadUsage(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", manifestOf(clean, "settings"))
	for want, args := range map[string][]string{
		"name the files":   {},
		"/no/such/file":    {"/no/such/file"},
		`"xml" is none`:    {"-o", "xml", good},
		`--mode "off"`:     {"--mode", "off", good},
		`--fail-on "all"`:  {"--fail-on", "all", good},
		"--as-group needs": {"--as-group", "a", good},
		`--color "blue"`:   {"--color", "blue", good},
		"no-such-rule":     {"--rules", "no-such-rule", good},
		"/no/such/config":  {"--config", "/no/such/config", good},
	} {
		if code, out, errOut := run(append([]string{"check"}, args...)...); code != 2 || !strings.Contains(errOut, want) || out != "" {
			t.Errorf("%q: exit code %d, want 2 and a word about %s: %s%s", args, code, want, out, errOut)
		}
	}
}

// One file that cannot be read hides nothing of the others, and is never taken for
// a clean one.
func TestCheckNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	var bomb strings.Builder
	bomb.WriteString("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c < 'k'; c++ {
		fmt.Fprintf(&bomb, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	for _, c := range []struct {
		name, text string
		line       string
	}{
		{"tabs.yaml", "apiVersion: v1\nkind: Pod\n\tmetadata: {}\n", ":"},
		{"second.yaml", manifestOf(clean, "a") + "---\nkind: [\n", ":"},
		{"list.yaml", "- a\n- b\n", ":1"},
		{"wrong.yaml", "# a comment\napiVersion: v1\nkind: Pod\nmetadata: []\n", ":2"},
		{"nameless.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {}\n", ":1"},
		{"chart.yaml", "{{- if .Values.x }}\napiVersion: v1\n{{- end }}\n", ":1"},
		{"named.yaml", "# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\n", ":2"},
		{"cut.json", `{"apiVersion": "v1", "kind": "Pod"`, ":1"},
		{"deep.yaml", "apiVersion: v1\nkind: Pod\nspec: " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "\n", ":1"},
		{"bomb.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n" + bomb.String(), ":"},
		{"big.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x, annotations: {a: " + strings.Repeat("x", 17<<20) + "}}\n", ":"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{
				c.name: c.text, "etl.yaml": manifestOf(onTheHost, "etl"),
				"unknown.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\n", "values.yml": "replicas: 1\n", "readme.txt": "kind: [",
			})
			code, out, errOut := run("check", dir)
			if code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			if at := "\n  " + filepath.Join(dir, c.name) + c.line; !strings.Contains(out, "Could not be judged:") || !strings.Contains(out, at) {
				t.Errorf("the report does not name %s", at)
			}
			if !strings.Contains(out, "etl.yaml:5  spec.hostNetwork") || !strings.Contains(out, "2 of kinds that no rule reads skipped: 1 denied") || !strings.Contains(out, "1 problem.") {
				t.Error("the other files were not judged and counted")
			}
			if t.Failed() {
				t.Logf("%s%s", out[:min(len(out), 3000)], errOut)
			}
			code, out, _ = run("check", "-o", "json", dir)
			if !json.Valid([]byte(out)) || code != 2 {
				t.Errorf("as JSON: exit code %d, %s", code, out[:min(len(out), 1000)])
			}
		})
	}
}

const clusterScoped = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: readers}
subjects: [{kind: Group, name: data-scientists, apiGroup: rbac.authorization.k8s.io}]
roleRef: {kind: ClusterRole, name: reader, apiGroup: rbac.authorization.k8s.io}
`

// A pipeline fails on a workload of which the Pods will be refused, in every format.
func TestCheckIsAGateForWorkloads(t *testing.T) {
	t.Parallel()
	const (
		head = "metadata: {name: web, namespace: emr-jobs}\n"
		pod  = "{hostNetwork: true, containers: [{name: c, image: i}]}"
	)
	for name, text := range map[string]string{
		"Deployment":       "apiVersion: apps/v1\nkind: Deployment\n" + head + "spec: {template: {spec: " + pod + "}}\n",
		"CronJob":          "apiVersion: batch/v1\nkind: CronJob\n" + head + "spec: {jobTemplate: {spec: {template: {spec: " + pod + "}}}}\n",
		"PodTemplate":      "apiVersion: v1\nkind: PodTemplate\n" + head + "template: {spec: " + pod + "}\n",
		"SparkApplication": "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\n" + head + "spec: {driver: {hostNetwork: true}}\n",
		"FlinkDeployment":  "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\n" + head + "spec: {podTemplate: {spec: " + pod + "}}\n",
		"pod template":     "spec: " + pod + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "web.yaml", text)
			for format, want := range map[string]string{
				"text": "DENY (its Pods)  instance-profile-access", "json": `"deferred": true`, "sarif": "\"ruleIndex\": 0,\n          \"level\": \"error\"", "junit": "<failure ",
			} {
				args := []string{"check", "-n", "emr-jobs", "-o", format, "--rules", "instance-profile-access", file}
				if code, out, errOut := run(args...); code != 1 || !strings.Contains(out, want) || format == "json" && !strings.Contains(out, `"denied": 1`) {
					t.Errorf("%s: exit code %d, want 1 and %s: %s%s", format, code, want, out, errOut)
				}
				if code, out, _ := run(append(args, "--mode", "warn")...); code != 0 || strings.Contains(out, want) {
					t.Errorf("%s in warn mode: exit code %d: %s", format, code, out)
				}
			}
		})
	}
}

// The Pods of a workload are refused for what EKS will not inject as well, which
// nobody sees in the workload itself.
func TestCheckLooksAtThePodsOfAWorkload(t *testing.T) {
	t.Parallel()
	const account = "emr-containers-sa-spark-driver-123456789012-4en4r3jtsjjcf75iqnuasdqp1"
	file := write(t, "web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: emr-jobs}\nspec:\n  template:\n"+
		"    metadata: {labels: {eks.amazonaws.com/skip-pod-identity-webhook: 'true'}}\n    spec:\n      serviceAccountName: "+account+"\n"+
		"      containers: [{name: c, image: i}]\n")
	code, out, errOut := run("check", "--rules", "irsa-credentials", file)
	if want := "DENY (its Pods)  irsa-credentials/managed-account-without-credentials  " + file + ":9  spec.template.spec.containers"; code != 1 || !strings.Contains(out, want) {
		t.Errorf("exit code %d, want %q in\n%s%s", code, want, out, errOut)
	}
}

// A command that has looked at nothing ends with 2, and says what it expected.
func TestCheckRefusesToJudgeNothing(t *testing.T) {
	t.Parallel()
	conf := write(t, "config.yaml", "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\nemr: {namespaces: [other]}\n")
	good, foreign := write(t, "good.yaml", manifestOf(clean, "settings")), write(t, "values.yaml", "replicas: 2\n")
	grants := write(t, "grants.yaml", clusterScoped)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{t.TempDir()}, "holds no file that ends in .yaml"},
		{[]string{write(t, "empty.yaml", "")}, "holds no document"},
		{[]string{foreign}, "no object of a kind that a rule reads"},
		{[]string{"--config", conf, good}, "no object is in a managed namespace; managed are other"},
		{[]string{grants}, "no namespace is managed"},
		{[]string{"--rules", "karpenter-instance-metadata", good}, "no rule that was asked reads"},
	} {
		for _, format := range []string{"text", "json", "sarif", "junit"} {
			args := append([]string{"check", "-o", format}, c.args...)
			if code, out, errOut := run(args...); code != 2 || !strings.Contains(out, c.want) || strings.Contains(out, "Nothing breaks") {
				t.Errorf("%q: exit code %d, want 2 and %q: %s%s", args, code, c.want, out, errOut)
			}
			if code, out, errOut := run(append(args, "--allow-empty")...); code != 0 || strings.Contains(out, "Nothing breaks") {
				t.Errorf("%q allowed: exit code %d: %s%s", args, code, out, errOut)
			}
		}
	}
	// -n names the managed namespace for what has none.
	if code, out, _ := run("check", "-n", "emr-jobs", grants); code != 1 || !strings.Contains(out, "ClusterRoleBinding readers") {
		t.Errorf("exit code %d: %s", code, out)
	}
	// What was judged decides when something was, and the rest is told.
	if code, out, _ := run("check", good, foreign, t.TempDir()); code != 0 || !strings.Contains(out, "1 of kinds that no rule reads skipped") || !strings.Contains(out, "holds no file") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// Findings that the limit of one object leaves out are told.
func TestCheckTellsWhatItDoesNotList(t *testing.T) {
	t.Parallel()
	var containers strings.Builder
	for i := range 150 {
		fmt.Fprintf(&containers, "  - {name: c%d, image: i, securityContext: {privileged: true}}\n", i)
	}
	file := write(t, "many.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: many, namespace: emr-jobs}\nspec:\n  containers:\n"+containers.String())
	if code, out, errOut := run("check", "--rules", "instance-profile-access", file); code != 1 || !strings.Contains(out, "further findings are not listed") {
		t.Errorf("exit code %d: %s%s", code, out[max(0, len(out)-1000):], errOut)
	}
}

// Files seldom hold the IngressClass: the name of the one that the AWS Load Balancer
// Controller's chart makes says enough, that of another one says nothing.
func TestCheckKnowsTheLoadBalancerControllersClassByName(t *testing.T) {
	t.Parallel()
	const ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: ui, namespace: emr-jobs}\n" +
		"spec:\n  ingressClassName: %\n  defaultBackend: {service: {name: ui, port: {number: 80}}}\n"
	const other = "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: alb}\nspec: {controller: example.com/ingress}\n"
	for _, c := range []struct{ text, want string }{
		{manifestOf(ingress, "alb"), "nothing limits the sources of the internal load balancer"},
		{manifestOf(ingress, "nginx"), "Nothing breaks the guide"},
		{manifestOf(ingress, "alb") + other, "Nothing breaks the guide"},
	} {
		if code, out, errOut := run("check", "-n", "emr-jobs", "--rules", "endpoint-exposure", write(t, "ingress.yaml", c.text)); code != 0 || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, want 0 and %q\n%s%s", c.text, code, c.want, out, errOut)
		}
	}
}
