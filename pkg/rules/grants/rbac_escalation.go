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
	return rbacRule(capability.Escalation, "somebody gains what leads to any of the forbidden permissions", "bind a role without it",
		escalationDoc,
		rule.Parameter{Name: "denyAccountsElsewhere", Type: "true or false", Doc: "Refuse accounts of namespaces that are not managed, for all rules on RBAC, instead of a warning."})
}
