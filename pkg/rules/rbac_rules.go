package rules

import (
	"context"
	"strings"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// rbac-*
//
// Guide: "Role-based access control (RBAC) permissions": at a minimum, do not give
// job submitters permission to modify ConfigMaps, to exec into EMR's pods, to
// create pods, to deploy mutating webhooks, or to read Secrets.
//
// Fields: rules, aggregationRule and labels of Roles and ClusterRoles, subjects and
// roleRef of bindings, each against everything else that exists.
//
// Allowed: what a subject holds already, and what the exempt subjects hold.
func rbacRules() []rule.Rule {
	const howTo = "bind a role without it; grant submission through EMR's own API or a custom resource instead"
	return []rule.Rule{
		rbacRule(rbacConfigMapWriteID, "somebody gains the right to write ConfigMaps", howTo,
			"EMR generates managed pod templates in ConfigMaps, with the ServiceAccount's name in them. Who can write ConfigMaps chooses the account, and with it the role."),
		rbacRule(rbacPodExecID, "somebody gains a way into running pods", howTo,
			"`pods/exec`, `attach`, `portforward` and `proxy` lead to the token of the execution role, as `get` too: clients up to Kubernetes 1.34 were let in by it. "+
				"So do ephemeral containers, and `nodes/proxy` with any verb that a request to a kubelet has."),
		podCreateRule(howTo),
		rbacRule(rbacMutatingWebhookID, "somebody gains the right to deploy mutating webhooks or policies", howTo,
			"A mutating webhook or admission policy can change the ServiceAccount of EMR's pods on their way."),
		rbacRule(rbacSecretReadID, "somebody gains the right to read Secrets", howTo,
			"Reading never reaches admission, so the grant is the only place to stop it. `list` and `watch` return the contents as well, with a resource name too."),
		escalationRule(),
		guardNamespacesRule(),
		latentRule(),
	}
}

func rbacTargets() []rule.Target {
	const group = "rbac.authorization.k8s.io"
	targets := []rule.Target{
		target(group, "v1", "roles", rule.Create, rule.Update),
		target(group, "v1", "rolebindings", rule.Create, rule.Update),
		target(group, "v1", "clusterroles", rule.Create, rule.Update),
		target(group, "v1", "clusterrolebindings", rule.Create, rule.Update),
	}
	targets[2].Cluster, targets[3].Cluster = true, true
	return targets
}

const whoIsMeant = "Judged is the effective permission that a change gives, with the path; what a subject holds already is no gain. " +
	"Users, groups and accounts of managed namespaces are refused, whoever binds them; EMR, administrators, the control plane and `trustedSubjects` are free; " +
	"accounts of other namespaces are platform controllers, which are a warning."

// rbacRule makes a rule on RBAC. What all of them share reads the parameters; a rule
// without any refuses those that somebody gives it.
func rbacRule(id, title, remediation, doc string, parameters ...rule.Parameter) rule.Rule {
	separator := " "
	if strings.Contains(doc, "\n- ") { // what follows a list is no part of its last item
		separator = "\n\n"
	}
	return rule.Rule{
		ID: id, Title: title, Doc: doc + separator + whoIsMeant, Remediation: remediation,
		Guide: guideRBAC, Default: rule.Deny, NeedsOld: true, Targets: rbacTargets(), Parameters: parameters,
		New: func(s rule.Settings) (rule.Check, error) {
			if len(parameters) == 0 {
				if err := s.Decode(id, &struct{}{}); err != nil {
					return nil, err
				}
			}
			return newGrantCheck(s, id)
		},
	}
}

func newGrantCheck(s rule.Settings, id string) (rule.Check, error) {
	judge, err := sharedJudge(s)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
		found, err := judge.result(ctx, r)
		if err != nil {
			return err
		}
		for _, f := range found[id] {
			rep.Add(f)
		}
		return nil
	}, nil
}

// podCreateParameters are the parameters of rbac-pod-create.
type podCreateParameters struct {
	Kinds []struct {
		Group    string `json:"group"`
		Resource string `json:"resource"`
	} `json:"kinds"`
}

func furtherPodKinds(s rule.Settings) ([]rbac.Target, error) {
	var p podCreateParameters
	if err := s.Decode(rbacPodCreateID, &p); err != nil {
		return nil, err
	}
	var list []rbac.Target
	for _, k := range p.Kinds {
		list = append(list, in(k.Group, rbac.Namespaced, verbs("create", "update", "patch"), k.Resource))
	}
	return list, nil
}

func podCreateRule(howTo string) rule.Rule {
	return rbacRule(rbacPodCreateID, "somebody gains the right to create pods or what makes pods", howTo,
		"Who can create a pod, or any of the objects from which pods are made, chooses its ServiceAccount, which may stand for a stronger IAM role. "+
			"For the custom resources of the Spark and Flink operators and of ACK, `emr.roleUsers` decides; while it is empty, they are a warning.",
		rule.Parameter{Name: "kinds", Type: "list of {group, resource}", Doc: "Further resources from which somebody makes pods."})
}

func escalationRule() rule.Rule {
	return rbacRule(rbacEscalationID, "somebody gains what leads to any of the forbidden permissions", "bind a role without it",
		"Writing roles and bindings, `escalate`, `bind`, ServiceAccounts and their tokens, Secrets (of type service-account-token): each leads to the others. So do\n\n"+
			"- impersonation: the old verb, and the verbs of constrained impersonation (Kubernetes 1.36), where an account may be impersonated by whoever holds `impersonate:serviceaccount` in its namespace. What `impersonate-on:<mode>:<verb>` allows counts as what `<verb>` allows, for all rules on RBAC;\n"+
			"- labels of the namespace, by `namespaces`, `namespaces/status` and `namespaces/finalize`, and annotations by the status of pods, Services and Ingresses and by binding a pod to a node;\n"+
			"- certificates: approval, the signers of `kubernetes.io` whose certificates the API server or a kubelet shows (signers of other domains, such as cert-manager's, are free), and `certificatesigningrequests/nodeclient`;\n"+
			"- API services, and CustomResourceDefinitions, whose conversion decides what an operator reads;\n"+
			"- emrguard's own guards: validating webhooks and policies, the verb `bypass` of the group `emrguard.dev`, deletion of its ClusterRole and binding, FlowSchemas and priority levels.",
		rule.Parameter{Name: "denyAccountsElsewhere", Type: "true or false", Doc: "Refuse accounts of namespaces that are not managed, for all rules on RBAC, instead of a warning."})
}

func latentRule() rule.Rule {
	r := rbacRule(rbacLatentGrantID, "a binding to a role that does not exist", "create the role first",
		"Such a binding grants nothing until somebody creates the role, who need not be who bound it. It is judged again when the role appears.")
	r.Default = rule.Warn
	return r
}
