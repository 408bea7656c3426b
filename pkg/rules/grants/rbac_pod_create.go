package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-pod-create.md
var podCreateDoc string

// PodCreate is the rule rbac-pod-create.
//
// Guide, "Role-based access control (RBAC) permissions": "At a minimum, do not give job
// submitters these permissions in a managed namespace: to create pods", which could use
// a ServiceAccount that is mapped to an IAM role with more permissions than the user
// has.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func PodCreate() rule.Rule {
	return rbacRule(capability.PodCreate, "somebody gains the right to create pods or what makes pods", podCreateDoc,
		[]*rule.Reason{&submitterAtOnce, &foreignJobAccount, &forbiddenCustomResources, &customResources, &platformAccount},
		rule.Parameter{Name: "kinds", Type: "list of {group, resource}", Doc: "Further resources from which somebody makes pods."})
}
