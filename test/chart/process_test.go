package chart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/server"
)

// parseArguments reads the arguments of a rendered Deployment as the program
// does.
func parseArguments(t *testing.T, deployment *appsv1.Deployment) *server.Options {
	t.Helper()
	container := deployment.Spec.Template.Spec.Containers[0]
	if container.Args[0] != "webhook" {
		t.Fatalf("want the command webhook, got %v", container.Args)
	}
	options, flags := server.NewOptions(), pflag.NewFlagSet("webhook", pflag.ContinueOnError)
	options.AddFlags(flags)
	flags.String("log-level", "", "")
	flags.String("log-format", "", "")
	var args []string
	for _, argument := range container.Args[1:] {
		args = append(args, strings.ReplaceAll(argument, "$(POD_NAMESPACE)", releaseNamespace))
	}
	if err := flags.Parse(args); err != nil {
		t.Fatalf("the program does not know the arguments of the Deployment: %v", err)
	}
	if err := options.Validate(); err != nil {
		t.Fatalf("the program refuses the arguments of the Deployment: %v", err)
	}
	return options
}

// The program takes the arguments of every example, and without arguments it
// does what the chart does without values.
func TestEmrguardTakesTheArguments(t *testing.T) {
	t.Parallel()
	for _, file := range valuesFiles(t) {
		key := "Deployment/emrguard"
		if strings.HasSuffix(file, "/full-values.yaml") {
			key = "Deployment/guard"
		}
		options := parseArguments(t, object[appsv1.Deployment](t, render(t, "helm3", withValues(file)...), key))
		if file == "" {
			defaults := server.NewOptions()
			defaults.Namespace = releaseNamespace
			if !reflect.DeepEqual(options, defaults) {
				t.Errorf("the defaults differ:\nchart   %+v\nprogram %+v", options, defaults)
			}
		}
	}
}

// With the permissions of the chart's service account, and no others, the real
// process fills the empty Secret and every entry of the webhook configuration,
// and an upgrade by Helm keeps both.
func TestSelfManagedCertificateWithTheChartsPermissions(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.helm(t, "helm3", "install", release, chart, "--create-namespace", "--set", "emr.namespaces={emr-jobs}")

	options := parseArguments(t, c.deployment(t))
	folder := t.TempDir()
	options.ConfigFile = filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(options.ConfigFile, []byte(c.configMap(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	options.CertDir = filepath.Join(folder, "certs")
	if err := os.Mkdir(options.CertDir, 0o700); err != nil {
		t.Fatal(err)
	}
	options.BindAddress, options.Port = "127.0.0.1", freePort(t)
	health := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	options.MetricsAddress, options.HealthAddress, options.ShutdownDelay = "0", health, 5*time.Second
	options.Kubeconfig = c.impersonate(t, "system:serviceaccount:"+releaseNamespace+":"+c.deployment(t).Spec.Template.Spec.ServiceAccountName)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, options, processLog(t)) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the process ended with an error: %v", err)
		}
	})
	defer stop()

	secret := &corev1.Secret{}
	filled := func(ctx context.Context) error {
		if err := c.Get(ctx, client.ObjectKey{Namespace: releaseNamespace, Name: options.SecretName}, secret); err != nil {
			return err
		}
		for _, key := range []string{"ca.crt", "tls.crt", "tls.key"} {
			if len(secret.Data[key]) == 0 {
				return fmt.Errorf("the Secret has no %s", key)
			}
		}
		for _, entry := range c.webhookConfiguration(t).Webhooks {
			if !bytes.Equal(entry.ClientConfig.CABundle, secret.Data["ca.crt"]) {
				return fmt.Errorf("%s has not the CA of the Secret", entry.Name)
			}
		}
		return nil
	}
	eventually(t, "the process fills the Secret and the webhook configuration", filled)

	if err := ready(t.Context(), health); err == nil {
		t.Error("the process is ready without its certificate")
	}

	// What the kubelet does; then the process serves.
	for _, key := range []string{"tls.key", "tls.crt"} {
		if err := os.WriteFile(filepath.Join(options.CertDir, key), secret.Data[key], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the process serves", func(ctx context.Context) error {
		var dialer net.Dialer
		connection, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", options.Port))
		return errors.Join(err, closeIfOpen(connection))
	})
	eventually(t, "the process is ready", func(ctx context.Context) error { return ready(ctx, health) })

	before := secret.DeepCopy()
	c.helm(t, "helm3", "upgrade", release, chart, "--reuse-values", "--set", "emr.namespaceSelector.matchLabels.platform=emr")
	eventually(t, "an entry that an upgrade adds gets the CA", filled)
	if !reflect.DeepEqual(before.Data, secret.Data) {
		t.Error("the upgrade made the process take another certificate")
	}
	c.helm(t, "helm3", "uninstall", release)
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the Secret is left, or was made again: %v", err)
	}

	// From SIGTERM on the process is not ready, and goes on to serve until no API
	// server sends anything here any more.
	cancel()
	eventually(t, "the process that stops is not ready", func(ctx context.Context) error {
		if ready(ctx, health) == nil {
			return errors.New("it is ready")
		}
		return nil
	})
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", options.Port))
	if err := errors.Join(err, closeIfOpen(connection)); err != nil {
		t.Errorf("the process that stops does not serve any more: %v", err)
	}
	stop()
	if connection, err := dialer.DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", options.Port)); err == nil {
		t.Errorf("the process has ended and serves: %v", closeIfOpen(connection))
	}
}

// ready asks the readiness probe.
func ready(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the probe answers %s", response.Status)
	}
	return nil
}

// processLog keeps the log of the process and shows it when the test fails. Not
// the test's own log, which must not be written to once the test is over, while
// the libraries keep the logger for good.
func processLog(t *testing.T) logr.Logger {
	t.Helper()
	var (
		mu    sync.Mutex
		lines []string
	)
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if t.Failed() {
			t.Logf("log of the process:\n%s", strings.Join(lines, "\n"))
		}
	})
	return funcr.New(func(_, line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}, funcr.Options{})
}

func closeIfOpen(connection net.Conn) error {
	if connection == nil {
		return nil
	}
	return connection.Close()
}

// freePort answers a port that nobody listens to.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

// impersonate answers a kubeconfig that acts as a user.
func (c *cluster) impersonate(t *testing.T, user string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(c.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, authentication := range config.AuthInfos {
		authentication.Impersonate = user
		authentication.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + releaseNamespace, "system:authenticated"}
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}
