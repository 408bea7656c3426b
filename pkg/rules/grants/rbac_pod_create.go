package grants

import (
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// PodCreate is the rule rbac-pod-create.
//
// Guide: "Role-based access control (RBAC) permissions": at a minimum, do not give
// job submitters permission to modify ConfigMaps, to exec into EMR's pods, to
// create pods, to deploy mutating webhooks, or to read Secrets.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func PodCreate() rule.Rule {
	return rbacRule(capability.PodCreate, "somebody gains the right to create pods or what makes pods", withoutIt,
		"Who can create a pod, or any of the objects from which pods are made, chooses its ServiceAccount, which may stand for a stronger IAM role. "+
			"For the custom resources of the Spark and Flink operators and of ACK, `emr.roleUsers` decides; while it is empty, they are a warning.",
		rule.Parameter{Name: "kinds", Type: "list of {group, resource}", Doc: "Further resources from which somebody makes pods."})
}
