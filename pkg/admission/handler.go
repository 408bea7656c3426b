// Package admission is the endpoint by which the API server asks: it reads
// AdmissionReviews, has the engine judge them and writes the answer.
package admission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Endpoint says from which entry of the webhook configuration a request comes.
type Endpoint string

// The endpoints, which are also the paths of the webhook server.
const (
	// Managed receives the requests of namespaces that the webhook configuration
	// selects as managed. Its failure policy is Fail.
	Managed Endpoint = "managed"
	// Cluster receives all others. Its failure policy is Ignore.
	Cluster Endpoint = "cluster"
)

// Path of the endpoint.
func (d Endpoint) Path() string { return "/" + string(d) }

// Observer is told of roles and bindings that were just admitted, because a watch
// brings them a moment later than the next request may come.
type Observer interface {
	Admitted(obj any)
}

// Handler answers AdmissionReviews over HTTP.
type Handler struct {
	// Endpoint by which requests come.
	Endpoint Endpoint
	// Engine returns the engine of the configuration in force.
	Engine func() *engine.Engine
	// Facts answers what exists.
	Facts engine.Facts
	// Budget is shared by the handlers of a process.
	Budget *Budget
	// Metrics records what happens.
	Metrics *metrics.Recorder
	// Log gets one line for every request that is not simply allowed.
	Log logr.Logger
}

// ServeHTTP answers one AdmissionReview.
func (h *Handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	operation, outcome := "", metrics.Failed
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			h.Log.Error(fmt.Errorf("panic: %v", p), "Could not answer an admission request", "stack", string(debug.Stack()))
			outcome = metrics.Failed
			http.Error(w, "emrguard: internal error", http.StatusInternalServerError)
		}
		h.Metrics.Request(string(h.Endpoint), operation, outcome, time.Since(start))
	}()

	ctx, cancel := withDeadline(req.Context(), req.URL.Query().Get("timeout"))
	defer cancel()
	in, held, err := h.read(ctx, w, req)
	defer func() { held.release() }()
	start = time.Now() // the network is not ours
	if err == nil {
		operation = string(in.Request.Operation)
		outcome, err = h.answer(ctx, w, req, in, &held)
	}
	if err != nil {
		outcome = metrics.Malformed
		status := http.StatusInternalServerError
		if bad := (*requestError)(nil); errors.As(err, &bad) {
			status = bad.status
		} else {
			outcome = metrics.Failed
		}
		if limit.IsExceeded(err) {
			w.Header().Set("Retry-After", "1")
			h.Metrics.OverBudget(string(h.Endpoint))
		}
		h.Log.Error(err, "Refused to read an admission request", append(caller(req), "status", status, "endpoint", h.Endpoint)...)
		http.Error(w, "emrguard: "+err.Error(), status)
	}
}

// withDeadline takes over the time that the API server waits (the parameter
// timeout of its request), less a tenth for the way back: an answer that comes too
// late is no answer.
func withDeadline(ctx context.Context, timeout string) (context.Context, context.CancelFunc) {
	wait, err := time.ParseDuration(timeout)
	if err != nil || wait <= 0 || wait > limit.Request {
		wait = limit.Request
	}
	return context.WithTimeout(ctx, wait-wait/10)
}

// answer judges a request and writes the answer.
func (h *Handler) answer(ctx context.Context, w http.ResponseWriter, req *http.Request, in *review, held **share) (string, error) {
	res, known := h.resource(in.Request)
	if !known {
		return metrics.Allowed, h.allowUnknown(w, req, in)
	}
	j := h.judge(ctx, h.Engine(), res, in, held)
	if j.err != nil {
		return "", j.err
	}
	if r := j.request; r != nil {
		h.record(req, in.Request, r, &j.verdict)
		if o, ok := h.Facts.(Observer); ok && j.verdict.Allowed() && in.exceeded == nil && !r.DryRun && r.Object.RBAC != nil && r.Operation != rule.Delete {
			o.Admitted(r.Object.RBAC)
		}
	}
	outcome := metrics.Allowed
	switch {
	case !j.verdict.Allowed():
		outcome = metrics.Denied
	case len(j.verdict.Warned) > 0:
		outcome = metrics.Warned
	}
	return outcome, h.write(w, in, &j.verdict)
}

// resource finds what a request is about. It reports false for a resource,
// subresource or operation that this version knows nothing of.
func (h *Handler) resource(in *admissionv1.AdmissionRequest) (object.Resource, bool) {
	res, ok := find(schema.GroupResource{Group: in.Resource.Group, Resource: in.Resource.Resource}, in.SubResource)
	if !ok {
		return res, false
	}
	switch rule.Operation(in.Operation) {
	case rule.Create, rule.Update, rule.Connect, rule.Delete:
		return res, true
	}
	return res, false
}

