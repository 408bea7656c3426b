// Package grants holds the rules on RBAC: what a change of roles and bindings gives to
// whom.
package grants

import (
	"context"
	_ "embed" // what the documentation of the rules shares
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

// withoutIt is the remediation of most findings of the rules on RBAC.
const withoutIt = "bind a role without it; grant submission through EMR's own API or a custom resource instead"

// rbacTargets are the objects of RBAC, by which permissions are given.
func rbacTargets() []rule.Target {
	const group = "rbac.authorization.k8s.io"
	targets := []rule.Target{
		targets.New(group, "v1", "roles", rule.Create, rule.Update),
		targets.New(group, "v1", "rolebindings", rule.Create, rule.Update),
		targets.New(group, "v1", "clusterroles", rule.Create, rule.Update),
		targets.New(group, "v1", "clusterrolebindings", rule.Create, rule.Update),
	}
	targets[2].Cluster, targets[3].Cluster = true, true
	return targets
}

//go:embed shared.md
var sharedDoc string

// rbacRule makes a rule on RBAC. The shared judge reads the parameters of all of them; a
// rule without parameters refuses those that a configuration gives it.
func rbacRule(id, title, remediation, doc string, parameters ...rule.Parameter) rule.Rule {
	return rule.Rule{
		ID: id, Title: title, Doc: strings.TrimSpace(doc) + "\n\n" + sharedDoc, Remediation: remediation,
		Guide: guide.RBAC, Default: rule.Deny, NeedsOld: true, Targets: rbacTargets(), Parameters: parameters,
		New: func(s rule.Settings) (rule.Check, error) {
			if len(parameters) == 0 {
				if err := s.Decode(id, &struct{}{}); err != nil {
					return nil, err
				}
			}
			return newGrantCheck(s, id)
		},
	}
}

func newGrantCheck(s rule.Settings, id string) (rule.Check, error) {
	judge, err := sharedJudge(s)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
		found, err := judge.result(ctx, r)
		if err != nil {
			return err
		}
		for _, f := range found[id] {
			rep.Add(f)
		}
		return nil
	}, nil
}
