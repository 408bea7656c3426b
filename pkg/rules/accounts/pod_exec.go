package accounts

import (
	"context"
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

//go:embed pod-exec.md
var podExecDoc string

var (
	exec = rule.Reason{
		Name: "exec", Severity: rule.Critical, SkipOldComparison: true, Message: "%[1]s may not use %[2]s of %[3]q",
		Remedy: "read logs, metrics and the Spark history server instead",
	}
	nodeProxy = rule.Reason{
		Name: "node-proxy", Severity: rule.Medium, SkipOldComparison: true, Message: "%[1]s reaches all pods of node %[2]q through its kubelet",
		Remedy: "use the fine-grained subresources nodes/metrics, nodes/stats, nodes/log, nodes/healthz instead of nodes/proxy",
	}
)

// PodExec is the rule pod-exec.
//
// Guide, "Role-based access control (RBAC) permissions": no "permission to exec into
// Amazon EMR on EKS pods", which "also gives access to the JWT token that is mounted in
// the pod, and that can be used to retrieve the credentials of the execution role".
//
// Fields: connections to pods/exec, pods/attach, pods/portforward, pods/proxy,
// services/proxy and nodes/proxy, and updates of pods/ephemeralcontainers.
//
// Allowed: EMR, administrators.
func PodExec() rule.Rule {
	return rule.Rule{
		ID:        "pod-exec",
		Title:     "a way into a running pod of EMR",
		Doc:       podExecDoc,
		Clauses:   []guide.Clause{emr.ClauseRBAC},
		Reasons:   []*rule.Reason{&exec, &nodeProxy},
		Requester: true,
		Targets: []rule.Target{
			targets.New("pods/exec", rule.Connect),
			targets.New("pods/attach", rule.Connect),
			targets.New("pods/portforward", rule.Connect),
			targets.New("pods/proxy", rule.Connect),
			targets.New("services/proxy", rule.Connect),
			targets.New("pods/ephemeralcontainers", rule.Update),
			targets.New("nodes/proxy", rule.Connect),
		},
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("pod-exec", &struct{}{}); err != nil {
				return nil, err
			}
			return checkPodExec, nil
		},
	}
}

func checkPodExec(_ context.Context, r *rule.Request, rep *rule.Report) error {
	if !r.Requester.Untrusted() {
		return nil
	}
	if r.Resource.Resource == "nodes" {
		rep.Add(rule.Finding{Reason: &nodeProxy, Args: rule.Args(wording.Requester(r.Requester), r.Name)})
		return nil
	}
	rep.Add(rule.Finding{Reason: &exec, Args: rule.Args(wording.Requester(r.Requester), r.Resource.Resource+"/"+r.Subresource, r.Name)})
	return nil
}
