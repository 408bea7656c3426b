package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rule"
)

// badLabels are more than a rule may report.
func badLabels(n int) map[string]string {
	labels := map[string]string{}
	for i := range n {
		labels[fmt.Sprintf("bad-%04d", i)] = ""
	}
	return labels
}

// reporting is a rule that reports what it is told to.
func reporting(findings func(*rule.Request) []rule.Finding) rule.Rule {
	return labelRule(func(r *rule.Rule) {
		r.New = func(rule.Settings) (rule.Check, error) {
			return func(_ context.Context, req *rule.Request, rep *rule.Report) error {
				for _, f := range findings(req) {
					rep.Add(f)
				}
				return nil
			}, nil
		}
	})
}

func many(f rule.Finding, n int) []rule.Finding {
	list := make([]rule.Finding, n)
	for i := range list {
		list[i] = f
		list[i].Path = fmt.Sprintf("spec.x[%d]", i)
	}
	return list
}

func TestFindingsOfARuleAreCapped(t *testing.T) {
	t.Parallel()
	v := review(t, newEngine(t, nil, labelRule(nil)), ask{labels: badLabels(3 * limit.Findings)})
	if len(v.Denied) != limit.Findings || v.Omitted != 2*limit.Findings {
		t.Errorf("%d denied, %d omitted", len(v.Denied), v.Omitted)
	}
}

// Whatever order findings come in, and however many old ones there are.
func TestANewViolationCannotHideBehindOldOnes(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil, labelRule(nil))
	old, labels := badLabels(5*limit.Findings), badLabels(5*limit.Findings)
	if v := review(t, e, ask{op: rule.Update, labels: labels, old: old}); !v.Allowed() || v.Omitted != 0 {
		t.Fatalf("nothing is new: %d denied, %d omitted", len(v.Denied), v.Omitted)
	}
	labels["bad-new"] = ""
	v := review(t, e, ask{op: rule.Update, labels: labels, old: old})
	if len(v.Denied) != 1 || v.Denied[0].Text() != "label bad-new" {
		t.Errorf("denied %+v", v.Denied)
	}
}

// What tests have a rule find.
var (
	says   = rule.Reason{Name: "says", Severity: rule.High, Message: "%[1]s", Remedy: "remove it"}
	mildly = rule.Reason{Name: "mildly", Severity: rule.Medium, Message: "%[1]s", Remedy: "remove it"}
)

// A second copy of an old violation is new, also when there are hundreds.
func TestOneMoreOfManyIsNew(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil, reporting(func(r *rule.Request) []rule.Finding {
		return many(rule.Finding{Reason: &says, Args: rule.Args("the same")}, len(r.Object.Meta.Labels))
	}))
	if v := review(t, e, ask{op: rule.Update, labels: badLabels(301), old: badLabels(300)}); len(v.Denied) != 1 {
		t.Errorf("%d denied", len(v.Denied))
	}
	if v := review(t, e, ask{op: rule.Update, labels: badLabels(300), old: badLabels(300)}); !v.Allowed() {
		t.Errorf("%d denied", len(v.Denied))
	}
}

// A finding that decides is not left out for mild ones before it.
func TestACappedFindingChangesNoVerdict(t *testing.T) {
	t.Parallel()
	grave := rule.Finding{Reason: &says, Args: rule.Args("grave"), Subject: "User mallory"}
	for name, mild := range map[string]rule.Finding{
		"milder":   {Reason: &mildly, Args: rule.Args("mild")},
		"exempted": {Reason: &says, Args: rule.Args("exempt"), Subject: "Group team-a"},
	} {
		e := newEngine(t, func(c *config.Guard) {
			c.Exemptions = []config.Exemption{{Rule: "no-bad-labels", Subject: "Group team-a", Reason: "r"}}
		}, reporting(func(*rule.Request) []rule.Finding { return append(many(mild, 3*limit.Findings), grave) }))
		if v := review(t, e, ask{}); len(v.Denied) != 1 || v.Denied[0].Text() != "grave" {
			t.Errorf("%s: denied %+v", name, v.Denied)
		}
	}
}

