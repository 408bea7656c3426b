// Package admission is the endpoint by which the API server asks: it reads
// AdmissionReviews, has the engine judge them and writes the answer.
package admission

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/engine"
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

// Reviewer answers admission requests.
type Reviewer struct {
	// Endpoint by which requests come.
	Endpoint Endpoint
	// Engine returns the engine of the configuration in force.
	Engine func() *engine.Engine
	// Facts answers what exists.
	Facts engine.Facts
	// Metrics records what happens.
	Metrics *metrics.Recorder
	// Log gets one line for every request that is not simply allowed.
	Log logr.Logger
}

// Review answers a request of which both objects are there. The error says that the
// request cannot be judged because it contradicts itself or its object cannot be read;
// the API server sends no such request.
func (v *Reviewer) Review(ctx context.Context, in *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error) {
	response, _, err := v.review(ctx, &review{request: in})
	return response, err
}

// review is a request with what the endpoint knows of it besides.
type review struct {
	request *admissionv1.AdmissionRequest
	// exceeded is why the objects were not read, nil when they were.
	exceeded error
	// held is what the request holds of the budget. A large request that is given up
	// keeps it until its judgement ends; it is nil then.
	held *share
	// from is who has sent it.
	from sender
}

// isUnread reports whether the objects were not read.
func (in *review) isUnread() bool { return in.exceeded != nil }

// release gives back what the request still holds of the budget.
func (in *review) release() {
	if in != nil {
		in.held.release()
	}
}

// review answers a request, and says for the metrics what came of it.
func (v *Reviewer) review(ctx context.Context, in *review) (*admissionv1.AdmissionResponse, string, error) {
	res, known := resourceOf(in.request)
	if !known {
		return v.allowUnknown(in), metrics.Allowed, nil
	}
	e := v.Engine()
	j := v.judge(ctx, e, res, in)
	if j.err != nil {
		return nil, "", j.err
	}
	if r := j.request; r != nil {
		v.record(e, in, r, &j.verdict)
		if o, ok := v.Facts.(Observer); ok && j.verdict.Allowed() && !in.isUnread() && !r.DryRun && r.Object.RBAC() != nil && r.Operation != rule.Delete {
			o.Admitted(r.Object.RBAC())
		}
	}
	outcome := metrics.Allowed
	switch {
	case !j.verdict.Allowed():
		outcome = metrics.Denied
	case len(j.verdict.Warned) > 0:
		outcome = metrics.Warned
	}
	return respond(e, in, &j.verdict), outcome, nil
}

// resourceOf finds what a request is about. It reports false for a resource,
// subresource or operation that this version knows nothing of.
func resourceOf(in *admissionv1.AdmissionRequest) (object.Resource, bool) {
	res, ok := object.Find(schema.GroupResource{Group: in.Resource.Group, Resource: withSubresource(in)})
	switch rule.Operation(in.Operation) {
	case rule.Create, rule.Update, rule.Connect, rule.Delete:
		return res, ok
	}
	return res, false
}

// withSubresource is the resource as a webhook configuration writes it.
func withSubresource(in *admissionv1.AdmissionRequest) string {
	if in.SubResource == "" {
		return in.Resource.Resource
	}
	return in.Resource.Resource + "/" + in.SubResource
}

// allowUnknown lets pass what this version does not know, and says so. The API
// server sends what the webhook configuration names, and while a new version is
// rolled out, that names resources which the replicas of the old one do not know.
// No rule of theirs would have read such a request, and refusing it would stop
// whoever works with the resource until the last of them is gone.
func (v *Reviewer) allowUnknown(in *review) *admissionv1.AdmissionResponse {
	q := in.request
	v.Metrics.Unknown(string(v.Endpoint))
	v.Log.Info("Let a request pass that this version does not know", append(in.from.fields(),
		"operation", q.Operation, "resource", schema.GroupResource{Group: q.Resource.Group, Resource: q.Resource.Resource}.String(), "subresource", q.SubResource,
		"kind", q.Kind.Kind, "uid", q.UID)...)
	text := fmt.Sprintf("this version of emrguard does not know %s of %s %s", q.Operation, withSubresource(q), q.Kind.Kind)
	return &admissionv1.AdmissionResponse{UID: q.UID, Allowed: true, AuditAnnotations: map[string]string{annotationUnknown: truncate(text, maxWarning)}}
}

// request makes of an AdmissionRequest what rules judge. It returns nil for a request
// that no rule concerns. The function that it returns decodes the object before an update.
func (v *Reviewer) request(e *engine.Engine, res object.Resource, from *review) (*rule.Request, func() (*object.Object, error), error) {
	in := from.request
	if in.Kind.Kind != res.Kind || in.Kind.Group != res.KindGroup() {
		gr := schema.GroupResource{Group: in.Resource.Group, Resource: in.Resource.Resource}
		return nil, nil, badRequest("the request is for %s with an object of kind %s in group %q", gr, in.Kind.Kind, in.Kind.Group)
	}
	r := e.NewRequest(&engine.Incoming{
		Operation: rule.Operation(in.Operation), Resource: res, Namespace: in.Namespace, Name: in.Name,
		User: in.UserInfo.Username, Groups: in.UserInfo.Groups, DryRun: in.DryRun != nil && *in.DryRun, Managed: v.Endpoint == Managed,
	}, v.Facts)
	if !e.NeedsObject(r) {
		return nil, nil, nil
	}
	if from.isUnread() {
		e.SetUnread(r)
		return r, nil, nil
	}
	raw := in.Object.Raw
	if r.Operation == rule.Delete {
		raw = in.OldObject.Raw
	}
	o, err := object.Decode(res, raw)
	if err != nil {
		return nil, nil, badRequest("%w", err)
	}
	old := func() (*object.Object, error) { return object.Decode(res, in.OldObject.Raw) }
	if err := e.SetObject(r, o, old); err != nil {
		return nil, nil, badRequest("%w", err)
	}
	return r, old, nil
}
