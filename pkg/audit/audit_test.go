package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

const (
	rbacHead  = "---\napiVersion: rbac.authorization.k8s.io/v1\n"
	aggregate = rbacHead + "kind: ClusterRole\nmetadata: {name: top}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {agg: top}}]}\n"
	part      = rbacHead + "kind: ClusterRole\nmetadata: {name: part, labels: {agg: top}}\nrules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]\n"
	toTop     = rbacHead + "kind: RoleBinding\nmetadata: {name: ds}\nsubjects: [{kind: Group, name: data-scientists}]\nroleRef: {kind: ClusterRole, name: top}\n"
	basicUser = rbacHead + "kind: ClusterRole\nmetadata: {name: system:basic-user}\nrules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]\n"
	toAdmin   = rbacHead + "kind: ClusterRoleBinding\nmetadata: {name: everybody}\nsubjects: [{kind: Group, name: everybody}]\nroleRef: {kind: ClusterRole, name: cluster-admin}\n"
	ownAdmin  = rbacHead + "kind: ClusterRole\nmetadata: {name: cluster-admin}\nrules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n"
	delegator = rbacHead + "kind: ClusterRoleBinding\nmetadata: {name: keda}\nsubjects: [{kind: ServiceAccount, name: keda, namespace: keda}]\nroleRef: {kind: ClusterRole, name: system:auth-delegator}\n"
	joinsEdit = rbacHead + "kind: ClusterRole\nmetadata: {name: more, labels: {rbac.authorization.k8s.io/aggregate-to-view: 'true'}}\nrules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]\n"
	toView    = rbacHead + "kind: RoleBinding\nmetadata: {name: viewers}\nsubjects: [{kind: Group, name: viewers}]\nroleRef: {kind: ClusterRole, name: view}\n"
)

// What a set of files grants together is found once, at the binding, whatever the
// order of the documents. Two bindings that give the same are both found: whoever
// removes one leaves the other.
func TestFilesAreOneState(t *testing.T) {
	t.Parallel()
	second := strings.ReplaceAll(first, "name: first", "name: second")
	for name, c := range map[string]struct {
		documents []string
		want      []string // sorted
	}{
		"two bindings give the same":        {[]string{role, first, second}, []string{"RoleBinding emr-jobs/first: rbac-pod-exec", "RoleBinding emr-jobs/second: rbac-pod-exec"}},
		"a binding and its role":            {[]string{first, role}, []string{"RoleBinding emr-jobs/first: rbac-pod-exec"}},
		"a binding without its role":        {[]string{first}, []string{"RoleBinding emr-jobs/first: rbac-latent-grant"}},
		"a role that nobody is bound":       {[]string{role}, nil},
		"an aggregate of the input":         {[]string{toTop, aggregate, part}, []string{"RoleBinding emr-jobs/ds: rbac-secret-read"}},
		"a default role that is redefined":  {[]string{basicUser}, []string{"ClusterRole system:basic-user: rbac-guard-namespaces", "ClusterRole system:basic-user: rbac-secret-read"}},
		"the input wins over a default":     {[]string{ownAdmin, toAdmin}, nil},
		"a default that gives nothing here": {[]string{delegator}, nil},
		"nobody is bound to a default":      {[]string{joinsEdit}, nil},
		"a role that is defined twice":      {[]string{first, role, strings.ReplaceAll(role, "pods/exec", "pods/log")}, []string{"RoleBinding emr-jobs/first: rbac-pod-exec"}},
		"an aggregate, defined twice":       {[]string{toTop, aggregate, part, rbacHead + "kind: ClusterRole\nmetadata: {name: top}\n"}, []string{"RoleBinding emr-jobs/ds: rbac-secret-read"}},
		"a default binding is replaced":     {[]string{basicUser, rbacHead + "kind: ClusterRoleBinding\nmetadata: {name: system:basic-user}\nroleRef: {kind: ClusterRole, name: system:basic-user}\n"}, nil},
		"a role that joins a default":       {[]string{joinsEdit, toView}, []string{"RoleBinding emr-jobs/viewers: rbac-secret-read"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, documents := range orders(c.documents) {
				got := found(judge(t, audit.Options{}, nil, strings.Join(documents, "")))
				slices.Sort(got)
				if !slices.Equal(got, c.want) {
					t.Errorf("found %q, want %q in\n%s", got, c.want, strings.Join(documents, ""))
				}
			}
		})
	}
}

// orders are all orders of a few documents.
func orders(list []string) [][]string {
	if len(list) < 2 {
		return [][]string{list}
	}
	var all [][]string
	for i := range list {
		for _, rest := range orders(slices.Delete(slices.Clone(list), i, i+1)) {
			all = append(all, append([]string{list[i]}, rest...))
		}
	}
	return all
}

func TestDefaultsOfEveryCluster(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options audit.Options
		text    string
		want    string
	}{
		"cluster-admin":         {audit.Options{}, toAdmin, "rbac-secret-read"},
		"without the defaults":  {audit.Options{WithoutDefaults: true}, toAdmin, "rbac-latent-grant"},
		"edit":                  {audit.Options{}, strings.ReplaceAll(toTop, "name: top", "name: edit"), "rbac-pod-exec"},
		"admin":                 {audit.Options{}, strings.ReplaceAll(toTop, "name: top", "name: admin"), "rbac-escalation"},
		"a name that is no one": {audit.Options{}, strings.ReplaceAll(toTop, "name: top", "name: edits"), "rbac-latent-grant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := found(judge(t, c.options, nil, c.text)); !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, ": "+c.want) }) {
				t.Errorf("found %q, want %s", got, c.want)
			}
		})
	}
	// What every cluster has is no finding.
	if got := found(judge(t, audit.Options{}, nil, role)); len(got) > 0 {
		t.Errorf("the defaults alone: %q", got)
	}
}

