package rbac

import (
	"context"
	"errors"
	"fmt"

	"github.com/emrguard/emrguard/pkg/limit"
)

// budget is what one evaluation may cost. It is counted, not timed, so that the same
// question gets the same answer on every machine; the context ends what takes too
// long all the same. Once it is over, every loop ends, and the evaluation fails. A
// nil budget is never over.
type budget struct {
	ctx   context.Context //nolint:containedctx // lives as long as one evaluation
	steps int             // left
	bytes int             // left
	poll  int             // steps until the context is looked at
	err   error
}

// pollEvery is after how many steps the context is looked at: a fraction of a
// millisecond.
const pollEvery = 4096

func newBudget(ctx context.Context) *budget {
	return &budget{ctx: ctx, steps: limit.GrantSteps, bytes: limit.GrantBytes, poll: pollEvery}
}

// spend takes n steps, and reports whether the evaluation may go on.
func (b *budget) spend(n int) bool {
	switch {
	case b == nil:
		return true
	case b.err != nil:
		return false
	}
	b.steps -= n
	if b.steps < 0 {
		b.err = &limit.Exceeded{What: fmt.Sprintf("who gains what takes more than %d steps: there are too many subjects, rules, names or roles that aggregate each other; split the object", limit.GrantSteps)}
		return false
	}
	if b.poll -= n; b.poll > 0 {
		return true
	}
	b.poll = pollEvery
	switch err := context.Cause(b.ctx); {
	case err == nil:
		return true
	case errors.Is(err, context.DeadlineExceeded):
		b.err = &limit.Exceeded{What: "who gains what takes longer than a request may be judged; split the object"}
	default:
		b.err = fmt.Errorf("the evaluation was given up: %w", err)
	}
	return false
}

// hold takes memory that lives as long as the evaluation.
func (b *budget) hold(bytes int) bool {
	switch {
	case b == nil:
		return true
	case b.err != nil:
		return false
	}
	if b.bytes -= bytes; b.bytes < 0 {
		b.err = &limit.Exceeded{What: fmt.Sprintf("who gains what takes more than %d MiB of memory: there are too many subjects, rules or names; split the object", limit.GrantBytes>>20)}
		return false
	}
	return true
}

// over is why the evaluation ended early, nil when it did not.
func (b *budget) over() error {
	if b == nil {
		return nil
	}
	return b.err
}
