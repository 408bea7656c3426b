// Package grants holds the rules on RBAC: what a change of roles and bindings gives to
// whom.
package grants

import (
	"context"
	_ "embed" // what the documentation of the rules shares
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
)

// rbacTargets are the objects of RBAC, by which permissions are given.
func rbacTargets() rule.Targets {
	const group = "rbac.authorization.k8s.io"
	return rule.On("roles."+group, rule.Create, rule.Update).
		And("rolebindings."+group, rule.Create, rule.Update).
		And("clusterroles."+group, rule.Create, rule.Update).
		And("clusterrolebindings."+group, rule.Create, rule.Update)
}

//go:embed shared.md
var sharedDoc string

// rbacRule makes a rule on RBAC. The family reads the parameters of all of them; a rule
// without parameters refuses those that a configuration gives it.
func rbacRule(id, title, doc string, reasons []*rule.Reason, parameters ...rule.Parameter) rule.Rule {
	return rule.Rule{
		ID: id, Title: title, Doc: strings.TrimSpace(doc) + "\n\n" + sharedDoc,
		Clauses: []guide.Clause{emr.ClauseRBAC}, Reasons: reasons, Reads: append(rule.ReadsGrants(), rule.ReadsNamespaces()...), NeedsOld: true, Targets: rbacTargets(), Parameters: parameters,
		New: func(s rule.Settings) (rule.Check, error) {
			if len(parameters) == 0 {
				if err := s.Decode(id, &struct{}{}); err != nil {
					return nil, err
				}
			}
			f, err := rule.Share(s, func() (*family, error) { return familyOf(s) })
			if err != nil {
				return nil, err
			}
			return f.check(id), nil
		},
	}
}

// check is the check of one rule of the family.
func (f *family) check(id string) rule.Check {
	return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
		found, err := f.result(ctx, r)
		if err != nil {
			return err
		}
		for _, finding := range found[id] {
			rep.Add(finding)
		}
		return nil
	}
}
