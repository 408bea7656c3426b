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
// Guide: "Role-based access control (RBAC) permissions": at a minimum, do not give
// job submitters permission to modify ConfigMaps, to exec into EMR's pods, to
// create pods, to deploy mutating webhooks, or to read Secrets.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func Escalation() rule.Rule {
	return rbacRule(capability.Escalation, "somebody gains what leads to any of the forbidden permissions", "bind a role without it",
		escalationDoc,
		rule.Parameter{Name: "denyAccountsElsewhere", Type: "true or false", Doc: "Refuse accounts of namespaces that are not managed, for all rules on RBAC, instead of a warning."})
}
