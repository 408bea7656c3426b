package rules

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// The ids of the rules on RBAC, in the order of the guide.
const (
	rbacConfigMapWriteID   = "rbac-configmap-write"
	rbacPodExecID          = "rbac-pod-exec"
	rbacPodCreateID        = "rbac-pod-create"
	rbacMutatingWebhookID  = "rbac-mutating-webhook"
	rbacSecretReadID       = "rbac-secret-read"
	rbacEscalationID       = "rbac-escalation"
	rbacLatentGrantID      = "rbac-latent-grant"
	rbacCustomResourcePart = "custom-resources" // of rbac-pod-create, judged by emr.roleUsers
)

func verbs(list ...string) []string { return list }

func in(group string, scope rbac.Scope, verbs []string, resources ...string) rbac.Target {
	return rbac.Target{APIGroups: []string{group}, Resources: resources, Verbs: verbs, Scope: scope}
}

// Capabilities returns what the rules on RBAC forbid, by the ids of the rules, and
// with an id of its own what `emr.roleUsers` decides: the custom resources.
func Capabilities(s rule.Settings) ([]rbac.Capability, error) {
	more, err := furtherPodKinds(s)
	if err != nil {
		return nil, err
	}
	return []rbac.Capability{
		{ID: rbacConfigMapWriteID, Targets: []rbac.Target{
			in("", rbac.Namespaced, verbs("create", "update", "patch", "delete", "deletecollection"), "configmaps"),
		}},
		{ID: rbacPodExecID, Targets: []rbac.Target{
			in("", rbac.Namespaced, verbs("create", "get"), "pods/exec", "pods/attach", "pods/portforward"),
			// A proxied request has the verb of its HTTP method.
			in("", rbac.Namespaced, verbs("create", "get", "update", "patch", "delete"), "pods/proxy", "services/proxy"),
			in("", rbac.Namespaced, verbs("update", "patch"), "pods/ephemeralcontainers"),
			in("", rbac.Cluster, verbs("*"), "nodes/proxy"),
		}},
		{ID: rbacPodCreateID, Targets: slices.Concat([]rbac.Target{
			in("", rbac.Namespaced, verbs("create", "update", "patch"), "pods", "replicationcontrollers"),
			in("apps", rbac.Namespaced, verbs("create", "update", "patch"), "deployments", "replicasets", "statefulsets", "daemonsets"),
			in("batch", rbac.Namespaced, verbs("create", "update", "patch"), "jobs", "cronjobs"),
		}, more)},
		{ID: rbacCustomResourcePart, Targets: []rbac.Target{
			in("sparkoperator.k8s.io", rbac.Namespaced, verbs("create", "update", "patch"), "sparkapplications", "scheduledsparkapplications"),
			in("flink.apache.org", rbac.Namespaced, verbs("create", "update", "patch"), "flinkdeployments", "flinksessionjobs"),
			in("emrcontainers.services.k8s.aws", rbac.Namespaced, verbs("create", "update", "patch"), "jobruns"),
		}},
		{ID: rbacMutatingWebhookID, Targets: []rbac.Target{
			in("admissionregistration.k8s.io", rbac.Cluster, verbs("create", "update", "patch"),
				"mutatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
		}},
		{ID: rbacSecretReadID, Targets: []rbac.Target{
			in("", rbac.Namespaced, verbs("get", "list", "watch"), "secrets"),
		}},
		{ID: rbacEscalationID, Targets: escalation()},
	}, nil
}

// escalation is what leads to any of the others.
func escalation() []rbac.Target {
	write := verbs("create", "update", "patch")
	impersonate := verbs("impersonate", "impersonate:*", "impersonate-on:*")
	const group = "rbac.authorization.k8s.io"
	return []rbac.Target{
		in(group, rbac.Namespaced, verbs("create", "update", "patch", "escalate", "bind"), "roles"),
		in(group, rbac.Namespaced, write, "rolebindings"),
		in(group, rbac.Cluster, verbs("create", "update", "patch", "escalate"), "clusterroles"),
		in(group, rbac.Cluster, write, "clusterrolebindings"),
		// Whether somebody may bind a ClusterRole is asked in the namespace of
		// the RoleBinding.
		in(group, rbac.Namespaced, verbs("bind"), "clusterroles"),
		in("", rbac.Namespaced, slices.Concat(write, impersonate), "serviceaccounts"),
		in("", rbac.Namespaced, verbs("create"), "serviceaccounts/token"),
		in("", rbac.Namespaced, write, "secrets"),
		in("", rbac.OwnNamespace, verbs("update", "patch"), "namespaces"),
		in("", rbac.Cluster, impersonate, "users", "groups"),
		in("authentication.k8s.io", rbac.Cluster, impersonate, "users", "groups", "uids", "userextras/*", "serviceaccounts"),
		in("certificates.k8s.io", rbac.Cluster, verbs("update", "patch"), "certificatesigningrequests/approval"),
		in("certificates.k8s.io", rbac.Cluster, verbs("approve", "sign"), "signers"),
		in("apiregistration.k8s.io", rbac.Cluster, verbs("create", "update", "patch", "delete", "deletecollection"), "apiservices"),
		// These are emrguard's own guards.
		in("admissionregistration.k8s.io", rbac.Cluster, verbs("create", "update", "patch", "delete", "deletecollection"),
			"validatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings"),
	}
}
