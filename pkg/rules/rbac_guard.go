package rules

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

const (
	rbacGuardNamespacesID = "rbac-guard-namespaces"
	rbacOwnNamespacePart  = "own-namespace" // of rbac-guard-namespaces, for emrguard's own
)

// rbac-guard-namespaces
//
// Guide: "Role-based access control (RBAC) permissions": what the guide keeps from job
// submitters is worth nothing to whoever rewrites the guard, or the map by which EKS
// tells who is an administrator.
//
// Fields: as of the other rules on RBAC, for what is granted in kube-system and in
// emrguard's own namespace.
//
// Allowed: what Kubernetes, EKS, administrators and trusted subjects hold, and the
// accounts of these namespaces in their own.
func guardNamespacesRule() rule.Rule {
	r := rbacRule(rbacGuardNamespacesID, "somebody gains power over kube-system or emrguard's own namespace",
		"take it away, or list the subject in trustedSubjects when it is a platform's controller",
		"In `kube-system`, whoever writes ConfigMaps rewrites `aws-auth` and becomes an administrator; whoever reads Secrets, takes tokens, or gets into pods "+
			"acts as accounts with power over the cluster. In emrguard's own namespace the same, and its Deployment, Service, Lease and endpoints, stop the guard. "+
			"The chart leaves both namespaces out, so that an outage of emrguard cannot stop the cluster: what is granted inside of them is found by `check` and `audit`. "+
			"What a binding for the whole cluster gives there is recorded at admission, and never refused by default.",
		rule.Parameter{Name: "namespaces", Type: "list of names", Doc: "Namespaces of emrguard itself; the one in which it runs, or `emrguard-system`, when unset."})
	r.Default, r.Everywhere = rule.Warn, true
	for i := range r.Targets {
		// The chart leaves the namespaces out.
		r.Targets[i].Audit = !r.Targets[i].Cluster
	}
	return r
}

// guardParameters are the parameters of rbac-guard-namespaces.
type guardParameters struct {
	Namespaces []string `json:"namespaces"`
}

// defaultOwnNamespace is where the documentation installs emrguard.
const defaultOwnNamespace = "emrguard-system"

// ownNamespaces are emrguard's own.
func ownNamespaces(s rule.Settings) ([]string, error) {
	var p guardParameters
	if err := s.Decode(rbacGuardNamespacesID, &p); err != nil {
		return nil, err
	}
	switch {
	case len(p.Namespaces) > 0:
		return p.Namespaces, nil
	case s.OwnNamespace != "":
		return []string{s.OwnNamespace}, nil
	}
	return []string{defaultOwnNamespace}, nil
}

// guardCapabilities are what counts in guarded namespaces: in all of them, and in
// emrguard's own.
func guardCapabilities() []rbac.Capability {
	write := verbs("create", "update", "patch", "delete", "deletecollection")
	const group = "rbac.authorization.k8s.io"
	list := []rbac.Capability{
		{ID: rbacGuardNamespacesID, Targets: []rbac.Target{
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
		{ID: rbacOwnNamespacePart, Targets: []rbac.Target{
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

// addGuarded takes in what subjects gain in guarded namespaces. Accounts of such a
// namespace are the guard's, or the control plane's, there.
func (e *evaluation) addGuarded(g *rbac.Gain, c crowd, namespaces []string) {
	if c.standing == free {
		return
	}
	if c.account != "" && c.subjects[0].Kind == rbacv1.ServiceAccountKind && slices.Contains(e.guarded, c.account) {
		_, namespaces = split(namespaces, c.account)
	}
	if len(namespaces) == 0 {
		return
	}
	if c.single {
		subject := c.subjects[0]
		paths := func() []rbac.Path { return g.Paths(subject, namespaces[0], maxPaths) }
		if isShipped(held{subject, namespaces[0], g.Permissions, paths}) {
			return
		}
	}
	e.grants = append(e.grants, grant{Gain: g, standing: c.standing, action: e.guardAction(), subjects: c.subjects, namespaces: namespaces})
}

// guardAction is what follows: at admission, where only a binding or role of the whole
// cluster is asked about, a record.
func (e *evaluation) guardAction() rule.Action {
	if e.r.File || e.r.Requester.Class == rule.Nobody {
		return rule.Warn
	}
	return rule.Audit
}
