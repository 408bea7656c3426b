package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-latent-grant.md
var latentGrantDoc string

// LatentGrant is the rule rbac-latent-grant.
//
// Guide, "Role-based access control (RBAC) permissions": "Administrators have to
// control role-based access control strictly in a managed namespace." A binding to a
// role that does not exist leaves that to the author of the role.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func LatentGrant() rule.Rule {
	return rbacRule(capability.LatentGrant, "a binding to a role that does not exist", latentGrantDoc, []*rule.Reason{&missingRole})
}
