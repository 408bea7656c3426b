package admission

import (
	"context"
	"runtime/debug"

	"github.com/emrguard/emrguard/pkg/limit"
)

// Budget is the memory that the requests of all endpoints share. Small requests
// are read and judged side by side, large ones one at a time: so a large one never
// takes what small ones need, and what the largest takes is the most that all of
// them take.
type Budget struct {
	body   int64
	bodies *limit.Pool // bytes of small bodies
	judged *limit.Pool // bytes of small objects, decoded
	large  *limit.Pool // one
}

// NewBudget returns the budget of a process: the largest body, and the bytes of
// small bodies that may be in flight.
func NewBudget(body, inFlight int64) *Budget {
	return &Budget{body, limit.NewPool(max(inFlight, limit.SmallBody)), limit.NewPool(limit.SmallJudged), limit.NewPool(1)}
}

// DefaultBudget is the budget of the limits of package limit.
func DefaultBudget() *Budget { return NewBudget(limit.Body, limit.SmallBodies) }

// share is what one request holds of the budget.
type share struct {
	budget              *Budget
	body, judged, large *limit.Lease
	bytes               int64
}

// forBody waits until a body of n bytes may be read.
func (b *Budget) forBody(ctx context.Context, peer string, n int64) (*share, error) {
	s := &share{budget: b, bytes: n}
	var err error
	if n > limit.SmallBody {
		s.large, err = b.large.Acquire(ctx, peer, 1)
	} else {
		s.body, err = b.bodies.Acquire(ctx, peer, n)
	}
	return s, err
}

// reading is the lease that gives way while the body is read.
func (s *share) reading() *limit.Lease {
	if s.large != nil {
		return s.large
	}
	return s.body
}

// forObjects waits until objects may be judged that take n bytes once they are
// decoded.
func (s *share) forObjects(ctx context.Context, peer string, n int64) error {
	s.bytes += n
	if s.large != nil {
		return nil
	}
	var err error
	if n > limit.SmallDecoded {
		s.large, err = s.budget.large.Acquire(ctx, peer, 1)
	} else {
		s.judged, err = s.budget.judged.Acquire(ctx, peer, n)
	}
	return err
}

// isLarge reports whether the request is one of those that are judged one at a time.
func (s *share) isLarge() bool { return s != nil && s.large != nil }

// release gives everything back. What a large request leaves behind is collected
// before the next one begins: otherwise the garbage of both counts.
func (s *share) release() {
	if s == nil {
		return
	}
	if s.large != nil && s.bytes > limit.Collect {
		debug.FreeOSMemory()
	}
	for _, l := range []*limit.Lease{s.body, s.judged, s.large} {
		l.Release()
	}
}