const clean = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"

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
		"nobody need ask": {audit.Options{}, nil, clean, nil, ""},
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
			if name == "nobody need ask" && len(r.Notes) > 0 {
				t.Errorf("there is nothing to note: %q", r.Notes)
			}
			if name == "exempt" && (len(r.Exempted) != 1 || r.Exempted[0].Exemption != "a ticket" || r.Exempted[0].Line != 6) {
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
		"apiVersion: v1\nkind: Secret\n---\napiVersion: example.org/v1\nkind: Other\nmetadata: {name: y}\n---\na: b\n---\n"+
		"apiVersion: v1\nkind: PodExecOptions\nmetadata: {name: z}\n")
	if r.Skipped != 3 || r.Judged != 0 || r.ExitCode() != 2 {
		t.Errorf("%d skipped, %d judged, exit code %d", r.Skipped, r.Judged, r.ExitCode())
	}
	if len(r.Problems) != 2 || r.Problems[0].Line != 1 || r.Problems[1].Line != 6 || !strings.Contains(r.Problems[1].Message, "metadata.name") {
		t.Errorf("the problems are %+v", r.Problems)
	}
}

// A pod template file is judged as a template that has the name of its file. Spark
// and EMR add the account, so nothing is said of it.
func TestPodTemplateFiles(t *testing.T) {
	t.Parallel()
	const spec = "spec:\n  hostNetwork: true\n  containers: [{name: spark-kubernetes-driver}]\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a Pod without a name":     {"apiVersion: v1\nkind: Pod\n" + spec, []string{"Pod emr-jobs/a: instance-profile-access"}},
		"with labels":              {"apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n" + spec, []string{"Pod emr-jobs/a: instance-profile-access"}},
		"without a kind":           {spec, []string{"Pod emr-jobs/a: instance-profile-access"}},
		"only an API version":      {"apiVersion: v1\n" + spec, []string{"Pod emr-jobs/a: instance-profile-access"}},
		"as JSON":                  {`{"spec": {"hostNetwork": true, "containers": [{"name": "a"}]}}`, []string{"Pod emr-jobs/a: instance-profile-access"}},
		"nothing wrong":            {"apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a}]}\n", nil},
		"with a token of its own":  {"apiVersion: v1\nkind: Pod\nmetadata: {labels: {eks.amazonaws.com/skip-pod-identity-webhook: ''}}\nspec: {containers: [{name: a}]}\n", nil},
		"a name is a Pod, no file": {"apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n" + spec, []string{"Pod emr-jobs/x-*: instance-profile-access", "Pod emr-jobs/x-*: irsa-credentials"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, audit.Options{}, nil, c.text)
			if got := found(r); !slices.Equal(got, c.want) || len(r.Problems) > 0 {
				t.Errorf("found %q and the problems %v, want %q", got, r.Problems, c.want)
			}
			for _, f := range r.Findings {
				if isTemplate := f.Object.Name == "a"; f.Deferred != isTemplate {
					t.Errorf("%s is deferred: %v", f.Object, f.Deferred)
				}
			}
		})
	}
}

// A report never says that all is well when nothing was judged.
func TestNothingJudged(t *testing.T) {
	t.Parallel()
	const outside = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: web}\n"
	nowhere := func(c *config.Guard) { c.EMR.Namespaces = nil }
	for name, c := range map[string]struct {
		rules  []string
		change func(*config.Guard)
		text   string
		want   string // "" when something was judged
	}{
		"another kind":             {nil, nil, "apiVersion: example.org/v1\nkind: Other\nmetadata: {name: y}\n", "no object of a kind that a rule reads"},
		"no document":              {nil, nil, "# nothing\n", "holds no document"},
		"outside":                  {nil, nil, outside, "no object is in a managed namespace"},
		"cluster-scoped, no scope": {nil, nowhere, part, "no namespace is managed"},
		"selected by label": {nil, func(c *config.Guard) {
			c.EMR = config.EMR{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"emr": "yes"}}, Discover: new(bool)}
		}, clean, "add the Namespace to them"},
		"cluster-scoped":              {nil, nil, part, ""},
		"a rule that reads no such":   {[]string{"karpenter-instance-metadata"}, nil, clean, "no rule that was asked reads"},
		"one outside, one inside":     {nil, nil, outside + "---\n" + clean, ""},
		"a finding outside":           {nil, nil, "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: kube2iam, namespace: kube-system}\nspec: {template: {spec: {hostNetwork: true, containers: [{name: a, image: jtblin/kube2iam:0.11}]}}}\n", ""},
		"one of another kind, inside": {nil, nil, "a: b\n---\n" + clean, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, refuse := range []bool{true, false} {
				r := judge(t, audit.Options{Rules: c.rules, RefuseEmpty: refuse}, c.change, c.text)
				if (r.Empty == "") != (c.want == "") || !strings.Contains(r.Empty, c.want) {
					t.Errorf("the report says that it is empty because %q, want %q", r.Empty, c.want)
				}
				if got := r.ExitCode() == 2; got != (refuse && c.want != "") {
					t.Errorf("refusing it: %v, and the exit code is %d", refuse, r.ExitCode())
				}
				var out strings.Builder
				if err := r.Write(&out, report.Text, report.Options{}); err != nil {
					t.Fatal(err)
				}
				if c.want != "" && strings.Contains(out.String(), "Nothing breaks the guide") {
					t.Errorf("the report reassures: %s", &out)
				}
			}
		})
	}
}
