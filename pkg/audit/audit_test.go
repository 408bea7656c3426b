package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/manifest"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rules"
)

// judge judges files in namespace emr-jobs, which is managed.
func judge(t *testing.T, o audit.Options, change func(*config.Guard), text string) *report.Report {
	t.Helper()
	c := config.Default()
	c.EMR.Namespaces = []string{"emr-jobs"}
	if change != nil {
		change(c)
	}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var in manifest.Input
	in.Add("a.yaml", []byte(text))
	r, err := audit.ReadFiles(&in, "emr-jobs").Judge(t.Context(), c, e, rules.All(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found are the findings, as "object: rule".
func found(r *report.Report) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Object.String()+": "+f.Rule)
	}
	return list
}

const (
	role = `
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: exec}
rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]
`
	first = `
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: first}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: exec}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]
`
)

// TestEachGrantIsToldOnce has what two bindings give: neither hides the other.
func TestEachGrantIsToldOnce(t *testing.T) {
	t.Parallel()
	second := strings.ReplaceAll(first, "name: first", "name: second")
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"the first of two bindings":   {role + first + second, []string{"RoleBinding emr-jobs/first: rbac-pod-exec"}},
		"a binding before its role":   {first + role, []string{"RoleBinding emr-jobs/first: rbac-pod-exec", "Role emr-jobs/exec: rbac-pod-exec"}},
		"a binding without its role":  {first, []string{"RoleBinding emr-jobs/first: rbac-latent-grant"}},
		"a role that nobody is bound": {role, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := found(judge(t, audit.Options{}, nil, c.text)); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: etl}
spec:
  serviceAccountName: ACCOUNT
  containers: [{name: main, image: public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest}]
`

// TestPodsOfFilesAreJudgedAsInjected has Pods of which EKS has not seen anything yet.
func TestPodsOfFilesAreJudgedAsInjected(t *testing.T) {
	t.Parallel()
	const (
		driver   = "emr-containers-sa-spark-driver-123456789012-4en4r3jtsjjcf75iqnuasdqp1"
		accounts = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: plain}\n"
		skip     = "metadata: {name: etl, labels: {eks.amazonaws.com/skip-pod-identity-webhook: \"\"}}"
	)
	for name, c := range map[string]struct {
		account, text string
		want          []string
	}{
		"an account that EMR will make": {driver, pod, nil},
		"an account of another file":    {"somebody", pod, nil},
		"an account without a role":     {"plain", pod + accounts, []string{"Pod emr-jobs/etl: irsa-credentials"}},
		"the default account":           {"default", pod, []string{"Pod emr-jobs/etl: irsa-credentials"}},
		"a pod that opts out":           {driver, strings.ReplaceAll(pod, "metadata: {name: etl}", skip), []string{"Pod emr-jobs/etl: irsa-credentials"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, audit.Options{Rules: []string{"irsa-credentials"}}, nil, strings.ReplaceAll(c.text, "ACCOUNT", c.account))
			if got := found(r); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(pod, "ACCOUNT", "emr-containers-sa-spark-driver-123456789012-4en4r3jtsjjcf75iqnuasdqp1")
	host := strings.ReplaceAll(text, "spec:\n", "spec:\n  hostNetwork: true\n")
	exempt := func(c *config.Guard) {
		c.Exemptions = []config.Exemption{{Rule: "instance-profile-access", Namespace: "emr-jobs", Reason: "a ticket"}}
	}
	const hijacks, hostNetwork = "Pod emr-jobs/etl: service-account-hijack", "Pod emr-jobs/etl: instance-profile-access"
	alice := audit.Options{User: "alice", Groups: []string{"team"}, Rules: []string{"service-account-hijack"}}
	for name, c := range map[string]struct {
		options audit.Options
		change  func(*config.Guard)
		text    string
		want    []string
		note    string
	}{
		"nobody asks":     {audit.Options{Rules: []string{"service-account-hijack"}}, nil, text, nil, "Nobody asks"},
		"alice asks":      {alice, nil, text, []string{hijacks}, ""},
		"one rule":        {audit.Options{Rules: []string{"kube2iam-kiam-annotation"}}, nil, host, nil, ""},
		"another rule":    {audit.Options{Rules: []string{"instance-profile-access"}}, nil, host, []string{hostNetwork}, ""},
		"exempt":          {audit.Options{Rules: []string{"instance-profile-access"}}, exempt, host, nil, ""},
		"in warn mode":    {audit.Options{}, func(c *config.Guard) { c.Mode = "warn" }, text, nil, "nothing is denied"},
		"nothing is EMRs": {audit.Options{}, func(c *config.Guard) { c.EMR.Namespaces = nil; c.EMR.Discover = new(bool) }, host, nil, "No namespace of the input is EMR's"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, c.options, c.change, c.text)
			if got := found(r); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if !strings.Contains(strings.Join(r.Notes, "\n"), c.note) {
				t.Errorf("the notes are %q, want one that says %q", r.Notes, c.note)
			}
			if name == "exempt" && (len(r.Exempted) != 1 || r.Exempted[0].Reason != "a ticket" || r.Exempted[0].Line != 6) {
				t.Errorf("exempted are %+v", r.Exempted)
			}
		})
	}
	e, err := engine.New(config.Default(), rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.New(e, rules.All(), &audit.World{}, audit.Options{Rules: []string{"no-such-rule"}}); err == nil || !strings.Contains(err.Error(), "no-such-rule") {
		t.Errorf("an unknown rule: %v", err)
	}
}

func TestWhatCannotBeJudged(t *testing.T) {
	t.Parallel()
	r := judge(t, audit.Options{}, nil, "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: 7}\n---\n"+
		"apiVersion: v1\nkind: Pod\n---\napiVersion: example.org/v1\nkind: Other\nmetadata: {name: y}\n---\na: b\n---\n"+
		"apiVersion: v1\nkind: PodExecOptions\nmetadata: {name: z}\n")
	if r.Skipped != 3 || r.Judged != 0 || r.ExitCode() != 2 {
		t.Errorf("%d skipped, %d judged, exit code %d", r.Skipped, r.Judged, r.ExitCode())
	}
	if len(r.Problems) != 2 || r.Problems[0].Line != 1 || r.Problems[1].Line != 6 || !strings.Contains(r.Problems[1].Message, "metadata.name") {
		t.Errorf("the problems are %+v", r.Problems)
	}
}
