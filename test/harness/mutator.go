package harness

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// mutator serves a mutating webhook on the loopback address.
type mutator struct {
	what   string
	url    string
	server *http.Server
	failed chan error
}

func (cp *ControlPlane) serveMutator(what string, handle admission.HandlerFunc) (*mutator, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", what, err)
	}
	tlsConfig, err := cp.CA.serverTLS()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	handler, err := admission.StandaloneWebhook(&admission.Webhook{Handler: handle}, admission.StandaloneOptions{})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	m := &mutator{
		what: what, url: "https://" + listener.Addr().String() + "/mutate", failed: make(chan error, 1),
		server: &http.Server{Handler: handler, TLSConfig: tlsConfig, ReadHeaderTimeout: 5 * time.Second},
	}
	go func() { m.failed <- m.server.ServeTLS(listener, "", "") }()
	return m, nil
}

func (m *mutator) stop() error {
	err := m.server.Close()
	if served := <-m.failed; served != nil && !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("%s: %w", m.what, served))
	}
	return err
}
