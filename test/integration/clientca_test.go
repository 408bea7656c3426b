package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/test/harness"
)

// TestClientCertificates proves, on an API server whose AdmissionConfiguration names
// a kubeconfig for webhooks, that emrguard judges what comes with its certificate and
// lets nobody else in.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const apiServer, ns = "kube-apiserver-webhooks", harness.JobNamespace
	plane, err := harness.Start(ctx, harness.Options{WithoutPodIdentity: true, WebhookClient: apiServer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := plane.EnsureNamespace(ctx, ns, nil); err != nil {
		t.Fatal(err)
	}
	installed, err := plane.InstallChart(ctx, map[string]any{"emr": map[string]any{"namespaces": []any{ns}}, "audit": map[string]any{"enabled": false}})
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, plane.CA.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	admin, err := plane.Admin()
	if err != nil {
		t.Fatal(err)
	}
	bad := pod(t, ns, "bad", func(p *corev1.Pod) { p.Spec.HostNetwork, p.Spec.ServiceAccountName = true, "" })
	for name, verdict := range map[string]harness.Verdict{apiServer: harness.Denied, "somebody-else": harness.Unreachable} {
		webhook, err := plane.StartWebhook(ctx, installed, "--client-ca-file="+ca, "--client-names="+name)
		if err != nil {
			t.Fatal(err)
		}
		err = harness.WaitFor(ctx, "the verdict for "+name, patience, func(context.Context) error {
			if a, _ := admin.Create(ctx, bad, harness.DryRun); a.Verdict != verdict {
				return errors.New(a.String())
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if n := askWithoutCertificate(t, installed.Port); n > 0 {
			t.Errorf("a caller without a certificate gets an answer of %d bytes", n)
		}
		if err := webhook.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// askWithoutCertificate posts a review and returns how many bytes the answer has.
func askWithoutCertificate(t *testing.T, port int) int {
	t.Helper()
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}
	c, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0
	}
	defer func() { _ = c.Close() }() // read only
	review := forged(0)
	// TLS 1.3 tells a client that it is refused with its first read.
	_, _ = c.Write([]byte(announce(len(review)) + review))
	n, _ := c.Read(make([]byte, 100))
	return n
}
