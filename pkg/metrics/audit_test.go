package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Series of what is mended go, and with the lease all that only its holder knows.
var exec = metrics.Kind{Rule: "pod-exec", Reason: "exec", Severity: rule.High}

func TestAuditShowsWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	a := metrics.NewAudit(registry)
	count := func(name string, want int) {
		t.Helper()
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n != want {
			t.Errorf("%s has %d series (%v), want %d", name, n, err, want)
		}
	}
	const findings, objects = "emrguard_audit_findings", "emrguard_audit_objects"
	count(objects, 0)
	a.Leads()
	a.Succeeded(metrics.AuditResult{Findings: map[metrics.AuditKey]int{
		{Namespace: "emr-jobs", Kind: exec, Action: rule.Deny}: 2, {Kind: exec, Action: rule.Warn}: 1,
	}, Objects: 7, End: time.Unix(1, 0)})
	count(findings, 2)
	a.Succeeded(metrics.AuditResult{Findings: map[metrics.AuditKey]int{{Kind: exec, Action: rule.Warn}: 3}, Objects: 7, End: time.Unix(2, 0)})
	if err := testutil.GatherAndCompare(registry, strings.NewReader(
		"# HELP emrguard_audit_findings Findings in what exists, by managed namespace (empty for everything else), rule, reason, severity and action, at the last audit.\n"+
			"# TYPE emrguard_audit_findings gauge\nemrguard_audit_findings{action=\"warn\",object_namespace=\"\",reason=\"exec\",rule=\"pod-exec\",severity=\"high\"} 3\n"), findings); err != nil {
		t.Error(err)
	}
	a.Follows()
	for _, name := range []string{findings, objects, "emrguard_audit_unjudged", "emrguard_audit_dropped_findings", "emrguard_audit_last_success_timestamp_seconds"} {
		count(name, 0)
	}
	count("emrguard_audit_leader", 1)
}

// The names and texts of the metrics are as Prometheus wants them.
func TestAuditMetricsAreWellFormed(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	metrics.NewAudit(registry)
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
