package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/emrguard/emrguard/pkg/rule"
)

// Audit records the background audit. What only the leader knows has no series
// elsewhere, so that sums over the replicas are right.
type Audit struct {
	findings *prometheus.GaugeVec
	objects  *prometheus.GaugeVec
	unjudged *prometheus.GaugeVec
	dropped  *prometheus.GaugeVec
	success  *prometheus.GaugeVec
	duration prometheus.Histogram
	failures prometheus.Counter
	reports  prometheus.Counter
	leader   prometheus.Gauge
	interval prometheus.Gauge

	last map[AuditKey]int
}

// AuditKey is by what the findings of an audit are counted.
type AuditKey struct {
	// Namespace is a managed one, or empty for everything else: the number of
	// series grows with what EMR uses, not with the cluster.
	Namespace string
	Kind
	Action rule.Action
}

// AuditResult is what one audit has seen.
type AuditResult struct {
	Findings map[AuditKey]int
	// Objects were judged. Unjudged counts what rules could not judge, Dropped the
	// findings that are counted and kept nowhere.
	Objects, Unjudged, Dropped int
	End                        time.Time
	Took                       time.Duration
}

// NewAudit makes a recorder and registers its metrics.
func NewAudit(registry prometheus.Registerer) *Audit {
	// A vector without labels has no series until it is set.
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	a := &Audit{
		findings: gauge("emrguard_audit_findings", "Findings in what exists, by managed namespace (empty for everything else), rule, reason, severity and action, at the last audit.", append(kindLabels[:3:3], "object_namespace", "action")...),
		objects:  gauge("emrguard_audit_objects", "Objects that the last audit judged."),
		unjudged: gauge("emrguard_audit_unjudged", "Judgements that rules could not make at the last audit."),
		dropped:  gauge("emrguard_audit_dropped_findings", "Findings of the last audit that are counted, but too many to be kept for reports."),
		success:  gauge("emrguard_audit_last_success_timestamp_seconds", "When the last audit ended that could read everything, in seconds since 1970."),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "emrguard_audit_duration_seconds", Help: "Time that an audit took which could read everything.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emrguard_audit_failures_total", Help: "Audits that failed because something could not be read.",
		}),
		reports: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emrguard_audit_report_failures_total", Help: "Audits whose reports could not all be written.",
		}),
		leader: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "emrguard_audit_leader", Help: "1 on the replica that audits, 0 on the others.",
		}),
	}
	a.interval = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "emrguard_audit_interval_seconds", Help: "Time between two audits, as it is configured.",
	})
	registry.MustRegister(a.findings, a.objects, a.unjudged, a.dropped, a.success, a.duration, a.failures, a.reports, a.leader, a.interval)
	return a
}

// Interval records how often there is an audit.
func (a *Audit) Interval(d time.Duration) { a.interval.Set(d.Seconds()) }

// Leads records that this replica audits from now on.
func (a *Audit) Leads() { a.leader.Set(1) }

// Follows records that another one does, and forgets what was found.
func (a *Audit) Follows() {
	a.leader.Set(0)
	for _, v := range []*prometheus.GaugeVec{a.findings, a.objects, a.unjudged, a.dropped, a.success} {
		v.Reset()
	}
	a.last = nil
}

// Succeeded records an audit. It must not be called concurrently with itself or
// with Follows.
func (a *Audit) Succeeded(r AuditResult) {
	for key, n := range r.Findings {
		a.findings.WithLabelValues(key.values(key.Namespace, string(key.Action))...).Set(float64(n))
	}
	for key := range a.last {
		if _, still := r.Findings[key]; !still {
			a.findings.DeleteLabelValues(key.values(key.Namespace, string(key.Action))...)
		}
	}
	a.last = r.Findings
	a.objects.WithLabelValues().Set(float64(r.Objects))
	a.unjudged.WithLabelValues().Set(float64(r.Unjudged))
	a.dropped.WithLabelValues().Set(float64(r.Dropped))
	a.success.WithLabelValues().Set(float64(r.End.UnixMilli()) / 1000)
	a.duration.Observe(r.Took.Seconds())
}

// Failed records an audit that failed.
func (a *Audit) Failed() { a.failures.Inc() }

// ReportsFailed records that reports could not be written.
func (a *Audit) ReportsFailed() { a.reports.Inc() }