func TestOverBudgetIsTheRulesOwnAction(t *testing.T) {
	t.Parallel()
	costly := labelRule(func(r *rule.Rule) {
		r.New = func(rule.Settings) (rule.Check, error) {
			return func(context.Context, *rule.Request, *rule.Report) error {
				return fmt.Errorf("evaluate: %w", &limit.Exceeded{What: "10 million comparisons"})
			}, nil
		}
	})
	onError := func(c *config.Guard) { c.Rules = map[string]config.Rule{costly.ID: {OnError: rule.Warn}} }
	v := review(t, newEngine(t, onError, costly), ask{})
	if len(v.Denied) != 1 || !strings.Contains(v.Denied[0].Text(), "10 million comparisons") || v.Denied[0].Failed || len(v.Errors) != 0 {
		t.Errorf("onError: warn: %+v", v)
	}
	if v := review(t, newEngine(t, onError, costly), ask{op: rule.Delete}); v.Allowed() {
		t.Error("a deletion that costs too much passes")
	}
	if v := review(t, newEngine(t, func(c *config.Guard) { c.Mode = rule.Warn }, costly), ask{}); !v.Allowed() || len(v.Warned) != 1 {
		t.Errorf("mode warn: %+v", v)
	}
	if v := review(t, newEngine(t, nil, costly), ask{groups: []string{"emrguard:break-glass"}}); !v.Allowed() || len(v.Warned) != 1 || !v.Warned[0].BreakGlass {
		t.Errorf("break glass: %+v", v)
	}
}

func TestTimeIsABudget(t *testing.T) {
	t.Parallel()
	waiting := labelRule(func(r *rule.Rule) {
		r.New = func(rule.Settings) (rule.Check, error) {
			return func(ctx context.Context, _ *rule.Request, _ *rule.Report) error {
				<-ctx.Done()
				return fmt.Errorf("look up: %w", ctx.Err())
			}, nil
		}
	})
	second := labelRule(func(r *rule.Rule) { r.ID = "second" })
	v := review(t, newEngine(t, func(c *config.Guard) {
		c.Rules = map[string]config.Rule{waiting.ID: {OnError: rule.Audit}}
	}, waiting, second), ask{within: time.Millisecond})
	if len(v.Denied) != 2 || !strings.Contains(v.Denied[0].Text(), "within") || v.Denied[1].Rule != "second" {
		t.Errorf("%+v", v)
	}
}

// checking is a rule that does something else than find.
func checking(check rule.Check) rule.Rule {
	return labelRule(func(r *rule.Rule) {
		r.New = func(rule.Settings) (rule.Check, error) { return check, nil }
	})
}

// A request that makes a rule panic must not pass because of that.
func TestPanickingRuleIsOneThatCouldNotJudge(t *testing.T) {
	t.Parallel()
	v := review(t, newEngine(t, nil, checking(func(context.Context, *rule.Request, *rule.Report) error {
		var none []string
		_ = none[len(none)] //nolint:gocritic,govet // on purpose
		return nil
	})), ask{labels: badLabels(1)})
	if v.Allowed() || len(v.Errors) != 1 || !strings.Contains(v.Denied[0].Text(), "mistake in emrguard") || strings.Contains(v.Denied[0].Text(), "goroutine") {
		t.Errorf("%+v", v)
	}
}

// An API server that does not answer in time is no fault of whoever asks: the
// configuration says what follows.
func TestSlowLookupIsNotOverBudget(t *testing.T) {
	t.Parallel()
	slow := checking(func(ctx context.Context, _ *rule.Request, _ *rule.Report) error {
		<-ctx.Done()
		return fmt.Errorf("look up: %w", &rule.LookupError{Err: ctx.Err()})
	})
	after := checking(func(context.Context, *rule.Request, *rule.Report) error { return nil })
	after.ID = "after"
	forgiving := func(c *config.Guard) {
		c.Rules = map[string]config.Rule{slow.ID: {OnError: rule.Audit}, after.ID: {OnError: rule.Audit}}
	}
	v := review(t, newEngine(t, forgiving, slow, after), ask{labels: badLabels(1), within: time.Millisecond})
	if !v.Allowed() || len(v.Errors) != 2 || len(v.Audited) != 2 {
		t.Errorf("%+v", v)
	}
}
