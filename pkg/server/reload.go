package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rules"
)

// Reloader keeps the engine of the configuration file. A file that is wrong
// never replaces an engine that works.
type Reloader struct {
	path     string
	interval time.Duration
	metrics  *metrics.Recorder
	log      logr.Logger
	now      func() time.Time

	current atomic.Pointer[engine.Engine]
	last    []byte
	expired int
}

// NewReloader loads the file. At the start a file that is wrong is an error:
// there is nothing yet that could go on.
func NewReloader(path string, interval time.Duration, m *metrics.Recorder, log logr.Logger) (*Reloader, error) {
	r := &Reloader{path: path, interval: interval, metrics: m, log: log, now: time.Now}
	if err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Engine returns the engine in force.
func (r *Reloader) Engine() *engine.Engine { return r.current.Load() }

// Start reloads the file whenever it has changed, until the context ends. It
// polls: a mounted ConfigMap changes by a link that moves, at most once a minute.
func (r *Reloader) Start(ctx context.Context) error {
	ticker := time.NewTicker(r.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := r.Reload(); err != nil {
				r.log.Error(err, "The configuration was not taken over, the last good one stays in force", "file", r.path)
			}
		}
	}
}

// NeedLeaderElection is false: every replica reads its own file.
func (r *Reloader) NeedLeaderElection() bool { return false }

// Reload takes the file over when it has changed. Its error says why it could
// not; the engine in force is then still the one before. A wrong file is reported
// once, not at every look.
func (r *Reloader) Reload() error {
	raw, err := os.ReadFile(r.path)
	if err == nil && bytes.Equal(raw, r.last) {
		r.noteExpired()
		return nil
	}
	if err == nil {
		r.last = raw
		err = r.take(raw)
	}
	r.metrics.Reloaded(err == nil)
	if err != nil {
		return fmt.Errorf("configuration %s: %w", r.path, err)
	}
	r.log.Info("The configuration is in force", "file", r.path)
	r.expired = 0
	r.noteExpired()
	return nil
}

func (r *Reloader) take(raw []byte) error {
	c, err := config.Parse(raw)
	if err != nil {
		return err
	}
	c.OwnNamespace = cmp.Or(c.OwnNamespace, os.Getenv("POD_NAMESPACE"))
	e, err := engine.New(c, rules.All(), r.now)
	if err != nil {
		return err
	}
	r.current.Store(e)
	return nil
}

// noteExpired says so when exemptions have run out since the last look.
func (r *Reloader) noteExpired() {
	e := r.current.Load()
	if e == nil {
		return
	}
	list := e.Expired()
	r.metrics.Expired(len(list))
	if len(list) <= r.expired {
		return
	}
	r.expired = len(list)
	for _, x := range list {
		r.log.Info("An exemption has expired and no longer holds; remove it from the configuration or renew it",
			"rule", x.Rule, "namespace", x.Namespace, "object", x.Object, "user", x.User, "expired", x.Expires.UTC().Format(time.RFC3339), "reason", x.Reason)
	}
}
