package holder

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// shippedBindings are the bindings by which Kubernetes itself gives something to
// users and groups of its own, beside those that are trusted anyway: k8s.io/kubernetes,
// plugin/pkg/auth/authorizer/rbac/bootstrappolicy, Kubernetes 1.36. The label
// kubernetes.io/bootstrapping proves nothing, anybody can set it; the API server
// resets name and roleRef of these at every start.
var shippedBindings = func() map[rbac.Subject]rbac.Path {
	shipped := func(name string, subject rbac.Subject) rbac.Path {
		return rbac.Path{
			Subject: subject,
			Binding: rbac.ObjectRef{Kind: rbac.KindClusterRoleBinding, Name: name},
			Role:    rbac.ObjectRef{Kind: rbac.KindClusterRole, Name: name},
		}
	}
	monitoring, proxy := rbac.Group("system:monitoring"), rbac.User("system:kube-proxy")
	return map[rbac.Subject]rbac.Path{
		monitoring: shipped("system:monitoring", monitoring),
		proxy:      shipped("system:node-proxier", proxy),
	}
}()

// IsShipped reports whether the subject is one of Kubernetes' own and holds it by
// nothing but a binding that Kubernetes ships.
func IsShipped(g Holding) bool {
	if !strings.HasPrefix(g.Subject.Name, "system:") {
		return false
	}
	shipped, ok := shippedBindings[g.Subject]
	if !ok {
		return false
	}
	paths := g.Paths()
	return len(paths) > 0 && !slices.ContainsFunc(paths, func(p rbac.Path) bool { return p.Binding != shipped.Binding || p.Role != shipped.Role })
}

// publishedRoles are what AWS publishes for the accounts of Livy and of EMR's
// operators, by their names: EMR on EKS Development Guide, "Setting up Livy", "Setting
// up the Spark operator", "Setting up the Flink operator". They run nobody's code, so
// that what is within these roles is theirs, as a platform controller's. Whatever is
// beyond them is judged as any job account's.
var publishedRoles = func() map[string]published {
	write := []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	rule := func(group string, verbs []string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Verbs: verbs, Resources: resources}
	}
	return map[string]published{
		"emr-containers-sa-livy": {rules: []rbacv1.PolicyRule{
			rule("", write, "serviceaccounts", "services", "configmaps", "events", "pods", "pods/log", "persistentvolumeclaims"),
			rule("", []string{"create", "patch", "delete", "watch"}, "secrets"),
			rule("apps", write, "statefulsets", "deployments"),
			rule("batch", write, "jobs"),
		}},
		"emr-containers-sa-spark-operator": {wide: true, rules: []rbacv1.PolicyRule{
			rule("", []string{"*"}, "pods"),
			rule("", write, "services", "configmaps", "secrets"),
			rule("admissionregistration.k8s.io", []string{"create", "get", "update", "delete"}, "mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
			rule("apiextensions.k8s.io", []string{"create", "get", "update", "delete"}, "customresourcedefinitions"),
			rule("sparkoperator.k8s.io", []string{"*"}, "sparkapplications", "scheduledsparkapplications", "sparkapplications/status", "scheduledsparkapplications/status"),
		}},
		"emr-containers-sa-flink-operator": {wide: true, rules: []rbacv1.PolicyRule{
			rule("", []string{"*"}, "pods", "services", "events", "configmaps", "secrets", "serviceaccounts"),
			rule("rbac.authorization.k8s.io", []string{"*"}, "roles", "rolebindings"),
			rule("apps", []string{"*"}, "deployments", "replicasets"),
			rule("coordination.k8s.io", []string{"*"}, "leases"),
			rule("flink.apache.org", []string{"*"}, "flinkdeployments", "flinksessionjobs", "flinkdeployments/status", "flinksessionjobs/status"),
		}},
	}
}()

// published is a role that AWS publishes.
type published struct {
	// wide is true when it is published for a ClusterRoleBinding.
	wide  bool
	rules []rbacv1.PolicyRule
}

// isPublished reports whether all of it is within the role that AWS publishes for the
// account, bound as AWS binds it.
func isPublished(g Holding) bool {
	role, ok := publishedRoles[g.Subject.Name]
	if !ok {
		return false
	}
	for _, p := range g.Permissions {
		for _, verb := range p.Verbs {
			a := rbac.Attributes{APIGroup: p.APIGroup, Verb: verb}
			a.Resource, a.Subresource, _ = strings.Cut(p.Resource, "/")
			if !slices.ContainsFunc(role.rules, func(r rbacv1.PolicyRule) bool { return rbac.RuleAllows(&r, a) }) {
				return false
			}
		}
	}
	return role.wide || !slices.ContainsFunc(g.Paths(), func(p rbac.Path) bool { return p.Binding.Kind == rbac.KindClusterRoleBinding })
}