// allowUnknown lets pass what this version does not know, and says so. The API
// server sends what the webhook configuration names, and while a new version is
// rolled out, that names resources which the replicas of the old one do not know.
// No rule of theirs would have read such a request, and refusing it would stop
// whoever works with the resource until the last of them is gone.
func (h *Handler) allowUnknown(w http.ResponseWriter, req *http.Request, in *review) error {
	gr := schema.GroupResource{Group: in.Request.Resource.Group, Resource: in.Request.Resource.Resource}
	h.Metrics.Unknown(string(h.Endpoint))
	h.Log.Info("Let a request pass that this version does not know", append(caller(req),
		"operation", in.Request.Operation, "resource", gr.String(), "subresource", in.Request.SubResource,
		"kind", in.Request.Kind.Kind, "uid", in.Request.UID)...)
	text := fmt.Sprintf("this version of emrguard does not know %s of %s %s", in.Request.Operation, name(gr, in.Request.SubResource), in.Request.Kind.Kind)
	return h.send(w, in, &admissionv1.AdmissionResponse{Allowed: true, AuditAnnotations: map[string]string{annotationUnknown: truncate(text, maxWarning)}})
}

// request turns an AdmissionRequest into the facts that rules read. It returns
// nil for a request that no rule concerns.
func (h *Handler) request(e *engine.Engine, res object.Resource, from *review) (*rule.Request, func() (*object.Object, error), error) {
	in := from.Request
	gr := schema.GroupResource{Group: in.Resource.Group, Resource: in.Resource.Resource}
	if in.Kind.Kind != res.Kind || in.Kind.Group != res.KindGroup() {
		return nil, nil, badRequest("the request is for %s with an object of kind %s in group %q", gr, in.Kind.Kind, in.Kind.Group)
	}
	r := &rule.Request{
		Operation:   rule.Operation(in.Operation),
		Resource:    gr,
		Subresource: in.SubResource,
		Namespace:   in.Namespace,
		Name:        in.Name,
		DryRun:      in.DryRun != nil && *in.DryRun,
		Cluster:     h.Facts,
	}
	raw := in.Object.Raw
	if r.Operation == rule.Delete {
		raw = in.OldObject.Raw
	}
	isNamespace := gr.Resource == "namespaces"
	if isNamespace && r.Namespace == "" {
		r.Namespace = r.Name
	}
	// What has no namespace concerns all of them.
	r.Managed = h.Endpoint == Managed || res.Cluster && !isNamespace || e.Managed(r.Namespace, h.Facts)
	r.IsManaged = func(ns string) bool { return ns == r.Namespace && r.Managed || e.Managed(ns, h.Facts) }
	r.ManagedNamespaces = func() []string { return e.ManagedNamespaces(h.Facts) }
	// Whether a Namespace that is being created or labelled is in scope, only its
	// own labels tell.
	if !isNamespace && !e.Concerns(gr, r.Subresource, r.Operation, r.Managed) {
		return nil, nil, nil
	}
	r.Requester = e.Classify(in.UserInfo.Username, in.UserInfo.Groups, r.Namespace)
	if from.exceeded != nil {
		r.Managed = r.Managed || isNamespace
		r.Object = &object.Object{Meta: &metav1.ObjectMeta{Name: in.Name, Namespace: in.Namespace}}
		return r, nil, nil
	}
	var err error
	if r.Object, err = object.Decode(res, raw); err != nil {
		return nil, nil, badRequest("%w", err)
	}
	old := func() (*object.Object, error) { return object.Decode(res, in.OldObject.Raw) }
	if isNamespace && !r.Managed {
		r.Managed = e.SelectsNamespace(r.Object.Meta.Labels)
		if !r.Managed && r.Operation == rule.Update {
			if r.Old, err = old(); err != nil {
				return nil, nil, badRequest("%w", err)
			}
			r.Managed = e.SelectsNamespace(r.Old.Meta.Labels)
		}
	}
	return r, old, nil
}

func find(gr schema.GroupResource, subresource string) (object.Resource, bool) {
	if subresource != "" {
		gr.Resource = name(gr, subresource)
	}
	return object.Find(gr)
}

// name is the resource as a webhook configuration writes it.
func name(gr schema.GroupResource, subresource string) string {
	if subresource == "" {
		return gr.Resource
	}
	return gr.Resource + "/" + subresource
}
