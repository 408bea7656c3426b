package grants

import (
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// Escalation is the rule rbac-escalation.
//
// Guide: "Role-based access control (RBAC) permissions": at a minimum, do not give
// job submitters permission to modify ConfigMaps, to exec into EMR's pods, to
// create pods, to deploy mutating webhooks, or to read Secrets.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func Escalation() rule.Rule {
	return rbacRule(capability.Escalation, "somebody gains what leads to any of the forbidden permissions", "bind a role without it",
		"Writing roles and bindings, `escalate`, `bind`, ServiceAccounts and their tokens, Secrets (of type service-account-token): each leads to the others. So do\n\n"+
			"- impersonation: the old verb, and the verbs of constrained impersonation (Kubernetes 1.36), where an account may be impersonated by whoever holds `impersonate:serviceaccount` in its namespace. What `impersonate-on:<mode>:<verb>` allows counts as what `<verb>` allows, for all rules on RBAC;\n"+
			"- labels of the namespace, by `namespaces`, `namespaces/status` and `namespaces/finalize`, and annotations by the status of pods, Services and Ingresses and by binding a pod to a node;\n"+
			"- certificates: approval, the signers of `kubernetes.io` whose certificates the API server or a kubelet shows (signers of other domains, such as cert-manager's, are free), and `certificatesigningrequests/nodeclient`;\n"+
			"- API services, and CustomResourceDefinitions, whose conversion decides what an operator reads;\n"+
			"- emrguard's own guards: validating webhooks and policies, the verb `bypass` of the group `emrguard.dev`, deletion of its ClusterRole and binding, FlowSchemas and priority levels.",
		rule.Parameter{Name: "denyAccountsElsewhere", Type: "true or false", Doc: "Refuse accounts of namespaces that are not managed, for all rules on RBAC, instead of a warning."})
}
