package controller

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// Lease is the object by which replicas agree on who audits.
type Lease struct {
	// Name and Namespace of the Lease. With an empty name there is no agreement, and
	// this process always audits.
	Name, Namespace string
	// Duration after which others may take over from a holder that is silent.
	Duration time.Duration
}

// whileLeading runs work whenever this process holds the lease, until the context
// ends. The manager's own leader election would end the process with the lease;
// here only work ends, and the lease is asked for again.
func (a *Auditor) whileLeading(ctx context.Context, work func(context.Context)) {
	host, err := os.Hostname()
	if err != nil {
		host = "emrguard"
	}
	ctx = klog.NewContext(ctx, a.log)
	l := a.options.Lease
	for ctx.Err() == nil {
		var started atomic.Bool
		ended := make(chan struct{})
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Name: l.Name,
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Name: l.Name, Namespace: l.Namespace},
				Client:     a.leases.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())},
			},
			LeaseDuration: l.Duration, RenewDeadline: l.Duration * 2 / 3, RetryPeriod: l.Duration / 6,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					started.Store(true)
					defer close(ended)
					work(ctx)
				},
				OnStoppedLeading: func() {},
			},
		})
		if err != nil {
			a.log.Error(err, "There is no background audit: the lease is not usable", "lease", l.Name, "duration", l.Duration.String())
			return
		}
		elector.Run(ctx)
		// Run starts the work and does not wait for it. It returns without having
		// started it only when the context has ended.
		if ctx.Err() == nil || started.Load() {
			<-ended
		}
	}
}
