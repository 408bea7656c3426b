package admission

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/metrics"
)

// writeTimeout is how long a client may take to read an answer.
const writeTimeout = 5 * time.Second

// Handler answers AdmissionReviews over HTTP, as its Reviewer does.
type Handler struct {
	Reviewer
	// Budget is shared by the handlers of a process.
	Budget *Budget
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
	in, err := h.read(ctx, w, req)
	defer func() { in.release() }()
	start = time.Now() // the network is not ours
	if err == nil {
		operation = string(in.request.Operation)
		var response *admissionv1.AdmissionResponse
		if response, outcome, err = h.review(ctx, in); err == nil {
			err = send(w, response)
		}
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
		h.Log.Error(err, "Refused to read an admission request", append(senderOf(req).fields(), "status", status, "endpoint", h.Endpoint)...)
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

// send writes the answer.
func send(w http.ResponseWriter, response *admissionv1.AdmissionResponse) error {
	out, err := json.Marshal(&admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: kindReview},
		Response: response,
	})
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	// Not every ResponseWriter has deadlines, that of a test has none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.Header().Set("Content-Type", "application/json")
	// A peer that is gone cannot be told so.
	_, _ = w.Write(out)
	return nil
}
