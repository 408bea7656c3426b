package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/emrguard/emrguard/pkg/rule"
)

// Freshness says how old is what verdicts rest on.
type Freshness interface {
	// Contact is how long ago the API server last let emrguard read.
	Contact() time.Duration
	// Resources that are watched.
	Resources() []string
	// Watch is how long ago the watch of a resource last gave a sign of life.
	Watch(resource string) time.Duration
}

// RegisterFreshness registers the ages of the watches. They are computed whenever they
// are collected, so they grow while nothing happens.
func RegisterFreshness(registry prometheus.Registerer, f Freshness) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "emrguard_api_contact_age_seconds",
		Help: "Time since the API server last let emrguard read what it watches. Asked every 5 seconds.",
	}, func() float64 { return f.Contact().Seconds() }))
	for _, resource := range f.Resources() {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "emrguard_watch_age_seconds",
			Help:        "Time since the watch of a resource last gave a sign of life. The API server sends a bookmark about once a minute.",
			ConstLabels: prometheus.Labels{"resource": resource},
		}, func() float64 { return f.Watch(resource).Seconds() }))
	}
}

// Arrivals records what is judged when a watch brings it.
type Arrivals struct {
	findings *prometheus.CounterVec
	failures prometheus.Counter
}

// NewArrivals makes a recorder and registers its metrics.
func NewArrivals(registry prometheus.Registerer) *Arrivals {
	a := &Arrivals{
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emrguard_arrival_findings_total",
			Help: "Findings that would be refused, in what a watch brought: by rule, reason and severity, and by the action here (deny, warn, audit).",
		}, append(kindLabels[:3:3], "action")),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emrguard_arrival_failures_total",
			Help: "Objects that could not be judged when a watch brought them. An audit judges them.",
		}),
	}
	registry.MustRegister(a.findings, a.failures)
	return a
}

// Expect sets to 0 what an alert waits for: a counter that first appears as 1 has not
// increased.
func (a *Arrivals) Expect(of *rule.Rule) {
	for _, kind := range Kinds(of) {
		a.findings.WithLabelValues(kind.values(string(rule.Deny))...)
	}
}

// Found records one finding.
func (a *Arrivals) Found(kind Kind, action rule.Action) {
	a.findings.WithLabelValues(kind.values(string(action))...).Inc()
}

// Failed records an object that could not be judged.
func (a *Arrivals) Failed() { a.failures.Inc() }
