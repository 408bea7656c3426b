package admission

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// judged is a request with its verdict. The request is nil when it concerns no rule.
type judged struct {
	request *rule.Request
	verdict engine.Verdict
	err     error
}

// judge decodes a request and has the engine judge it.
//
// A large request is judged in a goroutine of its own, and the answer does not wait for
// it longer than limit.Answer. Rules look at the deadline between each other and where
// they can be slow, but nobody can prove that of every loop and every decoder; this
// proves that the answer comes in time all the same. The goroutine keeps its share of
// the budget until it ends, so at most one of them runs. A small request has too few
// elements to be slow.
func (v *Reviewer) judge(ctx context.Context, e *engine.Engine, res object.Resource, in *review) judged {
	if !in.held.isLarge() {
		return v.judgeNow(ctx, e, res, in)
	}
	var over atomic.Bool // set by whoever comes first: the judgement, or the end of the wait
	done := make(chan judged, 1)
	large := in.held
	go func() {
		j := judged{err: errPanicked}
		defer func() {
			if over.CompareAndSwap(false, true) {
				done <- j
			} else {
				large.release()
			}
		}()
		defer func() {
			if p := recover(); p != nil {
				v.Log.Error(fmt.Errorf("panic: %v", p), "Could not answer an admission request", "stack", string(debug.Stack()))
			}
		}()
		j = v.judgeNow(ctx, e, res, in)
	}()
	timer := time.NewTimer(limit.Answer)
	defer timer.Stop()
	select {
	case j := <-done:
		return j
	case <-timer.C:
	case <-ctx.Done():
	}
	if !over.CompareAndSwap(false, true) {
		return <-done
	}
	in.held = nil
	return v.unread(e, res, in, errSlow)
}

var (
	errPanicked = errors.New("internal error")
	errSlow     = &limit.Exceeded{What: fmt.Sprintf("the object could not be judged within %s", limit.Answer)}
)

// judgeNow judges a request in the goroutine of its caller. A mistake of ours is not
// answered with an HTTP error, which the failure policy might turn into a yes.
func (v *Reviewer) judgeNow(ctx context.Context, e *engine.Engine, res object.Resource, in *review) (j judged) {
	defer func() {
		if p := recover(); p != nil {
			mistake := &engine.Mistake{Value: p, Stack: string(debug.Stack())}
			v.Log.Error(mistake, "Could not judge an admission request", "uid", in.request.UID, "panic", fmt.Sprint(p), "stack", mistake.Stack)
			j = v.unread(e, res, in, mistake)
		}
	}()
	if in.exceeded != nil {
		return v.unread(e, res, in, in.exceeded)
	}
	r, old, err := v.request(e, res, in)
	if r == nil || err != nil {
		return judged{err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, limit.Evaluation)
	defer cancel()
	return judged{request: r, verdict: e.Review(ctx, r, old)}
}

// unread answers a request whose objects are not read, or not to the end, as the rules
// that concern it would answer a finding.
func (v *Reviewer) unread(e *engine.Engine, res object.Resource, in *review, cause error) judged {
	r, _, err := v.request(e, res, &review{request: in.request, exceeded: cause})
	if r == nil || err != nil {
		return judged{err: err}
	}
	if limit.IsExceeded(cause) {
		v.Metrics.OverBudget(string(v.Endpoint))
	}
	return judged{request: r, verdict: e.OverBudget(r, cause)}
}
