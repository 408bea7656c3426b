package harness

import (
	"errors"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func statusError(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}}
}

func TestClassify(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	tests := map[string]struct {
		err      error
		warnings []string
		verdict  Verdict
		webhook  string
		message  string
	}{
		"done": {verdict: Allowed},
		"done with a warning": {
			warnings: []string{"spec.x: deprecated"},
			verdict:  Warned,
		},
		"denied by a webhook": {
			err:     statusError(http.StatusForbidden, metav1.StatusReasonForbidden, "admission webhook \"managed.emrguard.dev\" denied the request: one\ntwo"),
			verdict: Denied, webhook: "managed.emrguard.dev", message: "one\ntwo",
		},
		"denied by a policy": {
			err:     statusError(http.StatusForbidden, metav1.StatusReasonForbidden, `mutatingwebhookconfigurations.admissionregistration.k8s.io "x" is forbidden: ValidatingAdmissionPolicy 'emrguard-mutating-webhook' with binding 'b' denied request: [mutating-webhook] no`),
			verdict: Denied, message: "[mutating-webhook] no",
		},
		"denied by a webhook that says nothing": {
			err:     statusError(http.StatusBadRequest, metav1.StatusReasonBadRequest, `admission webhook "w.example.com" denied the request without explanation`),
			verdict: Denied, webhook: "w.example.com",
		},
		"webhook does not answer": {
			err:     apierrors.NewInternalError(errors.New(`failed calling webhook "managed.emrguard.dev": failed to call webhook: Post "https://127.0.0.1:1/managed?timeout=3s": dial tcp 127.0.0.1:1: connect: connection refused`)),
			verdict: Unreachable, webhook: "managed.emrguard.dev",
		},
		"RBAC": {
			err:     apierrors.NewForbidden(pods, "", errors.New(`User "alice" cannot create resource "pods" in API group "" in the namespace "emr-jobs"`)),
			verdict: Unauthorized,
		},
		"RBAC's escalation check": {
			err:     apierrors.NewForbidden(schema.GroupResource{Resource: "roles"}, "r", errors.New(`user "emr-containers" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held`)),
			verdict: Unauthorized,
		},
		"Pod Security is no webhook": {
			err:     apierrors.NewForbidden(pods, "p", errors.New(`violates PodSecurity "restricted:latest": hostNetwork=true`)),
			verdict: Failed,
		},
		"validation": {
			err:     apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "p", nil),
			verdict: Invalid,
		},
		"a validation message that quotes a denial in its middle": {
			err:     statusError(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, `Pod "p" is invalid: metadata.annotations: admission webhook "x" denied`),
			verdict: Invalid,
		},
		"not found":     {err: apierrors.NewNotFound(pods, "p"), verdict: Failed},
		"no connection": {err: errors.New("connection refused"), verdict: Failed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := Classify(tc.err, tc.warnings)
			if a.Verdict != tc.verdict || a.Webhook != tc.webhook {
				t.Errorf("got %s, want %q by %q", a, tc.verdict, tc.webhook)
			}
			if tc.message != "" && a.Message != tc.message {
				t.Errorf("message %q, want %q", a.Message, tc.message)
			}
			if a.Done() != (tc.err == nil) {
				t.Errorf("Done() = %t", a.Done())
			}
		})
	}
}

func TestClassifyKubectl(t *testing.T) {
	failed := errors.New("exit status 1")
	tests := map[string]struct {
		err      error
		stderr   string
		verdict  Verdict
		webhook  string
		warnings int
	}{
		"quiet":     {verdict: Allowed},
		"a notice":  {stderr: "Defaulting debug container name to debugger-abc.\n", verdict: Allowed},
		"a warning": {stderr: "Warning: static-aws-credentials: x\nDefaulting\n", verdict: Warned, warnings: 1},
		"denied": {
			err:     failed,
			stderr:  "Warning: w\nError from server: admission webhook \"managed.emrguard.dev\" denied the request: one\ntwo\n",
			verdict: Denied, webhook: "managed.emrguard.dev", warnings: 1,
		},
		"denied, forbidden": {
			err:     failed,
			stderr:  "Error from server (Forbidden): admission webhook \"managed.emrguard.dev\" denied the request: one\n",
			verdict: Denied, webhook: "managed.emrguard.dev",
		},
		"RBAC": {
			err:     failed,
			stderr:  "Error from server (Forbidden): pods \"p\" is forbidden: User \"alice\" cannot patch resource \"pods/ephemeralcontainers\" in API group \"\" in the namespace \"n\"\n",
			verdict: Unauthorized,
		},
		"unknown flag": {err: failed, stderr: "error: unknown flag: --x\n", verdict: Failed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := ClassifyKubectl(tc.err, tc.stderr)
			if a.Verdict != tc.verdict || a.Webhook != tc.webhook || len(a.Warnings) != tc.warnings {
				t.Errorf("got %s with %d warnings, want %q by %q with %d", a, len(a.Warnings), tc.verdict, tc.webhook, tc.warnings)
			}
		})
	}
}
