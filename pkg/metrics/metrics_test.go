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

// What alerts wait for is there before it happens, so that the first time counts.
func TestExpectedEventsStartAtZero(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	r := metrics.New(registry)
	r.Expect(&rule.Rule{ID: "pod-exec", Reasons: []*rule.Reason{{Name: "exec", Severity: rule.High}}})
	r.Finding(exec, string(rule.Deny), rule.EMRService)
	want := `
# HELP emrguard_findings_total Findings by rule, reason and severity, by what followed (deny, warn, audit, exempt, break-glass) and by the class of who asked.
# TYPE emrguard_findings_total counter
emrguard_findings_total{action="deny",class="emr-service",reason="exec",rule="pod-exec",severity="high"} 1
emrguard_findings_total{action="deny",class="job-account",reason="exec",rule="pod-exec",severity="high"} 0
# HELP emrguard_rule_errors_total Requests that a rule could not judge.
# TYPE emrguard_rule_errors_total counter
emrguard_rule_errors_total{rule="pod-exec"} 0
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "emrguard_findings_total", "emrguard_rule_errors_total"); err != nil {
		t.Error(err)
	}
}

func TestCertificateExpiryIsInSeconds(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	metrics.New(registry).Certificate(time.Unix(1893456000, 5e8))
	want := `
# HELP emrguard_certificate_expiry_timestamp_seconds When the certificate expires that the webhook serves, in seconds since 1970; 0 while it serves none.
# TYPE emrguard_certificate_expiry_timestamp_seconds gauge
emrguard_certificate_expiry_timestamp_seconds 1.893456e+09
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "emrguard_certificate_expiry_timestamp_seconds"); err != nil {
		t.Error(err)
	}
}
