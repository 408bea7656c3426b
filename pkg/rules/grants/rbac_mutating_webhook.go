package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-mutating-webhook.md
var mutatingWebhookDoc string

// MutatingWebhook is the rule rbac-mutating-webhook.
//
// Guide, "Role-based access control (RBAC) permissions": "At a minimum, do not give job
// submitters these permissions in a managed namespace: to deploy mutating webhooks",
// which could change the ServiceAccount name of EMR's pods.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func MutatingWebhook() rule.Rule {
	return rbacRule(capability.MutatingWebhook, "somebody gains the right to deploy mutating webhooks or policies", mutatingWebhookDoc,
		[]*rule.Reason{&submitter, &foreignJobAccount, &jobAccount, &platformAccount})
}
