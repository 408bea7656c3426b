package harness

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Verdict is what the API server's answer amounts to.
type Verdict string

// The verdicts. Only Denied is a denial by an admission webhook or policy; a request
// that fails for any other reason must never be taken for one.
const (
	// Allowed: done, without a warning.
	Allowed Verdict = "allowed"
	// Warned: done, with at least one warning.
	Warned Verdict = "warned"
	// Denied: an admission webhook or a ValidatingAdmissionPolicy refused, and the
	// message names it.
	Denied Verdict = "denied"
	// Unreachable: an admission webhook with failurePolicy Fail did not answer.
	Unreachable Verdict = "webhook unreachable"
	// Unauthorized: RBAC or authentication refused.
	Unauthorized Verdict = "refused by RBAC"
	// Invalid: the API server's own validation or decoding refused.
	Invalid Verdict = "refused as invalid"
	// Failed: anything else: not found, conflict, another admission plugin, no
	// connection.
	Failed Verdict = "failed"
)

// Answer is the API server's answer to one request.
type Answer struct {
	Verdict Verdict
	// Code is the HTTP status of a refusal, 0 otherwise.
	Code int32
	// Webhook is the name of the admission webhook of Denied and Unreachable.
	Webhook string
	// Policy is the name of the ValidatingAdmissionPolicy of Denied.
	Policy string
	// Message is the text of a refusal. For Denied it is what the webhook or policy wrote,
	// without the API server's words around it.
	Message string
	// Warnings are the texts of the Warning headers, in their order.
	Warnings []string
	// Err is the error as the client returned it, nil when the request was done.
	Err error
}

// Done reports whether the request was carried out.
func (a Answer) Done() bool { return a.Verdict == Allowed || a.Verdict == Warned }

// Text is all that the requester was told: the refusal and the warnings.
func (a Answer) Text() string {
	parts := a.Warnings
	if a.Message != "" {
		parts = append([]string{a.Message}, parts...)
	}
	return strings.Join(parts, "\n")
}

// String is a one-line summary followed by the text.
func (a Answer) String() string {
	s := string(a.Verdict)
	if a.Code != 0 {
		s += fmt.Sprintf(" (%d)", a.Code)
	}
	if a.Webhook != "" {
		s += " by " + a.Webhook
	}
	if a.Policy != "" {
		s += " by policy " + a.Policy
	}
	if text := a.Text(); text != "" {
		s += ": " + text
	}
	return s
}

// The API server's words, from k8s.io/apiserver's admission plugins for webhooks and
// policies.
var (
	policyPattern      = regexp.MustCompile(`(?s)ValidatingAdmissionPolicy '([^']+)' with binding '[^']*' denied request: (.*)$`)
	deniedPattern      = regexp.MustCompile(`(?s)admission webhook "([^"]+)" denied the request(?:: (.*)| without explanation)$`)
	unreachablePattern = regexp.MustCompile(`(?s)failed calling webhook "([^"]+)": (.*)$`)
)

// Classify tells what an error of a client and the warnings that came with the
// answer amount to.
func Classify(err error, warnings []string) Answer {
	a := Answer{Verdict: Allowed, Warnings: warnings, Err: err}
	if err == nil {
		if len(warnings) > 0 {
			a.Verdict = Warned
		}
		return a
	}
	a.Verdict, a.Message = Failed, err.Error()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return a
	}
	s := status.Status()
	a.Code, a.Message = s.Code, s.Message
	classifyMessage(&a, s.Reason)
	return a
}

// ClassifyKubectl tells what the outcome of a kubectl command amounts to: err is
// that of running it, stderr what it wrote there.
func ClassifyKubectl(err error, stderr string) Answer {
	a := Answer{Verdict: Allowed, Err: err}
	var rest []string
	for line := range strings.Lines(stderr) {
		if text, ok := strings.CutPrefix(line, "Warning: "); ok {
			a.Warnings = append(a.Warnings, strings.TrimSpace(text))
		} else {
			rest = append(rest, line)
		}
	}
	if err == nil {
		if len(a.Warnings) > 0 {
			a.Verdict = Warned
		}
		return a
	}
	a.Verdict = Failed
	a.Message = strings.TrimSpace(strings.Join(rest, ""))
	var reason metav1.StatusReason
	if m := kubectlReason.FindStringSubmatch(a.Message); m != nil {
		reason = metav1.StatusReason(m[1])
	}
	classifyMessage(&a, reason)
	return a
}

// kubectlReason finds the reason in "Error from server (Forbidden): …".
var kubectlReason = regexp.MustCompile(`(?m)^(?:error: |Error from server )\((\w+)\)`)

// classifyMessage settles the verdict of a refusal from its message, and from
// its reason where the message says nothing of a webhook.
func classifyMessage(a *Answer, reason metav1.StatusReason) {
	if m := deniedPattern.FindStringSubmatch(a.Message); m != nil {
		a.Verdict, a.Webhook, a.Message = Denied, m[1], m[2]
		return
	}
	if m := policyPattern.FindStringSubmatch(a.Message); m != nil {
		a.Verdict, a.Policy, a.Message = Denied, m[1], m[2]
		return
	}
	if m := unreachablePattern.FindStringSubmatch(a.Message); m != nil {
		a.Verdict, a.Webhook = Unreachable, m[1]
		return
	}
	switch {
	// Admission plugins of the API server say Forbidden too; RBAC's message
	// alone has this form.
	case reason == metav1.StatusReasonForbidden && rbacPattern.MatchString(a.Message),
		reason == metav1.StatusReasonUnauthorized, a.Code == http.StatusUnauthorized:
		a.Verdict = Unauthorized
	case reason == metav1.StatusReasonInvalid, reason == metav1.StatusReasonBadRequest:
		a.Verdict = Invalid
	}
}

// NamesRule reports whether a text holds a finding of a rule, as emrguard writes it:
// "[pod-exec/exec] …", or of one of its policies, which name no reason.
func NamesRule(text, rule string) bool {
	return strings.Contains(text, "["+rule+"/") || strings.Contains(text, "["+rule+"] ")
}

var rbacPattern = regexp.MustCompile(`(?s)User "[^"]*" cannot |is attempting to grant RBAC permissions not currently held`)

// ClassifyText tells what a refusal amounts to that a controller has written
// into the status of its object.
func ClassifyText(text string) Answer {
	a := Answer{Verdict: Failed, Message: text, Err: errors.New(text)}
	classifyMessage(&a, "")
	return a
}
