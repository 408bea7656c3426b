package grants

import (
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// PodExec is the rule rbac-pod-exec.
//
// Guide: "Role-based access control (RBAC) permissions": at a minimum, do not give
// job submitters permission to modify ConfigMaps, to exec into EMR's pods, to
// create pods, to deploy mutating webhooks, or to read Secrets.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func PodExec() rule.Rule {
	return rbacRule(capability.PodExec, "somebody gains a way into running pods", withoutIt,
		"`pods/exec`, `attach`, `portforward` and `proxy` lead to the token of the execution role, as `get` too: clients up to Kubernetes 1.34 were let in by it. "+
			"So do ephemeral containers, and `nodes/proxy` with any verb that a request to a kubelet has.")
}
