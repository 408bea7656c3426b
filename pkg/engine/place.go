package engine

import (
	"context"
	"slices"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// lets reports whether an update only takes finalizers off an object that is being
// deleted. No rule may ever hinder that: the object, and with it the namespace, would
// stay for ever.
func lets(r *rule.Request, old func() (*object.Object, error)) bool {
	if r.Operation != rule.Update || r.Object == nil || r.Object.Meta.DeletionTimestamp == nil {
		return false
	}
	if r.Old == nil && old != nil {
		r.Old, _ = old() // what cannot be read is judged, and said there
	}
	return r.Old != nil && object.OnlyDropsFinalizers(r.Old, r.Object)
}

// places are the request once for each managed namespace, beside the object's own, in
// which its pods run: it is judged as if it stood there. Nobody's own namespace is
// taken from him by that, because no operator's reading of the object is certain.
func (e *Engine) places(ctx context.Context, r *rule.Request) []*rule.Request {
	if r.Operation == rule.Delete || r.IsManaged == nil {
		return nil
	}
	// A rule that has to know the place asks again, and tells of the error.
	place, _ := e.settings.PlaceOf(ctx, r)
	var list []*rule.Request
	for _, namespace := range place.Namespaces {
		if !r.IsManaged(namespace) {
			continue
		}
		there := *r
		there.Namespace, there.Managed = namespace, true
		there.ForgetComputed()
		if !r.Existing() {
			there.Requester = e.Classify(r.Requester.User, r.Requester.Groups, namespace)
		}
		list = append(list, &there)
	}
	return list
}

// once keeps of what was found in several namespaces the gravest outcome.
func (v *Verdict) once() {
	var kept []Outcome
	for _, list := range []*[]Outcome{&v.Denied, &v.Warned, &v.Audited, &v.Exempted} {
		*list = slices.DeleteFunc(*list, func(o Outcome) bool {
			if slices.ContainsFunc(kept, func(k Outcome) bool {
				return k.Path == o.Path && k.Same(&o.Finding)
			}) {
				return true
			}
			kept = append(kept, o)
			return false
		})
	}
}
