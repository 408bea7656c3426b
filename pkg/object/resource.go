package object

import (
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resource is an API resource that rules read.
type Resource struct {
	// GroupVersionResource names the resource, with its subresource where it is
	// one: "pods/exec".
	schema.GroupVersionResource
	// Kind of the objects, in the group of the resource.
	Kind string
	// Cluster is true for a resource without namespace.
	Cluster bool
	// Workload is true for objects from which somebody else makes Pods later:
	// the workload kinds and the custom resources.
	Workload bool
	// NotSentToWebhooks is true for kinds that the API server never sends to a webhook:
	// only policies, audits and files know them.
	NotSentToWebhooks bool
	decode            func(*Object, []byte) error
}

// byName finds a resource without a search.
var byName = func() map[schema.GroupResource]*Resource {
	m := make(map[schema.GroupResource]*Resource, len(resources))
	for i := range resources {
		m[resources[i].GroupResource()] = &resources[i]
	}
	return m
}()

// Find returns the resource of that API group and name, with its subresource
// ("pods/exec"). Versions do not count: the API server converts to the one that
// the webhook configuration names.
func Find(gr schema.GroupResource) (Resource, bool) {
	if r := byName[gr]; r != nil {
		return *r, true
	}
	return Resource{}, false
}

// IsSubresource reports whether objects are only posted, to a subresource or, for a
// Binding, to the resource from the time before there were any.
func (r Resource) IsSubresource() bool {
	return strings.Contains(r.Resource, "/") || r.Kind == "Binding"
}

// Resources returns all resources that can be read, in a stable order: what others
// refer to comes first.
func Resources() []Resource { return slices.Clone(resources) }

// KindGroup is the API group of the objects' kind, which for a subresource may be
// another one than the resource's.
func (r Resource) KindGroup() string {
	if r.Kind == "TokenRequest" {
		return authenticationv1.GroupName
	}
	return r.Group
}

// Definitions returns the names of the CustomResourceDefinitions of all custom resources
// that can be read, sorted.
func Definitions() []string {
	var names []string
	for i := range resources {
		if r := &resources[i]; r.isCustom() && !r.IsSubresource() {
			names = append(names, r.GroupResource().String())
		}
	}
	slices.Sort(names)
	return names
}

// FindKind returns the resource of the objects of that kind.
func FindKind(gk schema.GroupKind) (Resource, bool) {
	for _, r := range resources {
		if r.KindGroup() == gk.Group && r.Kind == gk.Kind {
			return r, true
		}
	}
	return Resource{}, false
}

// isCustom reports whether somebody else than Kubernetes defines the kind, and
// so may change the type of a field between two releases of emrguard.
func (r Resource) isCustom() bool {
	switch r.Group {
	case "sparkoperator.k8s.io", "gateway.networking.k8s.io":
		return true
	}
	return strings.Contains(r.Group, ".") && !strings.HasSuffix(r.Group, ".k8s.io")
}
