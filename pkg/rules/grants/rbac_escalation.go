package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-escalation.md
var escalationDoc string

// Escalation is the rule rbac-escalation.
//
// Guide, "Role-based access control (RBAC) permissions": "Administrators have to
// control role-based access control strictly in a managed namespace." These permissions
// lead to the ones that the guide withholds from job submitters.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func Escalation() rule.Rule {
	r := rbacRule(capability.Escalation, "somebody gains what leads to any of the forbidden permissions", escalationDoc,
		[]*rule.Reason{&escalator, &breakGlass, &foreignJobAccount, &jobAccount, &platformAccount})
	r.Retired = map[string]string{
		"denyAccountsElsewhere": "rules.rbac-escalation.reasons.platform-account.mode, and that of the other rules on RBAC",
	}
	return r
}
