package admission

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
)

// record counts what was found and writes one log line for a request with
// findings. Messages of findings hold no secrets; objects are never logged. A
// dry run counts like any other request: it has no other effect here.
func (h *Handler) record(req *http.Request, in *admissionv1.AdmissionRequest, r *rule.Request, v *engine.Verdict) {
	for _, list := range [][]engine.Outcome{v.Denied, v.Warned, v.Audited} {
		for _, o := range list {
			action := string(o.Action)
			if o.BreakGlass {
				action = annotationBreakGlass
			}
			h.Metrics.Finding(o.Rule, action, r.Requester.Class)
		}
	}
	for _, o := range v.Exempted {
		h.Metrics.Finding(o.Rule, annotationExempt, r.Requester.Class)
	}
	for _, e := range v.Errors {
		h.Metrics.RuleError(e.Rule)
		fields := append(caller(req), "rule", e.Rule, "uid", in.UID)
		if mistake := (*engine.Mistake)(nil); errors.As(e.Err, &mistake) {
			fields = append(fields, "panic", fmt.Sprint(mistake.Value), "stack", mistake.Stack)
		}
		h.Log.Error(e.Err, "A rule could not judge", fields...)
	}
	if len(v.Denied)+len(v.Warned)+len(v.Audited)+len(v.Exempted) == 0 {
		return
	}
	decision := "allow"
	if !v.Allowed() {
		decision = string(rule.Deny)
	} else if len(v.Warned) > 0 {
		decision = string(rule.Warn)
	}
	h.Log.Info("Judged", append(caller(req),
		"decision", decision,
		"operation", in.Operation,
		"resource", in.Resource.Resource,
		"subresource", in.SubResource,
		"namespace", r.Namespace,
		"name", in.Name,
		"user", in.UserInfo.Username,
		"class", r.Requester.Class,
		"managed", r.Managed,
		"dryRun", r.DryRun,
		"deny", ids(v.Denied),
		"warn", ids(v.Warned),
		"audit", ids(v.Audited),
		"exempt", ids(v.Exempted),
		"uid", in.UID,
	)...)
}

// caller says who has sent a request. Without a client certificate anybody who
// reaches the port can have written it, and what it says of users and objects is
// then a claim: the API server's own audit log has what was really asked.
func caller(req *http.Request) []any {
	client, authenticated := "", req.TLS != nil && len(req.TLS.VerifiedChains) > 0
	if authenticated {
		client = req.TLS.VerifiedChains[0][0].Subject.CommonName
	}
	return []any{"peer", req.RemoteAddr, "authenticated", authenticated, "client", client}
}

// ids are the rules of findings, each once.
func ids(list []engine.Outcome) []string {
	var names []string
	for _, o := range list {
		if !slices.Contains(names, o.Rule) {
			names = append(names, o.Rule)
		}
	}
	return names
}
