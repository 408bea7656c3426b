package engine

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/scope"
)

// Facts is what exists, as far as rules and scope ask.
type Facts interface {
	rule.Cluster
	scope.Facts
}

// Incoming is what an entry point knows of a request: the endpoint for the API server, a
// check of files, an audit.
type Incoming struct {
	// Operation that is asked for.
	Operation rule.Operation
	// Resource that the request names, with its subresource.
	Resource object.Resource
	// Namespace and Name of the object, as far as they are known.
	Namespace, Name string
	// User and Groups of the requester. Existing is true instead when nobody asks,
	// because the object exists already or stands in a file.
	User     string
	Groups   []string
	Existing bool
	// Object, when it is decoded already. Otherwise SetObject or SetUnread adds it.
	Object *object.Object
	// DryRun is true for a server-side dry run.
	DryRun bool
	// Managed is true when whoever sent the request has found already that the namespace
	// is managed.
	Managed bool
	// ManagedNamespaces are all of them, sorted, from an entry point that has many
	// requests and lists them once. Nil for all others.
	ManagedNamespaces []string
}

// NewRequest makes the request that rules judge. When its object is not decoded yet,
// NeedsObject tells from the rest whether that is worth it.
func (e *Engine) NewRequest(in *Incoming, facts Facts) *rule.Request {
	r := &rule.Request{
		Operation: in.Operation,
		Resource:  in.Resource.GroupResource(),
		Namespace: in.Namespace,
		Name:      in.Name,
		DryRun:    in.DryRun,
		Cluster:   facts,
	}
	if !in.Existing { // what exists was not sent to a subresource
		r.Resource.Resource, r.Subresource, _ = strings.Cut(r.Resource.Resource, "/")
	}
	namespace := isNamespace(r)
	if namespace && r.Namespace == "" {
		r.Namespace = r.Name
	}
	// Cluster-scoped objects affect every namespace.
	r.Managed = in.Managed || in.Resource.Cluster && !namespace || e.Managed(r.Namespace, facts)
	r.Requester = rule.Requester{Class: rule.Nobody}
	if !in.Existing {
		r.Requester = e.Classify(in.User, in.Groups, r.Namespace)
	}
	isManaged, managed := e.Managed, e.ManagedNamespaces
	if list := in.ManagedNamespaces; list != nil {
		isManaged = func(namespace string, _ scope.Facts) bool {
			_, found := slices.BinarySearch(list, namespace)
			return found
		}
		managed = func(scope.Facts) []string { return slices.Clone(list) }
	}
	r.IsManaged = func(namespace string) bool {
		return namespace == r.Namespace && r.Managed || isManaged(namespace, facts)
	}
	r.ManagedNamespaces = func() []string { return managed(facts) }
	if in.Object != nil {
		_ = e.SetObject(r, in.Object, nil) // without an old object there is no error
	}
	return r
}

// NeedsObject reports whether the object of a request must be decoded. Otherwise no rule
// concerns the request. Only its labels tell whether a Namespace is managed, so every
// Namespace must be.
func (e *Engine) NeedsObject(r *rule.Request) bool {
	return isNamespace(r) || e.Concerns(r.Resource, r.Subresource, r.Operation, r.Managed)
}

// SetObject gives a request its object. A Namespace is managed when its labels select it,
// or did so before an update; old, which may be nil, decodes it as it was. The error is
// that of old.
func (e *Engine) SetObject(r *rule.Request, o *object.Object, old func() (*object.Object, error)) error {
	r.Object = o
	if r.Managed || !isNamespace(r) {
		return nil
	}
	r.Managed = e.SelectsNamespace(o.Meta.Labels)
	if r.Managed || r.Operation != rule.Update || old == nil {
		return nil
	}
	var err error
	if r.Old, err = old(); err != nil {
		return err
	}
	r.Managed = e.SelectsNamespace(r.Old.Meta.Labels)
	return nil
}

// SetUnread gives a request of which the object is not read what the request itself says
// of it. Any Namespace may be a managed one then.
func (e *Engine) SetUnread(r *rule.Request) {
	r.Managed = r.Managed || isNamespace(r)
	r.Object = &object.Object{Meta: &metav1.ObjectMeta{Name: r.Name, Namespace: r.Namespace}}
}

// Existing is the request by which an object that exists already, or stands in a file,
// would have come: a creation for which nobody asks.
func (e *Engine) Existing(res object.Resource, o *object.Object, facts Facts) *rule.Request {
	return e.ExistingAmong(nil, res, o, facts)
}

// ExistingAmong is Existing for an audit, which lists the managed namespaces once. They
// are sorted.
func (e *Engine) ExistingAmong(managed []string, res object.Resource, o *object.Object, facts Facts) *rule.Request {
	in := Incoming{
		Operation: rule.Create, Resource: res, Namespace: o.Meta.Namespace, Name: o.Meta.Name, Existing: true, Object: o, ManagedNamespaces: managed,
	}
	if res.Kind == "Namespace" { // it is in itself
		in.Namespace = ""
	}
	return e.NewRequest(&in, facts)
}

func isNamespace(r *rule.Request) bool {
	return r.Resource.Group == "" && r.Resource.Resource == "namespaces"
}
