package admission

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rule"
)

// record counts what was found and writes one log line for a request with
// findings. Messages of findings hold no secrets; objects are never logged. A
// dry run counts like any other request: it has no other effect here.
func (v *Reviewer) record(e *engine.Engine, from *review, r *rule.Request, verdict *engine.Verdict) {
	in := from.request
	for _, list := range [][]engine.Outcome{verdict.Denied, verdict.Warned, verdict.Audited} {
		for _, o := range list {
			action := string(o.Action)
			if o.BreakGlass {
				action = annotationBreakGlass
			}
			v.Metrics.Finding(metrics.KindOf(&o.Finding), action, r.Requester.Class)
		}
	}
	for _, o := range verdict.Exempted {
		v.Metrics.Finding(metrics.KindOf(&o.Finding), annotationExempt, r.Requester.Class)
	}
	for _, failure := range verdict.Errors {
		v.Metrics.RuleError(failure.Rule)
		fields := append(from.from.fields(), "rule", failure.Rule, "uid", in.UID)
		if mistake := (*engine.Mistake)(nil); errors.As(failure.Err, &mistake) {
			fields = append(fields, "panic", fmt.Sprint(mistake.Value), "stack", mistake.Stack)
		}
		v.Log.Error(failure.Err, "A rule could not judge", fields...)
	}
	if len(verdict.Denied)+len(verdict.Warned)+len(verdict.Audited)+len(verdict.Exempted) == 0 {
		return
	}
	decision := "allow"
	if !verdict.Allowed() {
		decision = string(rule.Deny)
	} else if len(verdict.Warned) > 0 {
		decision = string(rule.Warn)
	}
	severity, clauses := gravest(e, verdict)
	v.Log.Info("Judged", append(from.from.fields(),
		"decision", decision,
		"severity", severity,
		"clauses", clauses,
		"operation", in.Operation,
		"resource", in.Resource.Resource,
		"subresource", in.SubResource,
		"namespace", r.Namespace,
		"name", in.Name,
		"user", in.UserInfo.Username,
		"class", r.Requester.Class,
		"managed", r.Managed,
		"dryRun", r.DryRun,
		"deny", ids(verdict.Denied),
		"warn", ids(verdict.Warned),
		"audit", ids(verdict.Audited),
		"exempt", ids(verdict.Exempted),
		"uid", in.UID,
	)...)
}

// sender is who has sent a request. Without a client certificate anybody who
// reaches the port can have written it, and what it says of users and objects is
// then a claim: the API server's own audit log has what was really asked.
type sender struct {
	peer, client  string
	authenticated bool
}

func senderOf(req *http.Request) sender {
	s := sender{peer: req.RemoteAddr}
	if s.authenticated = req.TLS != nil && len(req.TLS.VerifiedChains) > 0; s.authenticated {
		s.client = req.TLS.VerifiedChains[0][0].Subject.CommonName
	}
	return s
}

// fields for the log.
func (s sender) fields() []any {
	return []any{"peer", s.peer, "authenticated", s.authenticated, "client", s.client}
}

// ids are the rules and reasons of findings, each once.
func ids(list []engine.Outcome) []string {
	var names []string
	for i := range list {
		if id := list[i].ID(); !slices.Contains(names, id) {
			names = append(names, id)
		}
	}
	return names
}

// gravest is the severity of the gravest finding of a verdict, and the clauses that its
// findings break.
func gravest(e *engine.Engine, v *engine.Verdict) (severity rule.Severity, clauses []string) {
	for _, list := range [][]engine.Outcome{v.Denied, v.Warned, v.Audited, v.Exempted} {
		for i := range list {
			if s := list[i].Reason.Severity; s.Gravity() > severity.Gravity() {
				severity = s
			}
			for _, clause := range e.ClausesOf(list[i].Rule) {
				if !slices.Contains(clauses, clause) {
					clauses = append(clauses, clause)
				}
			}
		}
	}
	return severity, clauses
}
