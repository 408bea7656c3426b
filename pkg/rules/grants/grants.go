// Package grants holds the rules on RBAC: what a change of roles and bindings gives to
// whom.
package grants

import (
	"context"
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

// withoutIt is how most findings of the rules on RBAC are mended.
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

const whoIsMeant = "Judged is the effective permission that a change gives, with the path; what a subject holds already is no gain. " +
	"Users, groups and accounts of managed namespaces are refused, whoever binds them; EMR, administrators, the control plane and `trustedSubjects` are free; " +
	"accounts of other namespaces are platform controllers, which are a warning."

// rbacRule makes a rule on RBAC. What all of them share reads the parameters; a rule
// without any refuses those that somebody gives it.
func rbacRule(id, title, remediation, doc string, parameters ...rule.Parameter) rule.Rule {
	separator := " "
	if strings.Contains(doc, "\n- ") { // what follows a list is no part of its last item
		separator = "\n\n"
	}
	return rule.Rule{
		ID: id, Title: title, Doc: doc + separator + whoIsMeant, Remediation: remediation,
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
