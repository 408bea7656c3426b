package controller_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/client-go/rest"

	"github.com/emrguard/emrguard/pkg/audit/controller"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rules"
)

// start runs an auditor without lease against an API server that nobody serves,
// until the test has seen the log that it waits for.
func start(t *testing.T, current func() *engine.Engine, until func(line string) bool) *prometheus.Registry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen := false
	log := funcr.New(func(_, line string) {
		if until(line) {
			seen = true
			cancel()
		}
	}, funcr.Options{})
	registry := prometheus.NewRegistry()
	a, err := controller.New(&rest.Config{Host: "http://127.0.0.1:1"}, controller.Options{Interval: time.Millisecond, QPS: 1000},
		current, rules.All(), metrics.NewAudit(registry), log)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(ctx); err != nil {
		t.Errorf("the process would end: %v", err)
	}
	if !seen {
		t.Error("the log does not say what is waited for")
	}
	return registry
}

func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.New(config.Default(), rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A mistake in the audit ends one audit, neither the process nor those to come.
func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	audits, failures := 0, 0
	registry := start(t, func() *engine.Engine {
		audits++
		panic("a mistake")
	}, func(line string) bool {
		if strings.Contains(line, "a mistake") {
			failures++
		}
		return failures == 3
	})
	if audits != 3 {
		t.Errorf("there were %d audits", audits)
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader("# HELP emrguard_audit_failures_total Audits that failed because something could not be read.\n"+
		"# TYPE emrguard_audit_failures_total counter\nemrguard_audit_failures_total 3\n"), "emrguard_audit_failures_total"); err != nil {
		t.Error(err)
	}
}

// An API server that is down is a reason to try again, and leaves no numbers that
// look as if nothing were wrong.
func TestUnreachableServerIsAFailure(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	registry := start(t, func() *engine.Engine { return e }, func(line string) bool {
		return strings.Contains(line, "The audit failed") && strings.Contains(line, "connection refused")
	})
	for _, name := range []string{"emrguard_audit_findings", "emrguard_audit_objects", "emrguard_audit_last_success_timestamp_seconds"} {
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n != 0 {
			t.Errorf("%s has %d series (%v)", name, n, err)
		}
	}
}
