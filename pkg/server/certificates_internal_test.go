package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/emrguard/emrguard/pkg/metrics"
)

// writeCertificate writes a self-signed certificate that expires then.
func writeCertificate(t *testing.T, dir string, expires time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: expires, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"tls.key": {Type: "PRIVATE KEY", Bytes: private}, "tls.crt": {Type: "CERTIFICATE", Bytes: der}} {
		// As a mounted Secret does: the new file takes the place of the old one.
		next := filepath.Join(dir, name+".next")
		if err := os.WriteFile(next, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// freePort is a port of this machine that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("no TCP address: %v", listener.Addr())
	}
	return address.Port
}

func newTestServer(t *testing.T, o *Options, ready <-chan struct{}) *server {
	t.Helper()
	s, err := newServer(o, ready, metrics.New(prometheus.NewRegistry()), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExpiryIsThatOfTheServedCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := time.Now().Add(time.Hour).Truncate(time.Second), time.Now().Add(48*time.Hour).Truncate(time.Second)
	writeCertificate(t, dir, first)
	told := make(chan time.Time, 1000)
	ready := make(chan struct{})
	o := NewOptions()
	o.BindAddress, o.Port, o.CertDir = "127.0.0.1", freePort(t), dir
	s := newTestServer(t, o, ready)
	s.expires = func(at time.Time) { told <- at }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	close(ready)
	await(t, told, first, func() {})
	// The files are watched from a moment on that nobody is told of.
	await(t, told, second, func() { writeCertificate(t, dir, second) })
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}
	connection, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(o.BindAddress, strconv.Itoa(o.Port)))
	if err != nil {
		t.Fatal(err)
	}
	if secure, ok := connection.(*tls.Conn); !ok || !secure.ConnectionState().PeerCertificates[0].NotAfter.Equal(second) {
		t.Errorf("the server does not serve the certificate that expires at %s", second)
	}
	_ = connection.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// await does something again and again until an expiry is told; the one before
// may be told once more.
func await(t *testing.T, told <-chan time.Time, want time.Time, do func()) {
	t.Helper()
	again, end := time.NewTicker(200*time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for {
		select {
		case got := <-told:
			if got.Equal(want) {
				return
			}
		case <-again.C:
			do()
		case <-end:
			t.Fatalf("the expiry %s is not told", want)
		}
	}
}

func TestServerWithoutCertificateSaysWhichFolder(t *testing.T) {
	t.Parallel()
	ready := make(chan struct{})
	close(ready)
	dir := t.TempDir()
	err := newTestServer(t, &Options{Port: freePort(t), CertDir: dir}, ready).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want one that names %s", err, dir)
	}
}
