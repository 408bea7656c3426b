package admission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/emrguard/emrguard/pkg/apijson"
	"github.com/emrguard/emrguard/pkg/limit"
)

// requestError is a request that cannot be judged because of what it is. It is
// answered with an HTTP status: the API server counts that as a failed call, which
// the failure policy of the webhook then answers. The API server itself sends
// nothing of the kind, so nobody can have a request pass by it.
type requestError struct {
	status int
	err    error
}

func (e *requestError) Error() string { return e.err.Error() }

func (e *requestError) Unwrap() error { return e.err }

func badRequest(format string, args ...any) *requestError {
	return &requestError{http.StatusBadRequest, fmt.Errorf(format, args...)}
}

// chunks are what bodies are read through.
var chunks = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// read reads one AdmissionReview within the budget. What is over budget is read no
// further than the envelope: that says which rules concern the request, and they
// decide what follows. Answering with an HTTP error instead would leave the decision
// to the failure policy, and whoever wrote the request chooses its size. Only when
// not even the envelope can be read, the answer is 429.
func (h *Handler) read(ctx context.Context, w http.ResponseWriter, req *http.Request) (in *review, err error) {
	if err := checkHeader(req); err != nil {
		return nil, err
	}
	control := http.NewResponseController(w)
	if deadline, ok := ctx.Deadline(); ok {
		// Not every ResponseWriter has deadlines, that of a test has none.
		_ = control.SetReadDeadline(deadline)
		defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	}
	body := &splitReader{body: req.Body, splitter: newSplitter(min(req.ContentLength, h.Budget.body)), from: senderOf(req)}
	if req.ContentLength > h.Budget.body {
		return body.head(&limit.Exceeded{What: fmt.Sprintf("a request of %d bytes, the most is %d", req.ContentLength, h.Budget.body)})
	}
	wait, cancel := context.WithTimeout(ctx, waitFor(ctx))
	defer cancel()
	held, err := h.Budget.forBody(wait, peer(req), req.ContentLength)
	defer func() {
		if in == nil || in.held == nil { // also after a panic
			held.release()
		}
	}()
	if err != nil {
		return body.head(err)
	}
	held.reading().Reading(req.ContentLength, func() { _ = control.SetReadDeadline(time.Unix(1, 0)) })
	body.worked = held.reading().Worked
	err = body.all()
	held.reading().Done()
	body.worked = nil
	if err != nil {
		body.raw = nil
		held.release() // others need not wait for the rest of this body
		held = nil
		return body.head(err)
	}
	if in, err = body.review(); err != nil {
		return nil, err
	}
	in.held = held
	in.exceeded = held.forObjects(wait, peer(req), body.decoded+int64(len(body.raw)))
	return in, nil
}

// waitFor is how long a request may wait for its turns.
func waitFor(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return limit.Request
	}
	return time.Duration(float64(time.Until(deadline)) * limit.Wait)
}

func checkHeader(req *http.Request) error {
	if req.Method != http.MethodPost {
		return &requestError{http.StatusMethodNotAllowed, fmt.Errorf("an AdmissionReview is posted, not sent by %s", req.Method)}
	}
	if media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return badRequest("the content type is %q, an AdmissionReview is application/json", req.Header.Get("Content-Type"))
	}
	if req.ContentLength < 0 {
		return &requestError{http.StatusLengthRequired, errors.New("the body has no length; the API server always gives it")}
	}
	return nil
}

// peer is the address of whoever has sent a request.
func peer(req *http.Request) string {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return req.RemoteAddr
	}
	return host
}

// splitReader reads a body through a splitter.
type splitReader struct {
	*splitter
	body io.Reader
	from sender
	// worked is told how long what was read took to split, if it is not nil.
	worked func(time.Duration)
}

// all reads the whole body.
func (r *splitReader) all() error { return r.until(func() bool { return false }) }

// until reads until a condition holds, or to the end.
func (r *splitReader) until(enough func() bool) error {
	chunk, ok := chunks.Get().(*[32 << 10]byte)
	if !ok {
		chunk = new([32 << 10]byte)
	}
	defer chunks.Put(chunk)
	for !enough() {
		n, err := r.body.Read(chunk[:])
		start := time.Now()
		if ferr := r.feed(chunk[:n]); ferr != nil {
			return ferr
		}
		if r.worked != nil {
			r.worked(time.Since(start))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// head returns the review without its objects, and reads the rest of the body
// away: a client that still writes may not see an answer. cause is why the objects
// are not read.
func (r *splitReader) head(cause error) (*review, error) {
	slow := errors.Is(cause, os.ErrDeadlineExceeded)
	switch {
	case slow:
		cause = &limit.Exceeded{What: "the request came too slowly", Retry: true}
	case !limit.IsExceeded(cause):
		return nil, broken(cause)
	}
	r.raw = nil
	if !slow && r.headEnd == 0 {
		if err := r.until(func() bool { return r.headEnd > 0 }); err != nil && r.headEnd == 0 {
			return nil, overload(err)
		}
	}
	r.raw = nil
	head := r.splitter.head()
	if head == nil {
		return nil, overload(cause)
	}
	q, err := decodeReview(head)
	if err != nil {
		return nil, err
	}
	if !slow {
		_, _ = io.CopyN(io.Discard, r.body, limit.Drain) // a client that is gone gets no answer
	}
	return &review{request: q, exceeded: cause, from: r.from}, nil
}

// overload answers a request of which nothing is known.
func overload(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &requestError{http.StatusRequestTimeout, errors.New("the body came too slowly")}
	}
	if !limit.IsExceeded(err) {
		return broken(err)
	}
	return &requestError{http.StatusTooManyRequests, err}
}

func broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return badRequest("the body ends before its announced length")
	}
	if errors.Is(err, errLong) {
		return &requestError{http.StatusRequestEntityTooLarge, fmt.Errorf("the body is no AdmissionReview: %w", err)}
	}
	return badRequest("the body is no AdmissionReview: %w", err)
}

// review returns what was read.
func (r *splitReader) review() (*review, error) {
	q, err := decodeReview(r.envelope)
	if err != nil {
		return nil, err
	}
	q.Object.Raw, q.OldObject.Raw = r.part(r.object), r.part(r.old)
	return &review{request: q, from: r.from}, nil
}

// kindReview is the kind of requests and answers.
const kindReview = "AdmissionReview"

// decodeReview reads the envelope of a review.
func decodeReview(envelope []byte) (*admissionv1.AdmissionRequest, error) {
	var in admissionv1.AdmissionReview
	if err := apijson.Unmarshal(envelope, &in); err != nil {
		return nil, badRequest("the body is no AdmissionReview: %w", err)
	}
	switch {
	case in.APIVersion != admissionv1.SchemeGroupVersion.String() || in.Kind != kindReview:
		return nil, badRequest("the body is %q, %q instead of %q, \"AdmissionReview\"", in.APIVersion, in.Kind, admissionv1.SchemeGroupVersion)
	case in.Request == nil:
		return nil, badRequest("the AdmissionReview has no request")
	case in.Request.UID == "":
		return nil, badRequest("the request has no uid, so no answer could be matched to it")
	}
	return in.Request, nil
}
