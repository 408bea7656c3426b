package report_test

import (
	"bytes"
	"testing"

	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

var (
	etl     = report.Object{APIVersion: "v1", Kind: "Pod", Namespace: "emr-jobs", Name: "etl"}
	editor  = report.Object{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRoleBinding", Name: "editors"}
	clause  = guide.Clause{Guide: guide.EMR, ID: "pod-credentials", Section: "Restrict pod credential access", Address: "https://docs.aws.amazon.com/guide.html"}
	clauses = []string{"emr/pod-credentials"}
	section = report.Guide{Section: clause.Section, Address: clause.Address}
)

var hostNetwork = report.Finding{
	Rule: "instance-profile-access", Reason: "host-network", Severity: rule.High, Clauses: clauses, Action: rule.Deny, Object: etl, Path: "spec.hostNetwork",
	Message: "the pod is on the host network", Remediation: "remove it; a job needs no access to its node",
	Guide: section, File: "jobs/etl.yaml", Line: 14,
}

var unsigned = report.Finding{
	Rule: "image-registry", Reason: "foreign-registry", Severity: rule.Medium, Clauses: clauses, Action: rule.Warn, Object: etl, Path: "spec.containers[0].image",
	Message: `the image "a<b" is of another registry`, Remediation: "push it to the registry of the account",
	Guide: section, File: "jobs/etl.yaml", Line: 21,
}

var grant = report.Finding{
	Rule: "rbac-pod-exec", Reason: "gained", Severity: rule.Low, Clauses: clauses, Action: rule.Audit, Object: editor, Path: "roleRef",
	Subject: "Group data-scientists", Via: "ClusterRoleBinding editors -> ClusterRole edit",
	Message: "may run commands in the pods of emr-jobs", Remediation: "bind a role without pods/exec",
	Guide: section, File: "rbac.yaml", Line: 3,
}

func asked() []rule.Rule {
	made := func(id, reason string, severity rule.Severity, optIn bool) rule.Rule {
		return rule.Rule{
			ID: id, Title: "Title of " + id, Doc: "What `" + id + "` finds. Why that is dangerous.", Clauses: []guide.Clause{clause},
			Reasons: []*rule.Reason{{Name: reason, Severity: severity, Message: "is wrong", Remedy: "mend %[1]q", OptIn: optIn}},
		}
	}
	return []rule.Rule{
		made("instance-profile-access", "host-network", rule.High, false), made("image-registry", "foreign-registry", rule.Medium, false),
		made("rbac-pod-exec", "gained", rule.Low, false), made("pod-exec", "exec", rule.Critical, false), made("signed-images", "unsigned", rule.High, true),
	}
}

func sample() *report.Report {
	exempted := hostNetwork
	exempted.Object.Name, exempted.File, exempted.Line = "shuffle", "jobs/shuffle.yaml", 9
	return &report.Report{
		Tool:     "v1.2.3",
		Rules:    asked(),
		Findings: []report.Finding{hostNetwork, unsigned, grant},
		Exempted: []report.Exempted{{Finding: exempted, Exemption: "incident 4711"}},
		Problems: []report.Problem{{File: "jobs/broken.yaml", Line: 3, Message: "not YAML: mend it, or leave the file out"}},
		Notes:    []string{"2 files are templates of a chart: render them first"},
		Judged:   12, Skipped: 4,
	}
}

func clean() *report.Report {
	return &report.Report{Tool: "v1.2.3", Rules: asked(), Judged: 12, Skipped: 4}
}

func written(t *testing.T, r *report.Report, f report.Format, o report.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, f, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
