package admission_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rule"
)

// openRule is an endpoint with one rule on Pods, which denies.
func openRule(t *testing.T, check rule.Check) *endpoint {
	t.Helper()
	c := config.Default()
	c.EMR.Namespaces = []string{"emr-jobs"}
	e, err := engine.New(c, []rule.Rule{{
		ID: "slow", Title: "slow", Doc: "slow", Clauses: []guide.Clause{{Guide: guide.EMR, ID: "c", Section: "s", Address: "a"}},
		Reasons: []*rule.Reason{{Name: "found", Severity: rule.High, Message: "found", Remedy: "none"}},
		Targets: []rule.Target{{Version: "v1", Resource: "pods", Operations: []rule.Operation{rule.Create}}},
		New:     func(rule.Settings) (rule.Check, error) { return check, nil },
	}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	s := httptest.NewServer(&admission.Handler{
		Budget: admission.DefaultBudget(),
		Reviewer: admission.Reviewer{
			Endpoint: admission.Managed, Engine: func() *engine.Engine { return e }, Facts: &cluster.Snapshot{}, Metrics: metrics.New(registry), Log: logr.Discard(),
		},
	})
	t.Cleanup(s.Close)
	return &endpoint{s, registry}
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
