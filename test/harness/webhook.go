package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

// tokenLifetime outlasts every test and a demo that is left running.
const tokenLifetime = int64(7 * 24 * time.Hour / time.Second)

// Webhook is a running `emrguard webhook`, with the configuration that the chart
// rendered and the identity and permissions of the chart's ServiceAccount.
type Webhook struct {
	// HealthURL and MetricsURL are the base addresses of /healthz and /readyz,
	// and of /metrics.
	HealthURL, MetricsURL string

	cp        *ControlPlane
	chart     *Chart
	proc      *process
	configDir string
	revision  int
}

// StartWebhook starts the emrguard binary for an installed chart and waits until
// it is ready. Further flags go after the harness's own. The process ends with
// Stop or with the control plane.
func (cp *ControlPlane) StartWebhook(ctx context.Context, chart *Chart, flags ...string) (*Webhook, error) {
	binary, err := Binary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(cp.Dir, "webhook-")
	if err != nil {
		return nil, fmt.Errorf("start the webhook: %w", err)
	}
	w := &Webhook{cp: cp, chart: chart, configDir: filepath.Join(dir, "config")}
	certDir := filepath.Join(dir, "certs")
	for _, d := range []string{w.configDir, certDir} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, fmt.Errorf("start the webhook: %w", err)
		}
	}
	if err := w.SyncConfig(ctx); err != nil {
		return nil, err
	}
	if err := w.writeCertificate(certDir); err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := w.writeKubeconfig(ctx, kubeconfig); err != nil {
		return nil, err
	}
	healthPort, err := FreePort()
	if err != nil {
		return nil, err
	}
	metricsPort, err := FreePort()
	if err != nil {
		return nil, err
	}
	health, metrics := "127.0.0.1:"+strconv.Itoa(healthPort), "127.0.0.1:"+strconv.Itoa(metricsPort)
	w.HealthURL, w.MetricsURL = "http://"+health, "http://"+metrics
	audit, err := chart.auditFlags(ctx)
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"webhook",
		"--config=" + filepath.Join(w.configDir, configKey),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(chart.Port),
		"--health-address=" + health, "--metrics-address=" + metrics,
		"--certificates=provided", "--cert-dir=" + certDir,
		"--kubeconfig=" + kubeconfig,
		// No endpoints are to be drained here.
		"--shutdown-delay=0s",
	}, audit...)
	args = append(args, flags...)
	// The name of the folder makes that of the log and pid files unique.
	w.proc, err = startProcess(cp.Dir, filepath.Base(dir), binary, args, []string{"POD_NAMESPACE=" + ReleaseNamespace})
	if err != nil {
		return nil, err
	}
	cp.onStop(w.proc.stop)
	if err := w.waitReady(ctx); err != nil {
		return nil, errors.Join(err, w.proc.stop())
	}
	return w, nil
}

// writeCertificate writes the webhook's serving certificate as a mounted Secret
// holds it.
func (w *Webhook) writeCertificate(dir string) error {
	certPEM, keyPEM, err := w.cp.CA.ServingCert(ReleaseName + "." + ReleaseNamespace + ".svc")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "tls.crt"), certPEM, 0o600),
		os.WriteFile(filepath.Join(dir, "tls.key"), keyPEM, 0o600),
	)
}

// writeKubeconfig gives the process a token of the chart's ServiceAccount: what
// the chart's RBAC does not allow, fails here too.
func (w *Webhook) writeKubeconfig(ctx context.Context, path string) error {
	account, err := w.chart.serviceAccount(ctx)
	if err != nil {
		return err
	}
	lifetime := tokenLifetime
	token, err := w.cp.clientset.CoreV1().ServiceAccounts(ReleaseNamespace).CreateToken(ctx, account, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &lifetime},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("request a token of ServiceAccount %s/%s: %w", ReleaseNamespace, account, err)
	}
	config := rest.AnonymousClientConfig(w.cp.admin)
	config.BearerToken = token.Status.Token
	if w.chart.APIServer != "" {
		config.Host = "https://" + w.chart.APIServer
	}
	return WriteKubeconfig(path, config, ReleaseNamespace)
}

// SyncConfig brings the configuration that the chart has rendered last to the
// process, in the way in which the kubelet updates a mounted ConfigMap: the
// files lie in a folder of their own, and a symbolic link is moved to it.
func (w *Webhook) SyncConfig(ctx context.Context) error {
	data, err := w.chart.Config(ctx)
	if err != nil {
		return err
	}
	return w.WriteConfig(data)
}

// WriteConfig is SyncConfig with a configuration of the caller's.
func (w *Webhook) WriteConfig(data []byte) error {
	w.revision++
	name := "..revision-" + strconv.Itoa(w.revision)
	dir := filepath.Join(w.configDir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, configKey), data, 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	link := filepath.Join(w.configDir, "..data")
	if err := os.Symlink(name, link+"_tmp"); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if err := os.Rename(link+"_tmp", link); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if w.revision == 1 {
		if err := os.Symlink(filepath.Join("..data", configKey), filepath.Join(w.configDir, configKey)); err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
		return nil
	}
	return os.RemoveAll(filepath.Join(w.configDir, "..revision-"+strconv.Itoa(w.revision-1)))
}

// LogPath is the file that the process logs to.
func (w *Webhook) LogPath() string { return w.proc.logPath }

// PID is the number of the process.
func (w *Webhook) PID() int { return w.proc.cmd.Process.Pid }

// Stop ends the process with SIGTERM.
func (w *Webhook) Stop() error { return w.proc.stop() }

// Exited returns an error with the end of the log if the process has ended.
func (w *Webhook) Exited() error { return w.proc.exited() }

// Metrics returns the text of /metrics.
func (w *Webhook) Metrics(ctx context.Context) (string, error) {
	return get(ctx, w.MetricsURL+"/metrics")
}

func (w *Webhook) waitReady(ctx context.Context) error {
	err := WaitFor(ctx, "the webhook's /readyz", startTimeout, func(ctx context.Context) error {
		if err := w.proc.exited(); err != nil {
			return fmt.Errorf("%w: %w", errGiveUp, err)
		}
		_, err := get(ctx, w.HealthURL+"/readyz")
		return err
	})
	if err != nil && !errors.Is(err, errGiveUp) {
		err = fmt.Errorf("%w; the end of its log:\n%s", err, tail(w.LogPath(), 10))
	}
	return err
}

// get returns the body of a response with status 200.
func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	return string(body), nil
}

// WaitForGuard asks the API server, as a dry run, for a Pod that the guide
// forbids in a managed namespace, until the answer has the given verdict: the
// API server learns of a webhook configuration, and the webhook of its own, a
// moment after they were changed.
func (w *Webhook) WaitForGuard(ctx context.Context, namespace string, verdict Verdict) error {
	admin, err := w.cp.Admin()
	if err != nil {
		return err
	}
	pod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{
			"name": "guard-probe", "namespace": namespace,
			"annotations": map[string]any{"iam.amazonaws.com/role": "probe"},
		},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "probe", "image": "probe"}}},
	}}
	return WaitFor(ctx, fmt.Sprintf("a forbidden Pod in %s to be %s", namespace, verdict), startTimeout, func(ctx context.Context) error {
		if err := w.proc.exited(); err != nil {
			return fmt.Errorf("%w: %w", errGiveUp, err)
		}
		if a, _ := admin.Create(ctx, pod, DryRun); a.Verdict != verdict {
			return fmt.Errorf("the answer was: %s", a)
		}
		return nil
	})
}
