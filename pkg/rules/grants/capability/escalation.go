package capability

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// guardGroup is the API group of the verb `bypass`, by which the policies of the
// chart let somebody through. No resource of it exists.
const guardGroup = "emrguard.dev"

// guardName is the name of emrguard's own ClusterRole and binding, where the
// documentation installs it.
const guardName = "emrguard"

// escalation is what leads to any of the others.
func escalation() []rbac.Target {
	write := verbs("create", "update", "patch")
	change := slices.Concat(write, verbs("delete", "deletecollection"))
	const group = "rbac.authorization.k8s.io"
	return slices.Concat([]rbac.Target{
		in(group, rbac.Namespaced, verbs("create", "update", "patch", "escalate", "bind"), "roles"),
		in(group, rbac.Namespaced, write, "rolebindings"),
		in(group, rbac.Cluster, verbs("create", "update", "patch", "escalate"), "clusterroles"),
		in(group, rbac.Cluster, write, "clusterrolebindings"),
		// Whether somebody may bind a ClusterRole is asked in the namespace of
		// the RoleBinding.
		in(group, rbac.Namespaced, verbs("bind"), "clusterroles"),
		in("", rbac.Namespaced, write, "serviceaccounts"),
		in("", rbac.Namespaced, verbs("create"), "serviceaccounts/token"),
		in("", rbac.Namespaced, write, "secrets"),
	}, impersonation(), metadataWrites(), certificates(), []rbac.Target{
		in("apiregistration.k8s.io", rbac.Cluster, change, "apiservices"),
		// Who converts custom resources decides what their operators read.
		in("apiextensions.k8s.io", rbac.Cluster, write, "customresourcedefinitions"),
		in("apiextensions.k8s.io", rbac.Cluster, verbs("update", "patch"), "customresourcedefinitions/status"),
	}, guards(change))
}

// metadataWrites are the ways to the labels of the Namespace itself, and those by
// which the annotations of an object change that is judged by them. The API server
// takes changed metadata from these subresources; it takes none from the status of
// a custom resource.
func metadataWrites() []rbac.Target {
	patch := verbs("update", "patch")
	return []rbac.Target{
		in("", rbac.OwnNamespace, patch, "namespaces", "namespaces/status"),
		in("", rbac.OwnNamespace, verbs("update"), "namespaces/finalize"),
		in("", rbac.Namespaced, patch, "pods/status", "services/status"),
		in("networking.k8s.io", rbac.Namespaced, patch, "ingresses/status"),
		in("", rbac.Namespaced, verbs("create"), "pods/binding", "bindings"),
	}
}

// certificates are the ways to a certificate that the API server takes for somebody
// else, or for a kubelet. Signers of other names sign with a CA of their own.
func certificates() []rbac.Target {
	const group = "certificates.k8s.io"
	signers := in(group, rbac.Cluster, verbs("approve", "sign"), "signers")
	signers.Names = []string{
		"kubernetes.io/*", // all of the domain, as the API server asks
		"kubernetes.io/kube-apiserver-client",
		"kubernetes.io/kube-apiserver-client-kubelet",
		"kubernetes.io/kube-apiserver-client-pod",
		"kubernetes.io/kubelet-serving",
		"kubernetes.io/legacy-unknown",
	}
	return []rbac.Target{
		in(group, rbac.Cluster, verbs("update", "patch"), "certificatesigningrequests/approval"),
		// The controller manager approves a kubelet's certificate for whoever has this.
		in(group, rbac.Cluster, verbs("create"), "certificatesigningrequests/nodeclient"),
		signers,
	}
}

// guards are emrguard's own guards, and what blinds it: its rights, and its share of
// the API server's attention.
func guards(change []string) []rbac.Target {
	own := in("rbac.authorization.k8s.io", rbac.Cluster, verbs("delete", "deletecollection"), "clusterroles", "clusterrolebindings")
	own.Names = []string{guardName}
	return []rbac.Target{
		in("admissionregistration.k8s.io", rbac.Cluster, change,
			"validatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings"),
		in(guardGroup, rbac.Cluster, verbs("bypass"), bypassed()...),
		own,
		in("flowcontrol.apiserver.k8s.io", rbac.Cluster, change, "flowschemas", "prioritylevelconfigurations"),
	}
}

// bypassed are the resources of the group emrguard.dev for which the policies of the
// chart ask for the verb `bypass`.
func bypassed() []string {
	return []string{
		"mutatingwebhookconfigurations", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
		"validatingwebhookconfigurations", "customresourcedefinitions",
	}
}
