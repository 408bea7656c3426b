package harness

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pollInterval is how often a condition is looked at again.
const pollInterval = 50 * time.Millisecond

// errGiveUp marks a reason after which waiting on is pointless.
var errGiveUp = errors.New("will not happen any more")

// WaitFor calls condition until it returns nil. The error after the timeout
// says what was waited for and why the condition did not hold at last.
func WaitFor(ctx context.Context, what string, timeout time.Duration, condition func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	var last error
	for {
		err := condition(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errGiveUp):
			return fmt.Errorf("wait for %s: %w", what, err)
		case last == nil || ctx.Err() == nil:
			// A request that the deadline cut off says less than the one before.
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w", what, context.Cause(ctx), last)
		case <-ticker.C:
		}
	}
}
