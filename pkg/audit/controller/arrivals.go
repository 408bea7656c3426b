package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// maxPending bounds the arrivals that wait for judgement. What comes on top of them
// the next audit finds, which then is at once.
const maxPending = 1000

// arrivalTimeout bounds the look-ups for one object. Nobody waits for the verdict.
const arrivalTimeout = 15 * time.Second

// syncPoll is how often to look whether the caches are full.
const syncPoll = 100 * time.Millisecond

// maxNote is the longest note that the API server takes in an Event.
const maxNote = 1024

// Arrivals judges what the watches bring: whatever reached etcd while nobody judged
// it, or past the webhook, is found within seconds instead of at the next audit. What
// admission did judge is judged once more; only what would be refused is reported.
// It is a Runnable of a manager that runs on every replica.
type Arrivals struct {
	// Engine returns the engine in force.
	Engine func() *engine.Engine
	// Facts answers what exists.
	Facts engine.Facts
	// Synced reports whether everything that existed at the start is known.
	Synced func() bool
	// Overflow is called when something arrives that is not judged here. It must not
	// block.
	Overflow func()
	// Events tells the users of the cluster.
	Events  events.EventRecorder
	Metrics *metrics.Arrivals
	Log     logr.Logger

	mu      sync.Mutex
	pending []runtime.Object
	wake    chan struct{}
	once    sync.Once
}

func (a *Arrivals) signal() chan struct{} {
	a.once.Do(func() { a.wake = make(chan struct{}, 1) })
	return a.wake
}

// Take takes an object that a watch brought. It does not block.
func (a *Arrivals) Take(o runtime.Object) {
	a.mu.Lock()
	full := len(a.pending) >= maxPending
	if !full {
		a.pending = append(a.pending, o)
	}
	a.mu.Unlock()
	if full {
		a.Overflow()
	}
	select {
	case a.signal() <- struct{}{}:
	default:
	}
}

// Start judges what arrives until the context ends.
func (a *Arrivals) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.signal():
		}
		if err := wait.PollUntilContextCancel(ctx, syncPoll, true, func(context.Context) (bool, error) { return a.Synced(), nil }); err != nil {
			return nil //nolint:nilerr // the process stops
		}
		a.mu.Lock()
		list := a.pending
		a.pending = nil
		a.mu.Unlock()
		for _, o := range list {
			if err := a.contained(ctx, o); err != nil && ctx.Err() == nil {
				a.Metrics.Failed()
				a.Log.Error(err, "Could not judge an object on its arrival; an audit judges it now")
				a.Overflow()
			}
		}
	}
}

// NeedLeaderElection is false: every replica judges. Who leads may just have lost the
// lease with the connection.
func (a *Arrivals) NeedLeaderElection() bool { return false }

// contained makes a panic an error: the process has to serve.
func (a *Arrivals) contained(ctx context.Context, o runtime.Object) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = mistake(r)
		}
	}()
	return a.judge(ctx, o)
}

// judge judges one object as it is.
func (a *Arrivals) judge(ctx context.Context, o runtime.Object) error {
	res, read, err := readArrival(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	e := a.Engine()
	verdict := e.Review(ctx, e.Existing(res, read, a.Facts), nil)
	for _, failure := range verdict.Errors {
		err = fmt.Errorf("%s could not judge %s %s/%s: %w", failure.Rule, res.Kind, read.Meta.Namespace, read.Meta.Name, failure.Err)
	}
	for _, list := range [][]engine.Outcome{verdict.Denied, verdict.Warned, verdict.Audited} {
		for i := range list {
			if f := &list[i]; !f.Failed && (f.Action == rule.Deny || f.WouldDeny) {
				a.tell(e, o, res, read, f)
			}
		}
	}
	return err
}

func (a *Arrivals) tell(e *engine.Engine, o runtime.Object, res object.Resource, read *object.Object, f *engine.Outcome) {
	a.Metrics.Found(metrics.KindOf(&f.Finding), f.Action)
	a.Log.Info("Found in what exists, whoever let it in", "rule", f.Rule, "reason", f.Reason.Name, "severity", f.Reason.Severity, "clauses", e.ClausesOf(f.Rule), "action", f.Action, "kind", res.Kind,
		"namespace", read.Meta.Namespace, "name", read.Meta.Name, "path", f.Path, "subject", f.Subject, "message", f.Text())
	note := fmt.Sprintf("[%s] %s. %s.", f.ID(), f.Text(), f.Remedy())
	if len(note) > maxNote {
		note = strings.ToValidUTF8(note[:maxNote-3], "") + "..."
	}
	a.Events.Eventf(o, nil, corev1.EventTypeWarning, "BreaksGuide", "Audited", "%s", note)
}

// readArrival makes of what a watch brings what rules read.
func readArrival(o runtime.Object) (object.Resource, *object.Object, error) {
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return object.Resource{}, nil, fmt.Errorf("a watch brought an object of an unknown kind: %w", err)
	}
	res, ok := object.FindKind(kinds[0].GroupKind())
	if !ok {
		return object.Resource{}, nil, fmt.Errorf("a watch brought a %s: %w", kinds[0].Kind, object.ErrUnknownKind)
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return res, nil, fmt.Errorf("read a %s that arrived: %w", res.Kind, err)
	}
	read, err := object.DecodeListed(res, raw)
	if err != nil {
		return res, nil, fmt.Errorf("read a %s that arrived: %w", res.Kind, err)
	}
	return res, read, nil
}
