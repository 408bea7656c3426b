package admission_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-logr/logr"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
)

// openRule is an endpoint with one rule on Pods, which denies.
func openRule(t *testing.T, check rule.Check) *endpoint {
	t.Helper()
	return openReasons(t, []*rule.Reason{{Name: "found", Severity: rule.High, Message: "found", Remedy: "none"}}, check, nil)
}

// openReasons is one whose rule has those reasons.
func openReasons(t *testing.T, reasons []*rule.Reason, check rule.Check, change func(*config.Guard)) *endpoint {
	t.Helper()
	return openRules(t, admission.Managed, []rule.Rule{{
		ID: "slow", Title: "slow", Doc: "slow", Clauses: []guide.Clause{{Guide: guide.EMR, ID: "c", Section: "s", Address: "a"}},
		Reasons: reasons,
		Targets: rule.On("pods", rule.Create),
		New:     func(rule.Settings) (rule.Check, error) { return check, nil },
	}}, &cluster.Snapshot{}, change, logr.Discard())
}

// A rule that never looks at the deadline cannot keep the answer away, nor the small
// requests of others. Other large ones are told to come again while it runs.
func TestRuleWithoutEndIsAnsweredInTime(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	var once bool
	d := openRule(t, func(_ context.Context, r *rule.Request, _ *rule.Report) error {
		if len(r.Object.Pods[0].Spec.Containers[0].Env) > 0 && !once {
			once = true
			<-end
		}
		return nil
	})
	large := podReview(padded(t, strings.Repeat("a", 200_000)))
	denied(t, d.ask(t, large), "over budget: the object could not be judged within")
	if r := d.ask(t, podReview(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"name":"c"}]}}`)); !r.Allowed {
		t.Errorf("a small Pod is refused: %+v", r)
	}
	if _, r, answer := d.postWithin(t, "application/json", encode(t, large), "1s"); r == nil || r.Allowed || r.Result.Code != http.StatusTooManyRequests {
		t.Errorf("a large Pod beside it: %s", answer)
	}
	close(end)
	if r := d.askAgain(t, large); !r.Allowed {
		t.Errorf("a large Pod after it: %+v", r)
	}
}

// A panic is a refusal, not an HTTP error that the failure policy may turn into a yes.
func TestPanicIsARefusal(t *testing.T) {
	t.Parallel()
	d := openRule(t, func(context.Context, *rule.Request, *rule.Report) error { panic("secret value") })
	for name, size := range map[string]int{"small": 1, "large": 200_000} {
		r := d.ask(t, podReview(padded(t, strings.Repeat("a", size))))
		denied(t, r, "mistake in emrguard")
		if strings.Contains(r.Result.Message, "secret value") {
			t.Errorf("%s: the panic's value is in the answer", name)
		}
	}
}

const emptyPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"name":"c"}]}}`

// One line says what is wrong in many places for one reason, and ten lines are the most:
// what they leave out is counted.
func TestWarningsAreOneForEachReason(t *testing.T) {
	t.Parallel()
	reasons := make([]*rule.Reason, 14)
	for i := range reasons {
		reasons[i] = &rule.Reason{Name: fmt.Sprintf("reason-%d", i), Severity: rule.Medium, Message: "wrong is %[1]s", Remedy: "mend it"}
	}
	for name, c := range map[string]struct {
		reasons, findings int
		want              []string
	}{
		"one":    {1, 1, []string{"[slow/reason-0] p: wrong is 0; mend it"}},
		"alike":  {1, 5, []string{"[slow/reason-0] (and 4 more like it) p: wrong is 0; mend it"}},
		"ten":    {10, 1, nil},
		"eleven": {11, 2, nil},
		"many":   {14, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openReasons(t, reasons, func(_ context.Context, _ *rule.Request, rep *rule.Report) error {
				for _, reason := range reasons[:c.reasons] {
					for i := range c.findings {
						rep.Add(rule.Finding{Reason: reason, Path: "p", Args: rule.Args(strconv.Itoa(i))})
					}
				}
				return nil
			}, nil)
			got := d.ask(t, podReview(emptyPod)).Warnings
			if c.want != nil && !slices.Equal(got, c.want) {
				t.Errorf("warnings %q, want %q", got, c.want)
			}
			if len(got) != min(c.reasons, 10) {
				t.Errorf("%d warnings: %q", len(got), got)
			}
			if left := c.reasons - 9; c.reasons > 10 {
				if want := fmt.Sprintf("emrguard: %d more findings of %d other reasons; the audit log has them", left*c.findings, left); got[9] != want {
					t.Errorf("the last line is %q, want %q", got[9], want)
				}
			}
		})
	}
}

// The page of a rule is where the configuration says.
func TestDenialSaysWhereToReadMore(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                        "\nRead more: emrguard rules slow, https://github.com/emrguard/emrguard/blob/main/docs/rules/slow.md",
		"https://wiki/{rule}.htm": "\nRead more: emrguard rules slow, https://wiki/slow.htm",
		"none":                    "\nRead more: emrguard rules slow",
	} {
		reasons := []*rule.Reason{{Name: "found", Severity: rule.High, Message: "found", Remedy: "mend it"}}
		d := openReasons(t, reasons, func(_ context.Context, _ *rule.Request, rep *rule.Report) error {
			rep.Add(rule.Finding{Reason: reasons[0], Path: "p"})
			return nil
		}, func(c *config.Guard) { c.Documentation = address })
		r := d.ask(t, podReview(emptyPod))
		if message := "emrguard refuses to create Pod x: 1 finding\n[slow/found] p: found; mend it" + want; r.Result.Message != message {
			t.Errorf("%s: message %q, want %q", address, r.Result.Message, message)
		}
		if got, want := r.AuditAnnotations["deny"], "[slow/found] p: found (high, emr/c)"; got != want {
			t.Errorf("annotation %q, want %q", got, want)
		}
	}
}
