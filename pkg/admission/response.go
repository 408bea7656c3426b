package admission

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rule"
)

// The API server cuts a warning off at 256 characters once all of them together are over
// 4096 (k8s.io/apiserver, pkg/endpoints/filters/warning.go). Nobody reads more than ten.
const (
	maxWarning  = 256
	maxWarnings = 10
)

// maxLines bounds a refusal: who widens a role that hundreds are bound to need not
// read all their names.
const maxLines = 100

// maxAnnotation bounds one audit annotation: it stands in every stage of the
// audit event.
const maxAnnotation = 8 << 10

// Keys of the audit annotations. The API server puts the name of the webhook
// before them: `managed.emrguard.dev/deny`.
const (
	annotationDeny       = "deny"
	annotationWarn       = "warn"
	annotationAudit      = "audit"
	annotationExempt     = "exempt"
	annotationBreakGlass = "break-glass"
	annotationError      = "error"
	annotationMode       = "mode"
	annotationUnknown    = "unknown"
)

// respond answers with a verdict. A request that may pass in a moment is refused with
// 429: clients of Kubernetes try again by themselves.
func respond(e *engine.Engine, in *review, v *engine.Verdict) *admissionv1.AdmissionResponse {
	response := &admissionv1.AdmissionResponse{UID: in.request.UID, Allowed: v.Allowed(), AuditAnnotations: annotations(e, v), Warnings: warnings(v)}
	if response.Allowed {
		return response
	}
	response.Result = &metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusForbidden,
		Reason:  metav1.StatusReasonForbidden,
		Message: refusal(e, in.request, v),
	}
	if exceeded := (*limit.Exceeded)(nil); errors.As(in.exceeded, &exceeded) && exceeded.Retry {
		response.Result.Code = http.StatusTooManyRequests
		response.Result.Reason = metav1.StatusReasonTooManyRequests
		response.Result.Details = &metav1.StatusDetails{RetryAfterSeconds: 1}
	}
	return response
}

// refusal lists every finding that refuses the request, one on a line.
func refusal(e *engine.Engine, in *admissionv1.AdmissionRequest, v *engine.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "emrguard refuses to %s: %s", act(in), count(len(v.Denied), v.Omitted))
	seen := map[string]bool{}
	for i, o := range v.Denied {
		if len(seen) == maxLines {
			fmt.Fprintf(&b, "\n… and %d more; mend these first", len(v.Denied)-i)
			break
		}
		line := "\n[" + o.ID() + "] " + sentence(o.Finding)
		if !seen[line] {
			seen[line] = true
			b.WriteString(line)
		}
	}
	if slices.ContainsFunc(v.Denied, func(o engine.Outcome) bool { return o.AsSubmitter }) {
		// Whoever runs the cluster meets this line first, before anybody has told
		// emrguard who that is.
		fmt.Fprintf(&b, "\n%s counts as a submitter: if this is an administrator of the cluster, add the user or one of its groups to administrators in the configuration of emrguard", in.UserInfo.Username)
	}
	b.WriteString(readMore(e, v))
	return b.String()
}

// maxReferences bounds the rules of which a refusal says where to read more.
const maxReferences = 3

// readMore says where the rules are explained that refuse a request.
func readMore(e *engine.Engine, v *engine.Verdict) string {
	var rules []string
	for i := range v.Denied {
		if id := v.Denied[i].Rule; !slices.Contains(rules, id) && id != engine.UnreadableID {
			rules = append(rules, id)
		}
	}
	var b strings.Builder
	for _, id := range rules[:min(len(rules), maxReferences)] {
		b.WriteString("\nRead more: emrguard rules " + id)
		if page := e.Config().PageOf(id); page != "" {
			b.WriteString(", " + page)
		}
	}
	return b.String()
}

// act is what is asked for, as people call it: "create Pod x", "connect to
// pods/exec of x", "create a token of x".
func act(in *admissionv1.AdmissionRequest) string {
	verb := strings.ToLower(string(in.Operation))
	switch {
	case in.Operation == admissionv1.Connect:
		return "connect to " + in.Resource.Resource + "/" + in.SubResource + " of " + in.Name
	case in.SubResource == "token":
		return verb + " a token of " + in.Name
	case in.SubResource != "":
		return verb + " " + in.SubResource + " of " + in.Kind.Kind + " " + in.Name
	case in.Name == "":
		return verb + " a " + in.Kind.Kind
	}
	return verb + " " + in.Kind.Kind + " " + in.Name
}

