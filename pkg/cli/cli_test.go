package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/cli"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rules"
)

// run runs a command line and returns exit code, output and errors.
func run(args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = cli.Execute(args, &o, &e)
	return code, o.String(), e.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRulesAreListedAndExplained(t *testing.T) {
	t.Parallel()
	code, table, _ := run("rules")
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	_, asJSON, _ := run("rules", "-o", "json")
	var list []struct {
		ID, Title string
		Clauses   []struct{ ID string }
		Reasons   []struct{ Name, Severity, Remediation string }
	}
	if err := json.Unmarshal([]byte(asJSON), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(rules.All()) {
		t.Errorf("%d rules are listed, there are %d", len(list), len(rules.All()))
	}
	for _, r := range list {
		if !strings.Contains(table, r.ID) {
			t.Errorf("the table lacks %s", r.ID)
		}
		code, text, _ := run("rules", r.ID)
		if code != 0 || !strings.Contains(text, r.Title) || !strings.Contains(text, r.Clauses[0].ID) || !strings.Contains(text, r.ID+"/"+r.Reasons[0].Name+"  ("+r.Reasons[0].Severity) || !strings.Contains(text, r.Reasons[0].Remediation) {
			t.Errorf("rules %s: exit code %d, %s", r.ID, code, text)
		}
	}
}

func TestUsageErrorsEndWithTwo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"rules", "no-such"}, "no-such"},
		{[]string{"rules", "-o", "xml"}, "xml"},
		{[]string{"no-such"}, "no-such"},
		{[]string{"config", "validate"}, "arg"},
		{[]string{"config", "validate", "/no/such/file"}, "/no/such/file"},
		{[]string{"webhook", "--port", "0", "--certificates", "provided"}, "--port"},
		{[]string{"webhook", "--certificates", "provided", "--namespace", "", "--audit-interval", "1h"}, "--audit-lease="},
		{[]string{"webhook", "--certificates", "provided", "--audit-lease", "", "--audit-interval", "1ms"}, "--audit-interval 1ms"},
		{[]string{"webhook", "--certificates", "provided", "--audit-lease", "", "--audit-qps", "0"}, "--audit-qps 0"},
		{[]string{"webhook", "--certificates", "provided", "--namespace", "x", "--audit-lease-duration", "0s"}, "--audit-lease-duration 0s"},
		{[]string{"webhook", "--certificates", "provided", "--audit-lease", "", "--log-level", "loud"}, "loud"},
		{[]string{"webhook", "--certificates", "provided", "--audit-lease", "", "--log-format", "xml"}, "xml"},
		{[]string{"webhook", "--certificates", "provided", "--audit-lease", "", "--config", "/no/such/file"}, "/no/such/file"},
		{[]string{"access", "-o", "xml"}, "xml"},
		{[]string{"access", "-f", "/no/such/file"}, "/no/such/file"},
		{[]string{"probe", "--ca-file", "/no/such/file"}, "/no/such/file"},
	} {
		if code, _, text := run(c.args...); code != 2 || !strings.Contains(text, c.want) {
			t.Errorf("%q: exit code %d, %q, want 2 and a word about %s", c.args, code, text, c.want)
		}
	}
}

func TestDefaultConfigurationIsValid(t *testing.T) {
	t.Parallel()
	code, text, _ := run("config", "default")
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if code, out, errOut := run("config", "validate", write(t, "config.yaml", text)); code != 0 || out != "valid\n" {
		t.Errorf("exit code %d, %q, %q", code, out, errOut)
	}
}

func TestValidateChecksRulesToo(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\n"
	for text, want := range map[string]string{
		"mode: block":                         "mode",
		"rules: {no-such: {}}":                "rules[no-such]",
		"rules: {pod-exec: {params: {a: 1}}}": `rules[pod-exec].params: unknown field "a"`,
		"rules: {rbac-pod-create: {params: {kinds: [{group: x, resource: ''}]}}}": "rules[rbac-pod-create].params",
	} {
		if code, _, errOut := run("config", "validate", write(t, "config.yaml", head+text)); code != 2 || !strings.Contains(errOut, want) {
			t.Errorf("%q: exit code %d, %q, want a word about %s", text, code, errOut, want)
		}
	}
	code, out, errOut := run("config", "validate", write(t, "config.yaml", head+"exemptions: [{rule: pod-exec, reason: old, expires: '2020-01-01T00:00:00Z'}]"))
	if code != 0 || out != "valid\n" || !strings.Contains(errOut, "has expired") {
		t.Errorf("an expired exemption: exit code %d, %q, %q", code, out, errOut)
	}
}

const manifests = `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: emr-jobs}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: writer, namespace: emr-jobs}
  rules: [{apiGroups: [""], resources: [configmaps, pods/exec], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: people, namespace: emr-jobs}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects:
- {kind: Group, name: data-scientists}
- {kind: User, name: emr-containers}
---
apiVersion: example.com/v1
kind: Unknown
metadata: {name: x}
---
# nothing
`

