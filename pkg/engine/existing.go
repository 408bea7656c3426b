package engine

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/scope"
)

// Facts is what exists, as far as rules and scope ask.
type Facts interface {
	rule.Cluster
	scope.Facts
}

// Existing is the request by which an object that exists already, or stands in a
// file, would have come: a creation for which nobody asks.
func (e *Engine) Existing(res object.Resource, o *object.Object, facts Facts) *rule.Request {
	r := &rule.Request{
		Operation: rule.Create,
		Resource:  schema.GroupResource{Group: res.Group, Resource: res.Resource},
		Namespace: o.Meta.Namespace,
		Name:      o.Meta.Name,
		Requester: rule.Requester{Class: rule.Nobody},
		Object:    o,
		Cluster:   facts,
	}
	switch {
	case r.Resource.Resource == "namespaces":
		r.Namespace = r.Name
		r.Managed = e.Managed(r.Name, facts) || e.SelectsNamespace(o.Meta.Labels)
	case res.Cluster: // what has no namespace concerns all of them
		r.Managed = true
	default:
		r.Managed = e.Managed(r.Namespace, facts)
	}
	r.IsManaged = func(ns string) bool { return ns == r.Namespace && r.Managed || e.Managed(ns, facts) }
	r.ManagedNamespaces = func() []string { return e.ManagedNamespaces(facts) }
	return r
}
