package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-pod-exec.md
var podExecDoc string

// PodExec is the rule rbac-pod-exec.
//
// Guide, "Role-based access control (RBAC) permissions": "At a minimum, do not give job
// submitters these permissions in a managed namespace: to exec into Amazon EMR on EKS
// pods", which gives access to the managed pod template and to the token of the pod.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func PodExec() rule.Rule {
	return rbacRule(capability.PodExec, "somebody gains a way into running pods", podExecDoc,
		[]*rule.Reason{&submitterAtOnce, &foreignJobAccount, &jobAccount, &platformAccount})
}
