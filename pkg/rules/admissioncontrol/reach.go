package admissioncontrol

import (
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

// Reach says how an entry of a MutatingWebhookConfiguration or a
// MutatingAdmissionPolicy is written that is called for what decides as whom EMR's pods
// run and who may do what. The policies of the chart are made from the same lists.
type Reach struct {
	// Groups are the API groups that an entry has to name one of.
	Groups []string `json:"groups"`
	// Versions are the versions, of which it has to name one; empty for any: the
	// definition of a custom resource may serve versions that nobody knows here.
	Versions []string `json:"versions,omitempty"`
	// Resources and the prefixes of resources, of which it has to name one.
	Resources []string `json:"resources"`
	Prefixes  []string `json:"prefixes,omitempty"`
	// Cluster is true for resources without a namespace.
	Cluster bool `json:"cluster,omitempty"`
	// Everywhere is true where no namespaceSelector leaves anything out: the API
	// server applies none to such requests.
	Everywhere bool `json:"everywhere,omitempty"`
}

// podSubresources are those by which a pod, or what is done in it, changes.
// `pods/<anything>` reaches them; this list is for `*/<name>`.
var podSubresources = []string{"attach", "binding", "ephemeralcontainers", "eviction", "exec", "portforward", "proxy", "resize", "status"}

// Reaches returns how entries are written that concern EMR's objects, the labels of
// their namespaces, and the questions who somebody is and what he may do: an answer
// that is changed on its way lets anybody in at kubelets and operators, and shows the
// tokens that are asked about.
func Reaches() []Reach {
	var list reaches
	for _, t := range slices.Concat(targets.Pods(), targets.Workloads(), targets.CustomResources(), targets.ConfigMaps(), []rule.Target{
		{Resource: "serviceaccounts"},
		{Resource: "serviceaccounts/token"},
		{Group: "flink.apache.org", Resource: "flinksessionjobs"},
		{Group: "authorization.k8s.io", Resource: "localsubjectaccessreviews"},
	}) {
		list.add(t, Reach{})
	}
	for _, t := range targets.Namespaces() {
		list.add(t, Reach{Cluster: true})
	}
	for _, t := range []rule.Target{
		{Group: "authorization.k8s.io", Resource: "subjectaccessreviews"},
		{Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews"},
		{Group: "authorization.k8s.io", Resource: "selfsubjectrulesreviews"},
		{Group: "authentication.k8s.io", Resource: "tokenreviews"},
		{Group: "authentication.k8s.io", Resource: "selfsubjectreviews"},
	} {
		list.add(t, Reach{Cluster: true, Everywhere: true})
	}
	return list
}

type reaches []Reach

// add adds the ways to write a resource: in a webhook `*` means every resource but no
// subresource, `*/*` all of both, and `pods/*` means pods too.
func (list *reaches) add(t rule.Target, kind Reach) {
	i := slices.IndexFunc(*list, func(r Reach) bool {
		return r.Groups[0] == t.Group && r.Cluster == kind.Cluster && r.Everywhere == kind.Everywhere
	})
	if i < 0 {
		i = len(*list)
		kind.Groups, kind.Resources = []string{t.Group, "*"}, []string{"*", "*/*"}
		if !strings.Contains(t.Group, ".") {
			kind.Versions = []string{t.Version, "*"}
		}
		*list = append(*list, kind)
	}
	reach := &(*list)[i]
	resource, sub, isSub := strings.Cut(t.Resource, "/")
	switch {
	case resource == "pods" && isSub:
	case isSub:
		reach.Resources = append(reach.Resources, t.Resource, "*/"+sub)
	default:
		reach.Resources = append(reach.Resources, t.Resource, t.Resource+"/*")
	}
	if t.Resource == "pods" {
		reach.Prefixes = []string{"pods/"}
		for _, sub := range podSubresources {
			reach.Resources = append(reach.Resources, "*/"+sub)
		}
	}
}

// MutatingOperations are the operations whose objects a webhook can change, as an
// entry names them. The object of a DELETE is gone whatever it answers.
func MutatingOperations() []string { return []string{"CREATE", "UPDATE", "CONNECT", "*"} }

// concerns reports whether an entry with those operations is called for an object
// that the Reach is about.
func (reach *Reach) concerns(r *admissionregistrationv1.RuleWithOperations) bool {
	scope := admissionregistrationv1.NamespacedScope
	if reach.Cluster {
		scope = admissionregistrationv1.ClusterScope
	}
	return (r.Scope == nil || *r.Scope == admissionregistrationv1.AllScopes || *r.Scope == scope) &&
		slices.ContainsFunc(r.APIGroups, func(g string) bool { return slices.Contains(reach.Groups, g) }) &&
		(len(reach.Versions) == 0 || slices.ContainsFunc(r.APIVersions, func(v string) bool { return slices.Contains(reach.Versions, v) })) &&
		slices.ContainsFunc(r.Resources, func(resource string) bool {
			return slices.Contains(reach.Resources, resource) ||
				slices.ContainsFunc(reach.Prefixes, func(p string) bool { return strings.HasPrefix(resource, p) })
		})
}
