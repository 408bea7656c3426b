package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// addCertificates has the certificate made and rotated, when that is ours to do,
// and returns a channel that is closed as soon as the files are there.
func addCertificates(mgr manager.Manager, o *Options) (<-chan struct{}, error) {
	ready := make(chan struct{})
	if o.Certificates == Provided {
		close(ready)
		return ready, nil
	}
	dns := o.ServiceName + "." + o.Namespace + ".svc"
	err := rotator.AddRotator(mgr, &rotator.CertRotator{
		SecretKey:      types.NamespacedName{Namespace: o.Namespace, Name: o.SecretName},
		CertDir:        o.CertDir,
		CAName:         "emrguard-ca",
		CAOrganization: "emrguard",
		DNSName:        dns,
		ExtraDNSNames:  []string{o.ServiceName + "." + o.Namespace, dns + ".cluster.local"},
		IsReady:        ready,
		FieldOwner:     "emrguard",
		// Every replica needs its own files to be there; whoever comes first
		// writes the Secret, and a conflict is tried again.
		RequireLeaderElection: false,
		Webhooks:              []rotator.WebhookInfo{{Name: o.WebhookConfiguration, Type: rotator.Validating}},
	})
	if err != nil {
		return nil, fmt.Errorf("manage the serving certificate: %w", err)
	}
	return ready, nil
}

// lateServer starts the webhook server once its certificate is there; until then
// the process is not ready, and the API server is sent nowhere. It says when the
// certificate that it serves expires, also after a rotation.
type lateServer struct {
	webhook.Server

	ready   <-chan struct{}
	certDir string
	expires func(time.Time)
	log     logr.Logger
	watcher *certwatcher.CertWatcher
}

func newLateServer(o *Options, ready <-chan struct{}, expires func(time.Time), log logr.Logger) *lateServer {
	s := &lateServer{ready: ready, certDir: o.CertDir, expires: expires, log: log}
	s.Server = webhook.NewServer(webhook.Options{Host: o.BindAddress, Port: o.Port, TLSOpts: []func(*tls.Config){s.configure}})
	return s
}

// configure is called by the server when it starts.
func (s *lateServer) configure(c *tls.Config) {
	c.MinVersion = tls.VersionTLS13
	c.GetCertificate = s.watcher.GetCertificate
}

// Start waits for the certificate and serves until the context ends.
func (s *lateServer) Start(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.ready:
	}
	var err error
	if s.watcher, err = certwatcher.New(filepath.Join(s.certDir, "tls.crt"), filepath.Join(s.certDir, "tls.key")); err != nil {
		return fmt.Errorf("read the serving certificate in %s: %w", s.certDir, err)
	}
	s.watcher.RegisterCallback(func(c tls.Certificate) {
		if c.Leaf != nil {
			s.expires(c.Leaf.NotAfter)
		}
	})
	go func() {
		if err := s.watcher.Start(ctx); err != nil {
			s.log.Error(err, "The serving certificate is not watched: after a rotation restart this process", "folder", s.certDir)
		}
	}()
	if err := s.Server.Start(ctx); err != nil {
		return fmt.Errorf("webhook server: %w", err)
	}
	return nil
}

// NeedLeaderElection is false: every replica serves.
func (s *lateServer) NeedLeaderElection() bool { return false }