func TestAccessReadsFiles(t *testing.T) {
	t.Parallel()
	file := write(t, "all.yaml", manifests)
	code, out, errOut := run("access", "-n", "emr-jobs", "-f", file)
	if code != 1 || !strings.Contains(out, "Group data-scientists") || strings.Contains(out, "emr-containers") {
		t.Errorf("exit code %d, %s%s", code, out, errOut)
	}
	code, out, _ = run("access", "-n", "emr-jobs", "-f", file, "--explain", "group:data-scientists")
	if code != 1 || !strings.Contains(out, "rbac-pod-exec (FORBIDDEN): create pods/exec") || !strings.Contains(out, "by RoleBinding emr-jobs/people → Role writer → rules[0]") {
		t.Errorf("exit code %d, %s", code, out)
	}
	if code, out, _ = run("access", "-n", "emr-jobs", "-f", file, "--explain", "user:alice"); code != 0 {
		t.Errorf("alice holds nothing, but: exit code %d, %s", code, out)
	}
	code, out, _ = run("access", "-n", "emr-jobs", "-f", file, "-o", "json", "--all")
	var report struct {
		Holdings []struct {
			Subject      string
			Capabilities map[string]struct {
				Action             string
				Permissions, Paths []string
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	found := 0
	for _, h := range report.Holdings {
		if h.Subject != "Group data-scientists" && h.Subject != "User emr-containers" {
			continue // of the defaults
		}
		found++
		want := "deny"
		if h.Subject == "User emr-containers" {
			want = "off"
		}
		if h.Capabilities["rbac-configmap-write"].Action != want || len(h.Capabilities["rbac-configmap-write"].Paths) != 1 {
			t.Errorf("holding %+v", h)
		}
	}
	if found != 2 {
		t.Errorf("%d of the input hold something, want 2", found)
	}
}

func TestAccessSaysWhatIsWrongWithFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: b\n---\na: [": ":3: it is no YAML",
		"apiVersion: v1\nkind: Namespace\nmetadata: []": ":1: decode Namespace",
	} {
		file := write(t, "bad.yaml", text)
		if code, _, errOut := run("access", "-n", "a", "-f", file); code != 2 || !strings.Contains(errOut, want) || !strings.Contains(errOut, file) {
			t.Errorf("exit code %d, %q, want a word about %s", code, errOut, want)
		}
	}
}

// access never says that nobody holds anything when it has looked at nothing.
func TestAccessRefusesToLookAtNothing(t *testing.T) {
	t.Parallel()
	namespace := write(t, "ns.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	grants := write(t, "all.yaml", manifests)
	cluster := write(t, "cluster.yaml", clusterScoped)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-n", "a", "-f", namespace}, "no role and no binding"},
		{[]string{"-f", cluster}, "no namespace is managed"},
		{[]string{"-n", "a", "-f", t.TempDir()}, "holds no file that ends in"},
		{[]string{"-n", "emr-jobs", "-f", grants, "--explain", "alice"}, "write user:<name>, group:<name>"},
		{[]string{"-n", "emr-jobs", "-f", grants, "--explain", "system:masters"}, "write user:<name>, group:<name>"},
		{[]string{"-n", "emr-jobs", "-f", grants, "--explain", "group:"}, "names nobody"},
		{[]string{"-n", "emr-jobs", "-f", grants, "--explain", "sa:x"}, "serviceaccount:<namespace>/<name>"},
	} {
		if code, out, errOut := run(append([]string{"access"}, c.args...)...); code != 2 || !strings.Contains(errOut, c.want) || out != "" {
			t.Errorf("%q: exit code %d, want 2 and %q: %s%s", c.args, code, c.want, out, errOut)
		}
	}
	for _, args := range [][]string{{"-n", "a", "-f", namespace}, {"-f", cluster}} {
		if code, out, errOut := run(append([]string{"access", "--allow-empty"}, args...)...); code != 0 || strings.Contains(out, "nobody holds") {
			t.Errorf("%q: exit code %d, %s%s", args, code, out, errOut)
		}
	}
	if code, out, errOut := run("access", "-n", "emr-jobs", "-f", grants, "--explain", "system:serviceaccount:emr-jobs:x"); code != 0 || !strings.Contains(out, "holds nothing") {
		t.Errorf("the user name of an account: exit code %d, %s%s", code, out, errOut)
	}
}

func TestAccessKnowsTheRolesOfEveryCluster(t *testing.T) {
	t.Parallel()
	file := write(t, "edit.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ds, namespace: emr-jobs}\n"+
		"subjects: [{kind: Group, name: data-scientists}]\nroleRef: {kind: ClusterRole, name: edit}\n")
	if code, out, _ := run("access", "-n", "emr-jobs", "-f", file); code != 1 || !strings.Contains(out, "Group data-scientists") || strings.Contains(out, "system:") {
		t.Errorf("exit code %d, %s", code, out)
	}
	// What every cluster has is forbidden to nobody who has it.
	empty := write(t, "role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: none, namespace: emr-jobs}\n")
	if code, out, _ := run("access", "-n", "emr-jobs", "-f", empty); code != 0 || strings.Contains(out, "FORBIDDEN") || strings.Contains(out, "warned") {
		t.Errorf("the defaults alone: exit code %d, %s", code, out)
	}
	if code, out, _ := run("access", "-n", "emr-jobs", "-f", file, "--without-defaults"); code != 0 {
		t.Errorf("without the defaults: exit code %d, %s", code, out)
	}
}

func TestUnknownCommandsAreRefused(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"did you mean validate?":               {"config", "vaildate"},
		"there are default, explain, validate": {"config", "something", "else"},
		"did you mean check?":                  {"chek", "x.yaml"},
		`unknown command "nosuch"`:             {"help", "nosuch"},
		`unknown command "vaild"`:              {"help", "config", "vaild"},
		"did you mean bash?":                   {"completion", "bahs"},
	} {
		if code, out, errOut := run(args...); code != 2 || !strings.Contains(errOut, want) || out != "" {
			t.Errorf("%q: exit code %d, want 2 and %q: %s%s", args, code, want, out, errOut)
		}
	}
	for _, args := range [][]string{{}, {"config"}, {"help"}, {"help", "config"}, {"help", "config", "validate"}} {
		if code, out, errOut := run(args...); code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("%q: exit code %d, %s%s", args, code, out, errOut)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	_, command, _ := run("version")
	code, flag, errOut := run("--version")
	if code != 0 || flag != command || !strings.HasPrefix(flag, "emrguard v") {
		t.Errorf("exit code %d, %q beside %q%s", code, flag, command, errOut)
	}
}

func TestCheckReadsRolesOfAnAccount(t *testing.T) {
	t.Parallel()
	file := write(t, "iam.json", `{"RoleDetailList": [{"RoleName": "JobExecutionRole", "Arn": "arn:aws:iam::123456789012:role/JobExecutionRole",
		"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
			"Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A"},
			"Condition": {"StringLike": {"oidc.eks.us-east-1.amazonaws.com/id/A:sub": "system:serviceaccount:emr:emr-containers*"}}}]},
		"AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": "arn:aws:iam::123456789012:policy/own"}]}], "Policies": []}`)
	code, out, errOut := run("check", "--iam", file, "--rules", "execution-role-policy")
	if code != 0 || !strings.Contains(out, "Role JobExecutionRole") || !strings.Contains(out, "system:serviceaccount:emr:emr-containers*") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	if !strings.Contains(out, "The document of policy arn:aws:iam::123456789012:policy/own") {
		t.Errorf("the missing policy is not named: %s", out)
	}
	if code, _, errOut := run("check", "--iam", write(t, "bad.json", "{")); code != 2 || !strings.Contains(errOut, "bad.json") {
		t.Errorf("exit code %d, %q for a broken file", code, errOut)
	}
}

// Columns stand under each other, however wide the letters of a name are.
func TestAccessAlignsWideNames(t *testing.T) {
	t.Parallel()
	file := write(t, "edit.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ds, namespace: emr-jobs}\n"+
		"subjects: [{kind: Group, name: 데이터-과학}, {kind: Group, name: latin}]\nroleRef: {kind: ClusterRole, name: edit}\n")
	_, out, _ := run("access", "-n", "emr-jobs", "-f", file)
	at := map[int]bool{}
	for line := range strings.Lines(out) {
		if before, _, ok := strings.Cut(line, "submitter"); ok {
			at[report.Columns(before)] = true
		}
	}
	if len(at) != 1 {
		t.Errorf("the columns are not aligned:\n%s", out)
	}
}

// A name in a manifest never moves the cursor of who reads the table.
func TestAccessShowsNamesHarmlessly(t *testing.T) {
	t.Parallel()
	file := write(t, "edit.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ds, namespace: emr-jobs}\n"+
		`subjects: [{kind: Group, name: "a\e[2Kb"}]`+"\nroleRef: {kind: ClusterRole, name: edit}\n")
	for _, args := range [][]string{nil, {"--explain", "group:a\x1b[2Kb"}} {
		if code, out, errOut := run(append([]string{"access", "-n", "emr-jobs", "-f", file}, args...)...); code != 1 || strings.Contains(out, "\x1b") || !strings.Contains(out, `a\x1b[2Kb`) {
			t.Errorf("exit code %d: %q%s", code, out, errOut)
		}
	}
}
