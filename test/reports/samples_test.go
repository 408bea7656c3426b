package reports_test

import (
	"bytes"
	"testing"

	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// nasty is text that somebody wrote who wants to break the reader.
const nasty = "\x1b[2J\x00\u009b\u202e\ufffe\uffff\xff]]> <![CDATA[ </failure> &lt; \"'\r\n [free](https://example.com) {0} \U000e0041 \u2028"

var pod = report.Object{APIVersion: "v1", Kind: "Pod", Namespace: "emr-jobs", Name: "etl"}

// finding is about the network of a pod in a file.
func finding(change func(*report.Finding)) report.Finding {
	f := report.Finding{
		Rule: "instance-profile-access", Reason: "host-network", Severity: rule.High, Clauses: []string{"emr/pod-credentials"}, Action: rule.Deny, Object: pod, Path: "spec.hostNetwork",
		Message: "the pod is on the host network", Remediation: "remove it",
		Guide: report.Guide{Section: "Restrict pod credential access", Address: "https://docs.aws.amazon.com/guide.html"},
		File:  "jobs/etl.yaml", Line: 14,
	}
	if change != nil {
		change(&f)
	}
	return f
}

// grant is about RBAC in a cluster.
func grant() report.Finding {
	return finding(func(f *report.Finding) {
		f.Rule, f.Action, f.File, f.Line = "rbac-pod-exec", rule.Deny, "", 0
		f.Object = report.Object{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRoleBinding", Name: "system:editors"}
		f.Path, f.Subject, f.Via = "roleRef", "Group data-scientists", "ClusterRoleBinding system:editors -> ClusterRole edit"
	})
}

// samples are reports of all kinds, with the rules that emrguard has.
func samples() map[string]*report.Report {
	made := func(findings ...report.Finding) *report.Report {
		return &report.Report{Tool: "v1.2.3", Rules: rules.All(), Findings: findings, Judged: 12, Skipped: 4}
	}
	warned := finding(func(f *report.Finding) { f.Rule, f.Action, f.Path = "kube2iam-kiam-daemonset", rule.Warn, "spec" })
	audited := finding(func(f *report.Finding) { f.Rule, f.Action = "namespace-writers", rule.Audit })
	exempted := made()
	exempted.Exempted = []report.Exempted{{Finding: finding(nil), Exemption: "incident 4711"}}
	problems := made(warned)
	problems.Problems = []report.Problem{
		{File: "jobs/broken.yaml", Line: 3, Message: "not YAML"}, {File: "jobs/broken.yaml", Line: 9, Message: "not YAML"}, {Message: "no API server"},
	}
	problems.Notes = []string{"Secrets were not read", "Secrets were not read"}
	other := finding(func(f *report.Finding) {
		*f = report.Finding{
			Rule: nasty, Reason: nasty, Severity: nasty, Clauses: []string{nasty}, Action: nasty, Object: report.Object{APIVersion: nasty, Kind: nasty, Namespace: nasty, Name: nasty}, Path: nasty,
			Subject: nasty, Via: nasty, Message: nasty, Remediation: nasty, File: nasty, Line: -1,
		}
	})
	hostile := made(other, finding(func(f *report.Finding) { f.Message = nasty }))
	hostile.Tool = nasty
	hostile.Rules = append(hostile.Rules, rule.Rule{ID: nasty, Title: nasty, Doc: nasty, Clauses: []guide.Clause{{Guide: nasty, ID: nasty, Section: nasty, Address: nasty}}, Reasons: []*rule.Reason{{Name: nasty, Severity: nasty, Message: nasty, Remedy: nasty}}}, rule.Rule{})
	hostile.Exempted = []report.Exempted{{Finding: other, Exemption: nasty}}
	hostile.Problems = []report.Problem{{File: nasty, Line: -1, Message: nasty}}
	hostile.Notes = []string{nasty}
	return map[string]*report.Report{
		"nothing":  {},
		"clean":    made(),
		"many":     made(finding(nil), warned, audited, finding(func(f *report.Finding) { f.Line, f.Path = 20, "spec.hostPID" })),
		"stdin":    made(finding(func(f *report.Finding) { f.File = "-" })),
		"no line":  made(finding(func(f *report.Finding) { f.Line = 0 })),
		"cluster":  made(finding(func(f *report.Finding) { f.File, f.Line = "", 0 }), grant(), grant()),
		"paths":    made(finding(func(f *report.Finding) { f.File = "my jobs/50%#?.yaml" }), finding(func(f *report.Finding) { f.File = "a:b" }), finding(func(f *report.Finding) { f.File = "/작업.yaml" })),
		"deferred": made(finding(func(f *report.Finding) { f.Deferred, f.Object.Kind = true, "Deployment" })),
		"exempted": exempted,
		"problems": problems,
		"hostile":  hostile,
	}
}

func written(t *testing.T, r *report.Report, f report.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, f, report.Options{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
