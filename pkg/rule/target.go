package rule

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
)

// Target is an API resource whose requests a rule has to see.
type Target struct {
	Group, Version string
	// Resource as in a webhook configuration, with its subresource:
	// "pods" or "pods/ephemeralcontainers".
	Resource   string
	Cluster    bool // a resource without namespace
	Operations []Operation
	// Everywhere is true for what has to be seen in every namespace, because it may run
	// in a managed one: a custom resource that says so itself.
	Everywhere bool
	// Audit is true for what only audits and files show the rule: the API server
	// never sends it to a webhook, or the chart leaves its namespace out.
	Audit bool
	// Metadata is true for a subresource by which labels and annotations can be
	// changed, and by which nothing else that is judged can: only requests that do so
	// are sent.
	Metadata bool
}

// Targets are the requests that a rule reads.
type Targets []Target

// On is a resource and what is done to it: "pods/exec", or with its group,
// "roles.rbac.authorization.k8s.io". The table of package object has its version and its
// scope; a resource that is not in it has no version, which the check at the start refuses.
func On(resource string, operations ...Operation) Targets {
	gr := schema.ParseGroupResource(resource)
	t := Target{Group: gr.Group, Resource: gr.Resource, Operations: operations}
	if res, ok := object.Find(gr); ok {
		t.Version, t.Cluster, t.Audit = res.Version, res.Cluster, res.NotSentToWebhooks
	}
	return Targets{t}
}

// And adds a resource.
func (t Targets) And(resource string, operations ...Operation) Targets {
	return append(t, On(resource, operations...)...)
}

// String is the resource as kubectl writes it, such as "deployments.apps".
func (t Target) String() string {
	return schema.GroupResource{Group: t.Group, Resource: t.Resource}.String()
}