func count(n, omitted int) string {
	switch {
	case omitted > 0:
		return fmt.Sprintf("more than %d findings", n)
	case n == 1:
		return "1 finding"
	}
	return fmt.Sprintf("%d findings", n)
}

// sentence is a finding as people read it: where, what, and how to mend it.
func sentence(f rule.Finding) string {
	s := f.Text()
	if f.Path != "" {
		s = f.Path + ": " + s
	}
	return s + "; " + f.Remedy()
}

// warnings are short, one for each reason and consequence, and never so many that the API
// server would cut them. A refused request needs none of what it could mend later.
func warnings(v *engine.Verdict) []string {
	if len(v.Warned) == 0 || !v.Allowed() {
		return nil
	}
	type kind struct{ id, verb string }
	var kinds []kind
	alike := map[kind][]string{} // texts, each once
	for i := range v.Warned {
		o := &v.Warned[i]
		k, text := kind{o.ID(), verb(v.Mode, *o)}, sentence(o.Finding)
		if _, known := alike[k]; !known {
			kinds = append(kinds, k)
		}
		if !slices.Contains(alike[k], text) {
			alike[k] = append(alike[k], text)
		}
	}
	var list []string
	for i, k := range kinds {
		if len(list) == maxWarnings-1 && len(kinds) > maxWarnings {
			left := 0
			for _, rest := range kinds[i:] {
				left += len(alike[rest])
			}
			return append(list, fmt.Sprintf("emrguard: %d more findings of %d other reasons; the audit log has them", left, len(kinds)-i))
		}
		texts, more := alike[k], ""
		if n := len(texts) - 1; n > 0 {
			more = fmt.Sprintf("(and %d more like it) ", n)
		}
		list = append(list, truncate(oneLine("["+k.id+"] "+k.verb+more+texts[0]), maxWarning))
	}
	return list
}

// verb says what would become of a warning that is a denial by nature.
func verb(mode rule.Action, o engine.Outcome) string {
	switch {
	case o.BreakGlass:
		return "break glass, else refused: "
	case !o.WouldDeny:
		return ""
	case o.Deferred && mode == "":
		return "its Pods will be refused: "
	case o.Deferred:
		return "its Pods would be refused: "
	}
	return "would be refused: "
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// truncate cuts s to at most n characters, never inside one.
func truncate(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:n-1]) + "…"
}

// annotations are the trail in the audit log: what was found, whatever came of
// it.
func annotations(e *engine.Engine, v *engine.Verdict) map[string]string {
	if len(v.Denied)+len(v.Warned)+len(v.Audited)+len(v.Exempted)+len(v.Errors) == 0 {
		return nil
	}
	texts := map[string]*strings.Builder{}
	add := func(key string, parts ...string) {
		b := texts[key]
		if b == nil {
			b = &strings.Builder{}
			texts[key] = b
		}
		if b.Len() > maxAnnotation {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for _, part := range parts {
			b.WriteString(part)
		}
	}
	for key, list := range map[string][]engine.Outcome{annotationDeny: v.Denied, annotationWarn: v.Warned, annotationAudit: v.Audited, annotationExempt: v.Exempted} {
		for _, o := range list {
			excuse := ""
			if o.Excuse != "" {
				excuse = " (exempt: " + o.Excuse + ")"
			}
			path := o.Path
			if path != "" {
				path += ": "
			}
			add(key, "[", o.ID(), "] ", path, o.Text(), excuse, " (", string(o.Reason.Severity), ", ", strings.Join(e.ClausesOf(o.Rule), ", "), ")")
			if o.BreakGlass {
				add(annotationBreakGlass, o.Rule)
			}
		}
	}
	for _, e := range v.Errors {
		add(annotationError, e.Rule, ": ", e.Err.Error())
	}
	m := make(map[string]string, len(texts)+1)
	for key, b := range texts {
		text := b.String()
		if len(text) > maxAnnotation {
			text = strings.ToValidUTF8(text[:maxAnnotation], "")
		}
		m[key] = text
	}
	if v.Mode != "" {
		m[annotationMode] = string(v.Mode)
	}
	return m
}
