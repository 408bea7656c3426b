package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-secret-read.md
var secretReadDoc string

// SecretRead is the rule rbac-secret-read.
//
// Guide, "Role-based access control (RBAC) permissions": "At a minimum, do not give job
// submitters these permissions in a managed namespace: to read Kubernetes secrets", so
// that confidential data in them stays confidential.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func SecretRead() rule.Rule {
	return rbacRule(capability.SecretRead, "somebody gains the right to read Secrets", secretReadDoc,
		[]*rule.Reason{&submitterAtOnce, &foreignJobAccount, &jobAccount, &platformAccount})
}
