package tenancy

import (
	"context"
	_ "embed" // the documentation of the rule
	"slices"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

//go:embed namespace-writers.md
var namespaceWritersDoc string

var writtenBySubmitter = rule.Reason{
	Name: "written-by-submitter", Severity: rule.Low, SkipOldComparison: true, Message: "%[1]s creates a %[2]s in EMR's namespace",
	Remedy: "submit the work through EMR, or keep it in another namespace",
}

// NamespaceWriters is the rule namespace-writers.
//
// Guide, "Considerations for Lake Formation": only the EMR service creates pods,
// ConfigMaps and Secrets in the user namespace of a virtual cluster.
//
// Fields: creation of Pods, workloads, ConfigMaps and Secrets.
func NamespaceWriters() rule.Rule {
	creations := []rule.Target{
		targets.New("pods", rule.Create),
		targets.New("configmaps", rule.Create),
		targets.New("secrets", rule.Create),
	}
	for _, t := range targets.Workloads() {
		t.Operations = []rule.Operation{rule.Create}
		creations = append(creations, t)
	}
	return rule.Rule{
		ID:        "namespace-writers",
		Title:     "pods, workloads, ConfigMaps or Secrets that neither EMR nor an administrator made",
		Doc:       namespaceWritersDoc,
		Clauses:   []guide.Clause{emr.ClauseLakeFormation},
		Reasons:   []*rule.Reason{&writtenBySubmitter},
		Requester: true,
		Targets:   slices.Clip(creations),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("namespace-writers", &struct{}{}); err != nil {
				return nil, err
			}
			return checkNamespaceWriters, nil
		},
	}
}

func checkNamespaceWriters(_ context.Context, r *rule.Request, rep *rule.Report) error {
	if r.Requester.Class == rule.Submitter {
		rep.Add(rule.Finding{Reason: &writtenBySubmitter, Args: rule.Args(wording.Requester(r.Requester), r.Object.GVK.Kind)})
	}
	return nil
}
