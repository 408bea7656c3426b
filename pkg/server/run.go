package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/audit/controller"
	"github.com/emrguard/emrguard/pkg/cluster/live"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rules"
)

// Run serves until ctx ends and the shutdown delay has passed.
func Run(ctx context.Context, o *Options, log logr.Logger) error {
	recorder := metrics.New(ctrlmetrics.Registry)
	for _, r := range rules.All() {
		recorder.Expect(&r)
	}
	reloader, err := NewReloader(o.ConfigFile, o.ReloadInterval, recorder, log)
	if err != nil {
		return err
	}
	restConfig, err := restConfigOf(o.Kubeconfig)
	if err != nil {
		return err
	}
	ctrl.SetLogger(log)
	mgr, err := newManager(restConfig, o)
	if err != nil {
		return err
	}
	// Once the signal has come, what the manager runs goes on for a while.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var leaving atomic.Bool

	facts := live.New(mgr.GetAPIReader())
	metrics.RegisterFreshness(ctrlmetrics.Registry, facts.Freshness())
	watcher := facts.Watch(restConfig, log.WithName("watch"))
	certificate, err := addCertificates(mgr, o)
	if err != nil {
		return err
	}
	server, err := newServer(o, certificate, recorder, log.WithName("server"))
	if err != nil {
		return err
	}
	register(server, o, &admission.Reviewer{Engine: reloader.Engine, Facts: facts, Metrics: recorder, Log: log.WithName("admission")})
	if err := errors.Join(mgr.Add(server), mgr.Add(reloader), mgr.Add(watcher)); err != nil {
		return fmt.Errorf("set up the manager: %w", err)
	}
	arrivals := newArrivals(mgr, watcher, facts, reloader.Engine, log.WithName("arrivals"))
	if err := addAudit(ctx, mgr, o, reloader.Engine, watcher, arrivals, log.WithName("audit")); err != nil {
		return err
	}
	if err := mgr.Add(arrivals); err != nil {
		return fmt.Errorf("set up the manager: %w", err)
	}
	if err := addProbes(mgr, server, facts, o.StaleAfter, &leaving, log); err != nil {
		return err
	}

	go func() {
		defer stop()
		<-ctx.Done()
		leaving.Store(true)
		log.Info("Stopping; serving on until no request can come any more", "delay", o.ShutdownDelay.String())
		wait(running, o.ShutdownDelay)
	}()
	if err := mgr.Start(running); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

func newManager(restConfig *rest.Config, o *Options) (ctrl.Manager, error) {
	mgr, err := ctrl.NewManager(restConfig, ctrl.Options{
		Scheme:                 scheme.Scheme,
		Cache:                  live.CacheOptions(),
		Metrics:                metricsserver.Options{BindAddress: o.MetricsAddress},
		HealthProbeBindAddress: o.HealthAddress,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the manager: %w", err)
	}
	return mgr, nil
}

// register lets the server answer at both endpoints with one reviewer.
func register(server ctrlwebhook.Server, o *Options, reviewer *admission.Reviewer) {
	budget := admission.NewBudget(o.MaxBodyBytes, o.MaxBytesInFlight)
	for _, endpoint := range []admission.Endpoint{admission.Managed, admission.Cluster} {
		r := *reviewer
		r.Endpoint = endpoint
		server.Register(endpoint.Path(), &admission.Handler{Budget: budget, Reviewer: r})
	}
}

// wait waits for a time, or until the context ends.
func wait(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// newArrivals has what the watches bring judged.
func newArrivals(mgr ctrl.Manager, watcher *live.Watcher, facts *live.Cluster, current func() *engine.Engine, log logr.Logger) *controller.Arrivals {
	a := &controller.Arrivals{
		Engine: current, Facts: live.Known{Cluster: facts}, Synced: facts.HasSynced, Events: mgr.GetEventRecorder("emrguard"), Metrics: metrics.NewArrivals(ctrlmetrics.Registry), Log: log,
		Overflow: func() { log.Info("More arrived than could be judged at once, and there is no background audit") },
	}
	for _, r := range rules.All() {
		a.Metrics.Expect(&r)
	}
	watcher.OnArrival(a.Take)
	return a
}

// addAudit has the cluster audited in the background, until the signal comes: what
// is left of the time is for admission.
func addAudit(ctx context.Context, mgr ctrl.Manager, o *Options, current func() *engine.Engine, watcher *live.Watcher, arrivals *controller.Arrivals, log logr.Logger) error {
	if o.AuditInterval == 0 {
		return nil
	}
	auditor, err := controller.New(mgr.GetConfig(), controller.Options{
		Interval: o.AuditInterval, QPS: o.AuditQPS,
		Lease:   controller.Lease{Name: o.AuditLease, Namespace: o.Namespace, Duration: o.AuditLeaseDuration},
		Reports: o.AuditReports, ReportsOwner: o.AuditReportsOwner,
	}, current, rules.All(), metrics.NewAudit(ctrlmetrics.Registry), log)
	if err != nil {
		return err
	}
	// The manager elects no leader, so it starts this like everything else, last.
	audit := manager.RunnableFunc(func(running context.Context) error {
		running, cancel := context.WithCancel(running)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return auditor.Start(running)
	})
	watcher.OnReturn(auditor.Soon)
	arrivals.Overflow = auditor.Soon
	if err := mgr.Add(audit); err != nil {
		return fmt.Errorf("set up the audit: %w", err)
	}
	return nil
}

// addProbes makes the process ready only when it can judge: certificate mounted
// and served, caches full and fresh, rules loaded (Run does not get here without). A
// process that leaves is no longer ready, but still answers.
func addProbes(mgr ctrl.Manager, server ctrlwebhook.Server, facts *live.Cluster, staleAfter time.Duration, leaving *atomic.Bool, log logr.Logger) error {
	ready := func(req *http.Request) error {
		switch {
		case leaving.Load():
			return errors.New("the process is stopping")
		case !facts.HasSynced():
			return errors.New("the caches are not full yet")
		}
		if err := facts.Freshness().Stale(staleAfter); err != nil {
			return err
		}
		return server.StartedChecker()(req)
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("webhook", saying(ready, log))); err != nil {
		return fmt.Errorf("set up the probes: %w", err)
	}
	return nil
}

// saying logs why the process is not ready, whenever the reason changes: /readyz
// itself withholds it.
func saying(check healthz.Checker, log logr.Logger) healthz.Checker {
	var mu sync.Mutex
	asked, last := false, ""
	return func(req *http.Request) error {
		err := check(req)
		now := ""
		if err != nil {
			now = err.Error()
		}
		mu.Lock()
		defer mu.Unlock()
		if asked && now == last {
			return err
		}
		asked, last = true, now
		if err == nil {
			log.Info("Ready")
		} else {
			log.Info("Not ready", "reason", now)
		}
		return err
	}
}

// restConfigOf reads a kubeconfig, or the pod's own credentials. There is no
// limit of requests on this side: the API server has priority and fairness.
func restConfigOf(kubeconfig string) (*rest.Config, error) {
	c, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("find the API server (--kubeconfig, or run inside a cluster): %w", err)
	}
	c.QPS = -1
	c.UserAgent = "emrguard"
	return c, nil
}
