// Package metrics names and records what emrguard measures. Labels are bounded: no
// name of an object or user is ever one, nor a namespace, but for managed ones in
// the findings of an audit.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/emrguard/emrguard/pkg/rule"
)

// Outcomes of an admission request.
const (
	Allowed   = "allowed"
	Warned    = "warned"
	Denied    = "denied"
	Malformed = "malformed" // the request itself could not be read
	Failed    = "failed"    // emrguard broke
)

// Recorder records metrics.
type Recorder struct {
	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	findings   *prometheus.CounterVec
	ruleErrors *prometheus.CounterVec
	reloads    prometheus.Counter
	reloadOK   prometheus.Gauge
	expired    prometheus.Gauge
	certExpiry prometheus.Gauge
	overBudget *prometheus.CounterVec
	unknown    *prometheus.CounterVec
	evicted    prometheus.Counter
	handshakes prometheus.Counter
}

// buckets reach from what the engine takes to the timeout of the webhook.
// controller-runtime's own histogram has a bucket a decade.
func buckets() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 3}
}

// New makes a recorder and registers its metrics.
func New(registry prometheus.Registerer) *Recorder {
	r := &Recorder{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emrguard_admission_requests_total", Help: "Admission requests by endpoint, operation and outcome.",
		}, []string{"endpoint", "operation", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "emrguard_admission_duration_seconds", Help: "Time from the last byte of an admission request to its answer.", Buckets: buckets(),
		}, []string{"endpoint"}),
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emrguard_findings_total", Help: "Findings by rule, reason and severity, by what followed (deny, warn, audit, exempt, break-glass) and by the class of who asked.",
		}, append(kindLabels[:3:3], "action", "class")),
		ruleErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emrguard_rule_errors_total", Help: "Requests that a rule could not judge.",
		}, []string{"rule"}),
		reloads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emrguard_config_reload_failures_total", Help: "Configurations that were not taken over because they are wrong.",
		}),
		reloadOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emrguard_config_last_reload_success", Help: "1 when the configuration file is in force, 0 when an older one still is.",
		}),
		expired: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emrguard_exemptions_expired", Help: "Exemptions of the configuration that have expired and no longer hold.",
		}),
		certExpiry: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emrguard_certificate_expiry_timestamp_seconds", Help: "When the certificate expires that the webhook serves, in seconds since 1970; 0 while it serves none.",
		}),
	}
	r.overBudget = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "emrguard_admission_over_budget_total", Help: "Admission requests that were not read or not judged because of their size, or because too many came at once.",
	}, []string{"endpoint"})
	r.unknown = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "emrguard_admission_unknown_total", Help: "Admission requests that passed because this version does not know their resource or operation.",
	}, []string{"endpoint"})
	r.evicted = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "emrguard_webhook_connections_evicted_total", Help: "Connections that were closed to make room for new ones.",
	})
	r.handshakes = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "emrguard_webhook_handshakes_failed_total", Help: "TLS handshakes that failed, those without a valid client certificate among them.",
	})
	registry.MustRegister(r.overBudget, r.unknown, r.evicted, r.handshakes)
	registry.MustRegister(r.requests, r.duration, r.findings, r.ruleErrors, r.reloads, r.reloadOK, r.expired, r.certExpiry)
	return r
}

// Request records one answered request.
func (r *Recorder) Request(endpoint, operation, outcome string, took time.Duration) {
	r.requests.WithLabelValues(endpoint, bounded(operation), outcome).Inc()
	r.duration.WithLabelValues(endpoint).Observe(took.Seconds())
}

// OverBudget records a request that was not judged because of what it costs.
func (r *Recorder) OverBudget(endpoint string) { r.overBudget.WithLabelValues(endpoint).Inc() }

// Unknown records a request that this version does not know.
func (r *Recorder) Unknown(endpoint string) { r.unknown.WithLabelValues(endpoint).Inc() }

// Evicted records a connection that was closed to make room.
func (r *Recorder) Evicted() { r.evicted.Inc() }

// HandshakeFailed records a TLS handshake that failed.
func (r *Recorder) HandshakeFailed() { r.handshakes.Inc() }

// bounded keeps whoever reaches the port from making label values.
func bounded(operation string) string {
	switch operation {
	case "CREATE", "UPDATE", "DELETE", "CONNECT":
		return operation
	}
	return "unknown"
}

// Finding records one finding about a request of somebody of a class.
func (r *Recorder) Finding(kind Kind, action string, class rule.Class) {
	r.findings.WithLabelValues(kind.values(action, string(class))...).Inc()
}

// Expect sets to 0 what alerts wait for: errors of a rule, and refusals of EMR and
// of jobs by it. To Prometheus a counter that first appears as 1 has not increased,
// and the first event would alert nobody.
func (r *Recorder) Expect(of *rule.Rule) {
	r.ruleErrors.WithLabelValues(of.ID)
	for _, kind := range Kinds(of) {
		for _, class := range []rule.Class{rule.EMRService, rule.JobAccount} {
			r.findings.WithLabelValues(kind.values(string(rule.Deny), string(class))...)
		}
	}
}

// RuleError records a request that a rule could not judge.
func (r *Recorder) RuleError(id string) { r.ruleErrors.WithLabelValues(id).Inc() }

// Reloaded records whether the configuration file is in force.
func (r *Recorder) Reloaded(ok bool) {
	if !ok {
		r.reloads.Inc()
		r.reloadOK.Set(0)
		return
	}
	r.reloadOK.Set(1)
}

// Expired records how many exemptions have expired.
func (r *Recorder) Expired(n int) { r.expired.Set(float64(n)) }

// Certificate records when the certificate expires that is served.
func (r *Recorder) Certificate(expires time.Time) { r.certExpiry.Set(float64(expires.Unix())) }
