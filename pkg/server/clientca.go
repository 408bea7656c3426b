package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
)

// clientCA says whose certificates let callers in. A control plane presents one
// when its AdmissionConfiguration names a kubeconfig for webhooks.
type clientCA struct {
	path     string
	names    []string
	interval time.Duration
	log      logr.Logger
	last     []byte
	pool     atomic.Pointer[x509.CertPool]
}

// newClientCA reads the file. At the start a file that is wrong is an error.
func newClientCA(path string, names []string, interval time.Duration, log logr.Logger) (*clientCA, error) {
	c := &clientCA{path: path, names: names, interval: interval, log: log}
	if err := c.reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// reload takes the file over when it has changed.
func (c *clientCA) reload() error {
	raw, err := os.ReadFile(c.path)
	if err != nil {
		return fmt.Errorf("read the CA of callers (--client-ca-file): %w", err)
	}
	if bytes.Equal(raw, c.last) {
		return nil
	}
	c.last = raw
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return fmt.Errorf("read the CA of callers (--client-ca-file): %s has no certificate in PEM", c.path)
	}
	c.pool.Store(pool)
	return nil
}

// watch reloads the file until the context ends. A wrong file does not replace one
// that works.
func (c *clientCA) watch(ctx context.Context) {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := c.reload(); err != nil {
				c.log.Error(err, "The CA of callers was not taken over, the last good one stays in force")
			}
		}
	}
}

// require makes a configuration let in nobody else.
func (c *clientCA) require(config *tls.Config) {
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.SessionTicketsDisabled = true // a ticket would outlast the CA
	config.VerifyConnection = c.verify
	base := config.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := base.Clone()
		now.ClientCAs = c.pool.Load()
		return now, nil
	}
}

func (c *clientCA) verify(state tls.ConnectionState) error {
	if len(state.VerifiedChains) == 0 {
		return errors.New("the caller has no certificate")
	}
	if name := state.VerifiedChains[0][0].Subject.CommonName; len(c.names) > 0 && !slices.Contains(c.names, name) {
		return fmt.Errorf("the caller's certificate is that of %q, who may not call", name)
	}
	return nil
}
