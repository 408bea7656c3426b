// Package controller audits the cluster again and again in the process that serves
// admission, on one replica at a time, and never at the expense of admission: with
// requests of its own that are limited, with bounded memory, and so that nothing
// that goes wrong here ends the process.
package controller

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/report/openreports"
	"github.com/emrguard/emrguard/pkg/rule"
)

// How much an audit keeps of what it finds.
const (
	maxFindings             = 10_000
	maxFindingsPerNamespace = 1_000
)

// How soon an audit that failed is tried again: doubled each time, and never later
// than the interval.
const (
	firstRetry = 15 * time.Second
	lastRetry  = 10 * time.Minute
)

// requestTimeout bounds one request: a page of a list.
const requestTimeout = time.Minute

// maxLogged is how many objects that could not be judged are logged one by one.
const maxLogged = 10

// Options of the background audit.
type Options struct {
	// Interval between two audits.
	Interval time.Duration
	// QPS is how many requests a second an audit may send.
	QPS int
	// Lease says which replica audits.
	Lease Lease
	// Reports has the findings written as Reports of openreports.io. ReportsOwner is
	// a ClusterRole with which they go; empty for none.
	Reports      bool
	ReportsOwner string
}

// Auditor audits in the background.
type Auditor struct {
	options Options
	engine  func() *engine.Engine
	rules   []rule.Rule
	client  rest.Interface
	leases  kubernetes.Interface
	writer  *openreports.Writer
	metrics *metrics.Audit
	log     logr.Logger
	// now has an element when an audit is asked for before its time.
	now chan struct{}
	// missing is true once it was said that the cluster has no reports.
	missing bool
}

// New makes an auditor, which asks for the engine in force before each audit.
func New(config *rest.Config, o Options, current func() *engine.Engine, rules []rule.Rule, m *metrics.Audit, log logr.Logger) (*Auditor, error) {
	limited := rest.CopyConfig(config)
	limited.QPS, limited.Burst, limited.Timeout = float32(o.QPS), o.QPS, requestTimeout
	limited.UserAgent = "emrguard-audit"
	client, err := kubernetes.NewForConfig(limited)
	if err != nil {
		return nil, fmt.Errorf("make a client for the audit: %w", err)
	}
	// Renewing the lease must wait neither for the audit nor for a server that hangs.
	prompt := rest.CopyConfig(limited)
	prompt.QPS, prompt.Timeout = -1, max(o.Lease.Duration/6, time.Second)
	leases, err := kubernetes.NewForConfig(prompt)
	if err != nil {
		return nil, fmt.Errorf("make a client for the lease of the audit: %w", err)
	}
	a := &Auditor{options: o, engine: current, rules: rules, client: client.CoreV1().RESTClient(), leases: leases, metrics: m, log: log, now: make(chan struct{}, 1)}
	m.Interval(o.Interval)
	if o.Reports {
		a.writer = &openreports.Writer{Client: a.client, Owner: o.ReportsOwner, Now: time.Now}
	}
	return a, nil
}

// Start audits whenever this replica holds the lease, until the context ends. It
// returns no error: serving goes on whatever becomes of the audit.
func (a *Auditor) Start(ctx context.Context) error {
	defer func() {
		if r := recover(); r != nil {
			a.log.Error(mistake(r), "There is no background audit any more")
		}
	}()
	if a.options.Lease.Name == "" {
		a.audits(ctx)
		return nil
	}
	a.whileLeading(ctx, a.audits)
	return nil
}

// audits runs one audit after the other until the context ends.
func (a *Auditor) audits(ctx context.Context) {
	a.metrics.Leads()
	defer a.metrics.Follows()
	for failed := 0; ctx.Err() == nil; {
		if err := a.contained(ctx); err == nil {
			failed = 0
		} else if ctx.Err() == nil {
			failed++
			a.metrics.Failed()
			a.log.Error(err, "The audit failed; it is tried again", "in", a.pause(failed).String())
		}
		a.wait(ctx, jitter(a.pause(failed)))
	}
}

