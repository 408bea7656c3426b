package integration

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/emrguard/emrguard/pkg/rules"
)

// The process publishes what the alerts wait for before anything has happened.
func TestMetricsOfTheProcess(t *testing.T) {
	text, err := guard.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	value := func(series string) float64 {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindStringSubmatch(text)
		if m == nil {
			t.Errorf("/metrics lacks %s", series)
			return -1
		}
		number, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Error(err)
		}
		return number
	}
	if v := value("emrguard_certificate_expiry_timestamp_seconds"); v < float64(time.Now().Unix()) {
		t.Errorf("the served certificate expires at %f", v)
	}
	if v := value("emrguard_config_last_reload_success"); v != 1 {
		t.Errorf("the configuration is in force: %f", v)
	}
	value("certwatcher_read_certificate_errors_total")
	for _, r := range rules.All() {
		value(`emrguard_rule_errors_total{rule="` + r.ID + `"}`)
		for _, reason := range r.Reasons {
			for _, class := range []string{"emr-service", "job-account"} {
				value(fmt.Sprintf(`emrguard_findings_total{action="deny",class=%q,reason=%q,rule=%q,severity=%q}`, class, reason.Name, r.ID, reason.Severity))
			}
		}
	}
}
