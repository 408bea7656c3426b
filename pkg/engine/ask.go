package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rule"
)

// judged is a finding, or an error in its place, with the rule that made it.
type judged struct {
	rule.Finding
	rule *compiled // nil for findings of the engine itself
	err  error
}

// answers are what the rules said of an object.
type answers struct {
	list    []judged
	omitted int
}

// comparable reports whether an old object could excuse something.
func (a *answers) comparable() bool {
	return slices.ContainsFunc(a.list, func(j judged) bool { return !j.SkipsComparison() })
}

// ask asks rules. Findings that the tally excuses are left out before any is left
// out for being one too many.
func (e *Engine) ask(ctx context.Context, r *rule.Request, picked []int, excused rule.Tally) answers {
	var asked *compiled
	rep := &rule.Report{Group: e.grouper(r, &asked)}
	rep.Excuse(excused)
	var a answers
	from := 0
	var waited *rule.LookupError // for what the time was spent
	for _, i := range picked {
		asked = &e.rules[i]
		rep.Begin(&asked.Rule)
		err := check(ctx, asked, r, rep)
		switch {
		case err == nil:
		case waited != nil && limit.IsExceeded(err):
			err = fmt.Errorf("the rules before it had to wait: %w", waited)
		case late(ctx):
			waited = failedLookup(err)
		}
		news := rep.Findings()[from:]
		from += len(news)
		// Maps have no order; the same request gets the same message.
		slices.SortStableFunc(news, func(a, b rule.Finding) int { return cmp.Compare(a.Path, b.Path) })
		for k := range news {
			a.list = append(a.list, judged{Finding: news[k], rule: asked})
		}
		switch {
		case limit.IsExceeded(err):
			a.list = append(a.list, judged{Finding: overBudget(asked, err), rule: asked})
		case err != nil:
			a.list = append(a.list, judged{Finding: failed(asked, err), rule: asked, err: err})
		}
	}
	a.omitted = rep.Omitted()
	return a
}

// check asks one rule, unless the time for all of them is over. A rule that gives
// up because of that is over budget, whatever it says: what it costs to judge an
// object is its author's choice, so it is no failure that onError could forgive. An API
// server that does not answer is one. So is a mistake of ours: it must neither end the
// process nor let the request pass unjudged.
func check(ctx context.Context, c *compiled, r *rule.Request, rep *rule.Report) (err error) {
	if late(ctx) {
		return errLate
	}
	defer func() {
		if p := recover(); p != nil {
			err = &Mistake{Value: p, Stack: string(debug.Stack())}
		}
	}()
	err = c.check(ctx, r, rep)
	if err != nil && !limit.IsExceeded(err) && late(ctx) && failedLookup(err) == nil {
		return errLate
	}
	return err
}

// failedLookup returns the look-up that err is about, or nil.
func failedLookup(err error) *rule.LookupError {
	lookup := (*rule.LookupError)(nil)
	_ = errors.As(err, &lookup)
	return lookup
}

// Mistake is a panic in a rule. Value and Stack are for the log.
type Mistake struct { //nolint:errname // it reads better without the ending
	Value any
	Stack string
}

// Error says what a requester can do about it. The value may be of the object.
func (m *Mistake) Error() string {
	return "this is a mistake in emrguard, please report it with what its log says"
}

var errLate = &limit.Exceeded{What: fmt.Sprintf("the rules could not judge this within %s", limit.Evaluation)}

func late(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// grouper tells findings apart by what follows from them, so that those that are
// kept decide as all of them would. asked is the rule at hand.
func (e *Engine) grouper(r *rule.Request, asked **compiled) func(*rule.Finding) string {
	type key struct {
		rule    string
		reason  *rule.Reason
		subject string
	}
	known := map[key]string{}
	return func(f *rule.Finding) string {
		k := key{f.Rule, f.Reason, f.Subject}
		group, ok := known[k]
		if !ok {
			j := judged{Finding: *f, rule: *asked}
			// Of a warning it matters whether the Pods will be refused.
			_, later, action := e.action(r, j)
			if group = string(action) + " " + string(later); e.exempts(r, j) != nil {
				group = "exempt"
			}
			known[k] = group
		}
		return group
	}
}

// before is the request as if the old object were asked for: what it finds was
// there already.
func before(r *rule.Request) *rule.Request {
	b := *r
	b.Object, b.Old = r.Old, nil
	b.ForgetComputed()
	return &b
}

// onlyNew drops the findings that the old object had as well. Each old one
// excuses one of the same kind, so that a second copy of an old violation is new.
// When some were left out of what was found, the object is judged again: those
// that are new may be among them.
func (e *Engine) onlyNew(ctx context.Context, r *rule.Request, picked []int, found answers) answers {
	var rep rule.Report
	old := rep.Count()
	r0 := before(r)
	for _, i := range picked {
		rep.Begin(&e.rules[i].Rule)
		// What a rule could not find in the old object excuses nothing.
		_ = check(ctx, &e.rules[i], r0, &rep)
	}
	if found.omitted > 0 {
		return e.ask(ctx, r, picked, old)
	}
	found.list = slices.DeleteFunc(found.list, func(j judged) bool { return old.Takes(&j.Finding) })
	return found
}