// Soon asks for an audit before its time: something may have come in that nobody
// judged. It does nothing on a replica that does not audit.
func (a *Auditor) Soon() {
	select {
	case a.now <- struct{}{}:
	default:
	}
}

// pause is the time until the next audit, after so many that failed.
func (a *Auditor) pause(failed int) time.Duration {
	if failed == 0 {
		return a.options.Interval
	}
	return min(firstRetry<<min(failed-1, 10), lastRetry, a.options.Interval)
}

// jitter takes up to a tenth off, so that clusters set up together do not audit
// together.
func jitter(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/10+1)) //nolint:gosec // no secret depends on it
}

// wait waits until the time has passed, an audit is asked for, or the context has
// ended.
func (a *Auditor) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-a.now:
	}
}

// contained makes a panic an error of this audit: the process has to serve.
func (a *Auditor) contained(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = mistake(r)
		}
	}()
	return a.once(ctx)
}

func mistake(recovered any) error {
	return fmt.Errorf("this is a mistake in emrguard, please report it: %v\n%s", recovered, debug.Stack())
}

// once audits everything.
func (a *Auditor) once(ctx context.Context) error {
	begin := time.Now()
	live := &audit.Live{
		Client: a.client, Engine: a.engine(), Rules: a.rules,
		Options: audit.Options{MaxFindings: maxFindings, MaxFindingsPerNamespace: maxFindingsPerNamespace},
	}
	r, err := live.Run(ctx)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	unjudged := len(r.Problems) + r.Dropped.Problems
	a.metrics.Succeeded(metrics.AuditResult{
		Findings: byManaged(r, live.Managed()), Objects: r.Judged, Unjudged: unjudged, Dropped: r.Dropped.Total(), End: time.Now(), Took: took,
	})
	for _, p := range r.Problems[:min(len(r.Problems), maxLogged)] {
		a.log.Info("The audit could not judge an object", "problem", p.Message)
	}
	a.log.Info("Audited", "objects", r.Judged, "denied", r.Count(rule.Deny), "warned", r.Count(rule.Warn), "audited", r.Count(rule.Audit),
		"exempted", len(r.Exempted)+r.Dropped.Exempted, "unjudged", unjudged, "seconds", took.Seconds())
	if a.log.V(1).Enabled() {
		for i := range r.Findings {
			f := &r.Findings[i]
			a.log.V(1).Info("Found", "rule", f.Rule, "reason", f.Reason, "severity", f.Severity, "clauses", f.Clauses, "action", f.Action, "object", f.Object.String(), "path", f.Path, "subject", f.Subject, "message", f.Message)
		}
	}
	a.report(ctx, r)
	return nil
}

// report writes the reports. When that fails, the audit is none the worse.
func (a *Auditor) report(ctx context.Context, r *report.Report) {
	if a.writer == nil {
		return
	}
	changes, err := a.writer.Sync(ctx, r)
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, openreports.ErrNotInstalled):
		a.metrics.ReportsFailed()
		if !a.missing {
			a.log.Error(err, "No reports are written; findings are in the metrics")
		}
		a.missing = true
		return
	case err != nil:
		a.metrics.ReportsFailed()
		a.log.Error(err, "Not all reports could be written; the next audit tries again")
	}
	a.missing = false
	if changes.Created+changes.Updated+changes.Deleted > 0 {
		a.log.Info("Wrote the reports", "created", changes.Created, "updated", changes.Updated, "deleted", changes.Deleted, "unchanged", changes.Unchanged)
	}
}

// byManaged counts findings as metrics do: those outside of managed namespaces
// together.
func byManaged(r *report.Report, managed []string) map[metrics.AuditKey]int {
	of := map[string]bool{}
	for _, ns := range managed {
		of[ns] = true
	}
	counts := map[metrics.AuditKey]int{}
	for key, n := range r.Tally {
		k := metrics.AuditKey{Kind: metrics.Kind{Rule: key.Rule, Reason: key.Reason, Severity: key.Severity}, Action: key.Action}
		if of[key.Namespace] {
			k.Namespace = key.Namespace
		}
		counts[k] += n
	}
	return counts
}
