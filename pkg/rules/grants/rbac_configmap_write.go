package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-configmap-write.md
var configMapWriteDoc string

// ConfigMapWrite is the rule rbac-configmap-write.
//
// Guide, "Role-based access control (RBAC) permissions": "At a minimum, do not give job
// submitters these permissions in a managed namespace: to modify ConfigMaps, because
// Amazon EMR on EKS uses ConfigMaps to generate managed pod templates, which contain
// the managed service account name."
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func ConfigMapWrite() rule.Rule {
	return rbacRule(capability.ConfigMapWrite, "somebody gains the right to write ConfigMaps", configMapWriteDoc,
		[]*rule.Reason{&submitter, &foreignJobAccount, &platformAccount})
}
