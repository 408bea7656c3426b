// Package admission is the door by which the API server asks: it reads
// AdmissionReviews, has the engine judge them and writes the answer.
package admission

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/json"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// MaxBodyBytes is the largest AdmissionReview that is read: an object and its
// predecessor, of at most 3 MiB each for the API server, with the envelope.
const MaxBodyBytes = 7 << 20

// Door says from which entry of the webhook configuration a request comes.
type Door string

// The doors, which are also the paths of the webhook server.
const (
	// Managed receives the requests of namespaces that the webhook configuration
	// selects as managed. Its failure policy is Fail.
	Managed Door = "managed"
	// Cluster receives all others. Its failure policy is Ignore.
	Cluster Door = "cluster"
)

// Path of the door.
func (d Door) Path() string { return "/" + string(d) }

// Observer is told of roles and bindings that were just admitted, because a watch
// brings them a moment later than the next request may come.
type Observer interface {
	Admitted(obj any)
}

// Handler answers AdmissionReviews over HTTP.
type Handler struct {
	// Door by which requests come.
	Door Door
	// Engine returns the engine of the configuration in force.
	Engine func() *engine.Engine
	// Facts answers what exists.
	Facts engine.Facts
	// Metrics records what happens.
	Metrics *metrics.Recorder
	// Log gets one line for every request that is not simply allowed.
	Log logr.Logger
}

// requestError is a request that cannot be judged because of what it is. It is
// answered with an HTTP status: the API server counts that as a failed call,
// which the failure policy of the entry then answers.
type requestError struct {
	status int
	err    error
}

func (e *requestError) Error() string { return e.err.Error() }

func badRequest(format string, args ...any) *requestError {
	return &requestError{http.StatusBadRequest, fmt.Errorf(format, args...)}
}

// buffers are reused from request to request: what is decoded is copied out of
// them.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBufferBytes is the largest buffer that goes back to the pool: one huge
// request must not cost its memory for ever.
const keepBufferBytes = 256 << 10

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
		h.Metrics.Request(string(h.Door), operation, outcome, time.Since(start))
	}()

	buffer, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	defer func() {
		if buffer.Cap() <= keepBufferBytes {
			buffer.Reset()
			buffers.Put(buffer)
		}
	}()
	review, err := readReview(buffer, w, req)
	start = time.Now() // the network is not ours
	if err == nil {
		operation = string(review.Request.Operation)
		ctx, cancel := withDeadline(req.Context(), req.URL.Query().Get("timeout"))
		defer cancel()
		outcome, err = h.answer(ctx, w, review)
	}
	if err != nil {
		outcome = metrics.Malformed
		status := http.StatusInternalServerError
		if bad := (*requestError)(nil); errors.As(err, &bad) {
			status = bad.status
		} else {
			outcome = metrics.Failed
		}
		h.Log.Error(err, "Refused to read an admission request", "status", status, "door", h.Door)
		http.Error(w, "emrguard: "+err.Error(), status)
	}
}

// withDeadline takes over the time that the API server waits (the parameter
// timeout of its request), less a tenth for the way back: an answer that comes too
// late is no answer.
func withDeadline(ctx context.Context, timeout string) (context.Context, context.CancelFunc) {
	if wait, err := time.ParseDuration(timeout); err == nil && wait > 0 {
		return context.WithTimeout(ctx, wait-wait/10)
	}
	return context.WithCancel(ctx)
}

func readReview(buffer *bytes.Buffer, w http.ResponseWriter, req *http.Request) (*admissionv1.AdmissionReview, error) {
	if req.Method != http.MethodPost {
		return nil, &requestError{http.StatusMethodNotAllowed, fmt.Errorf("an AdmissionReview is posted, not sent by %s", req.Method)}
	}
	if media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, badRequest("the content type is %q, an AdmissionReview is application/json", req.Header.Get("Content-Type"))
	}
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, req.Body, MaxBodyBytes)); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return nil, &requestError{http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes", MaxBodyBytes)}
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, badRequest("the body ends before its announced length")
		}
		return nil, badRequest("read the body: %w", err)
	}
	review := &admissionv1.AdmissionReview{}
	if err := json.UnmarshalCaseSensitivePreserveInts(buffer.Bytes(), review); err != nil {
		return nil, badRequest("the body is no AdmissionReview: %w", err)
	}
	switch {
	case review.APIVersion != admissionv1.SchemeGroupVersion.String() || review.Kind != "AdmissionReview":
		return nil, badRequest("the body is %q, %q instead of %q, \"AdmissionReview\"", review.APIVersion, review.Kind, admissionv1.SchemeGroupVersion)
	case review.Request == nil:
		return nil, badRequest("the AdmissionReview has no request")
	case review.Request.UID == "":
		return nil, badRequest("the request has no uid, so no answer could be matched to it")
	}
	return review, nil
}

// answer judges a request and writes the answer.
func (h *Handler) answer(ctx context.Context, w http.ResponseWriter, review *admissionv1.AdmissionReview) (string, error) {
	e := h.Engine()
	r, old, err := h.request(e, review.Request)
	if err != nil {
		return "", err
	}
	var verdict engine.Verdict
	if r != nil {
		verdict = e.Review(ctx, r, old)
		h.record(review.Request, r, &verdict)
		if o, ok := h.Facts.(Observer); ok && verdict.Allowed() && !r.DryRun && r.Object.RBAC != nil && r.Operation != rule.Delete {
			o.Admitted(r.Object.RBAC)
		}
	}
	outcome := metrics.Allowed
	switch {
	case !verdict.Allowed():
		outcome = metrics.Denied
	case len(verdict.Warned) > 0:
		outcome = metrics.Warned
	}
	return outcome, write(w, review, &verdict)
}

// request turns an AdmissionRequest into the facts that rules read. It returns
// nil for a request that no rule concerns.
func (h *Handler) request(e *engine.Engine, in *admissionv1.AdmissionRequest) (*rule.Request, func() (*object.Object, error), error) {
	gr := schema.GroupResource{Group: in.Resource.Group, Resource: in.Resource.Resource}
	res, ok := find(gr, in.SubResource)
	if !ok {
		return nil, nil, badRequest("emrguard judges no %s: take the resource out of the webhook configuration", name(gr, in.SubResource))
	}
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
	switch r.Operation {
	case rule.Create, rule.Update, rule.Connect:
	case rule.Delete:
		raw = in.OldObject.Raw
	default:
		return nil, nil, badRequest("emrguard does not judge %s of %s", in.Operation, gr)
	}
	isNamespace := gr.Resource == "namespaces"
	if isNamespace && r.Namespace == "" {
		r.Namespace = r.Name
	}
	// What has no namespace concerns all of them.
	r.Managed = h.Door == Managed || res.Cluster && !isNamespace || e.Managed(r.Namespace, h.Facts)
	r.IsManaged = func(ns string) bool { return ns == r.Namespace && r.Managed || e.Managed(ns, h.Facts) }
	r.ManagedNamespaces = func() []string { return e.ManagedNamespaces(h.Facts) }
	// Whether a Namespace that is being created or labelled is in scope, only its
	// own labels tell.
	if !isNamespace && !e.Concerns(gr, r.Subresource, r.Operation, r.Managed) {
		return nil, nil, nil
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
	r.Requester = e.Classify(in.UserInfo.Username, in.UserInfo.Groups, r.Namespace)
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
