package grants

import (
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// SecretRead is the rule rbac-secret-read.
//
// Guide: "Role-based access control (RBAC) permissions": at a minimum, do not give
// job submitters permission to modify ConfigMaps, to exec into EMR's pods, to
// create pods, to deploy mutating webhooks, or to read Secrets.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func SecretRead() rule.Rule {
	return rbacRule(capability.SecretRead, "somebody gains the right to read Secrets", withoutIt,
		"Reading never reaches admission, so the grant is the only place to stop it. `list` and `watch` return the contents as well, with a resource name too.")
}
