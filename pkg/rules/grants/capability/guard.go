package capability

import (
	"github.com/emrguard/emrguard/pkg/rbac"
)

// What counts in the namespaces that rbac-guard-namespaces looks at.
const (
	GuardNamespaces = "rbac-guard-namespaces"
	OwnNamespace    = "own-namespace" // of rbac-guard-namespaces, for emrguard's own
)

// Guards are what counts in guarded namespaces: in all of them, and in
// emrguard's own.
func Guards() []rbac.Capability {
	write := verbs("create", "update", "patch", "delete", "deletecollection")
	const group = "rbac.authorization.k8s.io"
	list := []rbac.Capability{
		{ID: GuardNamespaces, Targets: []rbac.Target{
			in("", rbac.Namespaced, write, "configmaps"), // aws-auth, the guard's configuration
			in("", rbac.Namespaced, verbs("get", "list", "watch", "create", "update", "patch"), "secrets"),
			in("", rbac.Namespaced, verbs("create", "get"), "pods/exec", "pods/attach", "pods/portforward"),
			in("", rbac.Namespaced, httpVerbs(), "pods/proxy", "services/proxy"),
			in("", rbac.Namespaced, verbs("update", "patch"), "pods/ephemeralcontainers"),
			in("", rbac.Namespaced, verbs("create", "update", "patch"), "pods", "replicationcontrollers"),
			in("apps", rbac.Namespaced, verbs("create", "update", "patch"), "deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"),
			in("batch", rbac.Namespaced, verbs("create", "update", "patch"), "jobs", "cronjobs"),
			in("", rbac.Namespaced, verbs("create"), "serviceaccounts/token"),
			in("", rbac.Namespaced, verbs("impersonate"), "serviceaccounts"),
			in("authentication.k8s.io", rbac.Namespaced, verbs("impersonate:serviceaccount"), "serviceaccounts"),
			in(group, rbac.Namespaced, verbs("create", "update", "patch", "escalate", "bind"), "roles"),
			in(group, rbac.Namespaced, verbs("create", "update", "patch"), "rolebindings"),
		}},
		// What stops the guard.
		{ID: OwnNamespace, Targets: []rbac.Target{
			in("", rbac.Namespaced, verbs("delete", "deletecollection"), "secrets", "pods", "serviceaccounts"),
			in("", rbac.Namespaced, write, "services", "endpoints"),
			in("apps", rbac.Namespaced, verbs("delete", "deletecollection"), "deployments", "replicasets"),
			in("apps", rbac.Namespaced, verbs("update", "patch"), "deployments/scale", "replicasets/scale"),
			in("coordination.k8s.io", rbac.Namespaced, write, "leases"),
			in("discovery.k8s.io", rbac.Namespaced, write, "endpointslices"),
			in("networking.k8s.io", rbac.Namespaced, verbs("create", "update", "patch"), "networkpolicies"),
			in(group, rbac.Namespaced, verbs("delete", "deletecollection"), "roles", "rolebindings"),
			in("", rbac.OwnNamespace, verbs("update", "patch", "delete"), "namespaces"),
		}},
	}
	for i := range list {
		list[i].Targets = append(list[i].Targets, asSomebodyElse(list[i].Targets)...)
	}
	return list
}
