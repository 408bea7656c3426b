package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/metrics"
)

// server is the HTTP server that the API server calls. Everybody in the cluster
// may reach its port, so whatever a caller can make it hold is bounded: connections
// (see listener), headers, time. What bodies may take, package admission bounds.
//
// It speaks HTTP/1.1 alone. So does the API server with webhooks, and the attacks
// on HTTP/2 (streams that are reset, headers without end) need no answer.
//
// controller-runtime's own server has none of these bounds and no way to set them.
type server struct {
	options *Options
	ready   <-chan struct{}
	metrics *metrics.Recorder
	log     logr.Logger
	mux     *http.ServeMux
	clients *clientCA
	expires func(time.Time) // is told when the certificate expires that is served
	started atomic.Bool
}

// newServer returns a server that starts once the channel is closed: its
// certificate is there then. Until then the process is not ready, and the API server
// is sent nowhere.
func newServer(o *Options, ready <-chan struct{}, m *metrics.Recorder, log logr.Logger) (*server, error) {
	s := &server{options: o, ready: ready, metrics: m, log: log, mux: http.NewServeMux(), expires: m.Certificate}
	if o.ClientCAFile == "" {
		return s, nil
	}
	var err error
	s.clients, err = newClientCA(o.ClientCAFile, o.ClientNames, o.ReloadInterval, log)
	return s, err
}

// Register has a handler answer the requests of a path.
func (s *server) Register(path string, h http.Handler) { s.mux.Handle(path, h) }

// WebhookMux returns the paths and their handlers.
func (s *server) WebhookMux() *http.ServeMux { return s.mux }

// NeedLeaderElection is false: every replica serves.
func (s *server) NeedLeaderElection() bool { return false }

// StartedChecker fails until the server accepts connections.
func (s *server) StartedChecker() healthz.Checker {
	return func(*http.Request) error {
		if !s.started.Load() {
			return errors.New("the webhook server has not started")
		}
		return nil
	}
}

// Start waits for the certificate and serves until the context ends.
func (s *server) Start(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.ready:
	}
	config, err := s.tlsConfig(ctx)
	if err != nil {
		return err
	}
	inner, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(s.options.BindAddress, strconv.Itoa(s.options.Port)))
	if err != nil {
		return fmt.Errorf("webhook server: %w", err)
	}
	return s.serve(ctx, inner, config)
}

func (s *server) serve(ctx context.Context, inner net.Listener, config *tls.Config) error {
	l := newListener(inner, config, s.options.MaxConnections, s.options.HeaderTimeout, s.metrics) //nolint:contextcheck // a handshake ends by its own timeout
	srv := &http.Server{
		Handler:           watchBodies(s.mux),
		ReadHeaderTimeout: s.options.HeaderTimeout,
		IdleTimeout:       s.options.IdleTimeout,
		// The handler sets shorter ones, by what the API server says.
		ReadTimeout:    limit.Request + s.options.HeaderTimeout,
		WriteTimeout:   limit.Request + 2*s.options.HeaderTimeout,
		MaxHeaderBytes: s.options.MaxHeaderBytes,
		TLSNextProto:   map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ConnState:      l.conns.state,
		ConnContext:    withConn,
		// Callers cause these lines, as many as they like.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := srv.Shutdown(shutdown); err != nil {
			s.log.Error(err, "Requests were cut off")
		}
	}()
	s.started.Store(true)
	s.log.Info("Serving", "address", inner.Addr().String(), "clientCertificates", s.clients != nil)
	if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("webhook server: %w", err)
	}
	<-stopped
	return nil
}

// tlsConfig has the certificate watched: it is renewed while the process runs.
func (s *server) tlsConfig(ctx context.Context) (*tls.Config, error) {
	dir := s.options.CertDir
	watcher, err := certwatcher.New(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	if err != nil {
		return nil, fmt.Errorf("read the serving certificate in %s: %w", dir, err)
	}
	watcher.RegisterCallback(func(c tls.Certificate) {
		if c.Leaf != nil {
			s.expires(c.Leaf.NotAfter)
		}
	})
	go func() {
		if err := watcher.Start(ctx); err != nil {
			s.log.Error(err, "The serving certificate is not watched: after a rotation restart this process", "folder", dir)
		}
	}()
	config := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}, GetCertificate: watcher.GetCertificate}
	if s.clients != nil {
		s.clients.require(config)
		go s.clients.watch(ctx)
	}
	return config, nil
}
