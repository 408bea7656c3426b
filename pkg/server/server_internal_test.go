package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// serving is a running server that answers every request with its body.
type serving struct {
	address string
}

func serve(t *testing.T, change func(*Options)) *serving {
	t.Helper()
	dir := t.TempDir()
	writeCertificate(t, dir, time.Now().Add(time.Hour))
	o := NewOptions()
	o.BindAddress, o.Port, o.CertDir, o.ReloadInterval = "127.0.0.1", freePort(t), dir, 10*time.Millisecond
	if change != nil {
		change(o)
	}
	ready := make(chan struct{})
	close(ready)
	s := newTestServer(t, o, ready)
	s.Register("/", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { _, _ = io.Copy(w, req.Body) }))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	v := &serving{net.JoinHostPort(o.BindAddress, strconv.Itoa(o.Port))}
	for end := time.Now().Add(time.Minute); s.StartedChecker()(nil) != nil; {
		if time.Now().After(end) {
			t.Fatal("the server does not start")
		}
	}
	return v
}

func (v *serving) client(t *testing.T, certificates ...tls.Certificate) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: certificates, MinVersion: tls.VersionTLS13}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func (v *serving) ask(t *testing.T, c *http.Client) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+v.address+"/", bytes.NewReader([]byte("hello")))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read only
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "hello" || resp.ProtoMajor != 1 {
		return fmt.Errorf("%s %q by %s: %w", resp.Status, body, resp.Proto, err)
	}
	return nil
}

// dial opens a connection that says what it is told to, and nothing more.
func (v *serving) dial(t *testing.T, plain bool, say string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", v.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if !plain {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	}
	// A connection that is closed already is what the test is about.
	_, _ = io.WriteString(c, say)
	return c
}

// Whoever opens connections that do nothing loses them to those that come later,
// and a request that is on its way when they come is answered.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	v := serve(t, func(o *Options) { o.MaxConnections = 16 })
	kept := v.client(t)
	if err := v.ask(t, kept); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		v.dial(t, true, "")
		v.dial(t, false, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
	}
	for range 5 {
		if err := v.ask(t, v.client(t)); err != nil {
			t.Error(err)
		}
	}
}

func TestSlowHandshakesAndHeadersEnd(t *testing.T) {
	t.Parallel()
	v := serve(t, func(o *Options) { o.HeaderTimeout = time.Second })
	for name, c := range map[string]net.Conn{
		"handshake": v.dial(t, true, ""),
		"header":    v.dial(t, false, "POST / HTTP/1.1\r\nHost:"),
	} {
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err := io.ReadAll(c)
		if timeout := net.Error(nil); asTimeout(err, &timeout) {
			t.Errorf("%s: the connection is still open", name)
		}
	}
}

func asTimeout(err error, into *net.Error) bool {
	e, ok := err.(net.Error) //nolint:errorlint // a read returns it unwrapped
	*into = e
	return ok && e.Timeout()
}

func TestLongHeadersAreRefused(t *testing.T) {
	t.Parallel()
	v := serve(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+v.address+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X", string(bytes.Repeat([]byte("a"), 64<<10)))
	resp, err := v.client(t).Do(req)
	if err != nil {
		return // closed while the header was still being written
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %s", resp.Status)
	}
}

// authority makes client certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	first, second := newAuthority(t), newAuthority(t)
	file := filepath.Join(t.TempDir(), "ca.crt")
	write := func(raw []byte) {
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(first.pem)
	v := serve(t, func(o *Options) { o.ClientCAFile, o.ClientNames = file, []string{"kube-apiserver"} })
	good := first.issue(t, "kube-apiserver")
	if err := v.ask(t, v.client(t, good)); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	for name, c := range map[string]*http.Client{
		"no certificate": v.client(t),
		"another CA":     v.client(t, second.issue(t, "kube-apiserver")),
		"another name":   v.client(t, first.issue(t, "mallory")),
	} {
		if v.ask(t, c) == nil {
			t.Errorf("%s: the request is answered", name)
		}
	}
	// A file without a certificate changes nothing, another CA does.
	write([]byte("nothing"))
	if err := v.ask(t, v.client(t, good)); err != nil {
		t.Errorf("with a broken file: %v", err)
	}
	write(second.pem)
	for end := time.Now().Add(time.Minute); v.ask(t, v.client(t, second.issue(t, "kube-apiserver"))) != nil; {
		if time.Now().After(end) {
			t.Fatal("the new CA is not taken over")
		}
	}
	if v.ask(t, v.client(t, good)) == nil {
		t.Error("a certificate of the old CA is still accepted")
	}
}
