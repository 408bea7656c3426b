// Package capability lists what the rules on RBAC forbid: the permissions by which
// somebody gets at another execution role, or past emrguard.
package capability

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

// The ids of the rules on RBAC, in the order of the guide.
const (
	ConfigMapWrite  = "rbac-configmap-write"
	PodExec         = "rbac-pod-exec"
	PodCreate       = "rbac-pod-create"
	MutatingWebhook = "rbac-mutating-webhook"
	SecretRead      = "rbac-secret-read"
	Escalation      = "rbac-escalation"
	LatentGrant     = "rbac-latent-grant"
	CustomResources = "custom-resources" // of rbac-pod-create, judged by emr.roleUsers
)

func verbs(list ...string) []string { return list }

func in(group string, scope rbac.Scope, verbs []string, resources ...string) rbac.Target {
	return rbac.Target{APIGroups: []string{group}, Resources: resources, Verbs: verbs, Scope: scope}
}

// Forbidden returns what the rules on RBAC forbid, by the ids of the rules, and
// with an id of its own what `emr.roleUsers` decides: the custom resources.
func Forbidden(s rule.Settings) ([]rbac.Capability, error) {
	more, err := furtherPodKinds(s)
	if err != nil {
		return nil, err
	}
	write := verbs("create", "update", "patch")
	list := []rbac.Capability{
		{ID: ConfigMapWrite, Targets: []rbac.Target{
			in("", rbac.Namespaced, verbs("create", "update", "patch", "delete", "deletecollection"), "configmaps"),
		}},
		{ID: PodExec, Targets: []rbac.Target{
			in("", rbac.Namespaced, verbs("create", "get"), "pods/exec", "pods/attach", "pods/portforward"),
			// A proxied request has the verb of its HTTP method.
			in("", rbac.Namespaced, httpVerbs(), "pods/proxy", "services/proxy"),
			in("", rbac.Namespaced, verbs("update", "patch"), "pods/ephemeralcontainers"),
			// The kubelet asks for the verb of the HTTP method, too, and lets a
			// WebSocket, which is a GET, into a container.
			in("", rbac.Cluster, httpVerbs(), "nodes/proxy"),
		}},
		{ID: PodCreate, Targets: slices.Concat([]rbac.Target{
			in("", rbac.Namespaced, write, "pods", "replicationcontrollers"),
			// The StatefulSet controller makes pods from the revision that is called
			// current, which somebody else may have made under its name.
			in("apps", rbac.Namespaced, write, "deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"),
			in("batch", rbac.Namespaced, write, "jobs", "cronjobs"),
		}, more)},
		{ID: CustomResources, Targets: customResources(write)},
		{ID: MutatingWebhook, Targets: []rbac.Target{
			in("admissionregistration.k8s.io", rbac.Cluster, write,
				"mutatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
		}},
		{ID: SecretRead, Targets: []rbac.Target{
			in("", rbac.Namespaced, verbs("get", "list", "watch"), "secrets"),
		}},
		{ID: Escalation, Targets: escalation()},
	}
	for i := range list {
		list[i].Targets = append(list[i].Targets, asSomebodyElse(list[i].Targets)...)
	}
	return list, nil
}

// httpVerbs are the verbs of a request that is only passed on: those of the methods
// of HTTP.
func httpVerbs() []string { return verbs("create", "get", "update", "patch", "delete") }

// customResources are the resources from which operators make pods: those that are
// sent to the webhook.
func customResources(verbs []string) []rbac.Target {
	var list []rbac.Target
	for _, t := range slices.Concat(targets.CustomResources(), targets.SessionJobs()) {
		i := slices.IndexFunc(list, func(o rbac.Target) bool { return o.APIGroups[0] == t.Group })
		if i < 0 {
			list = append(list, in(t.Group, rbac.Namespaced, verbs, t.Resource))
			continue
		}
		if !slices.Contains(list[i].Resources, t.Resource) {
			list[i].Resources = append(list[i].Resources, t.Resource)
		}
	}
	return list
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
	if err := s.Decode(PodCreate, &p); err != nil {
		return nil, err
	}
	var list []rbac.Target
	for _, k := range p.Kinds {
		list = append(list, in(k.Group, rbac.Namespaced, verbs("create", "update", "patch"), k.Resource))
	}
	return list, nil
}

// RuleOf returns the id of the rule that judges a capability.
func RuleOf(capability string) string {
	switch capability {
	case CustomResources:
		return PodCreate
	case OwnNamespace:
		return GuardNamespaces
	}
	return capability
}
