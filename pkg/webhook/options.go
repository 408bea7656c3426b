// Package webhook wires the process that guards a cluster: manager, caches,
// certificates, configuration, HTTP server, probes.
package webhook

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"
)

// How the serving certificate comes to be.
const (
	// SelfManaged lets the process make and rotate the certificate, write it to a
	// Secret and its CA into the webhook configuration.
	SelfManaged = "self-managed"
	// Provided takes the certificate that somebody else puts into the directory.
	Provided = "provided"
)

// Options of the process.
type Options struct {
	ConfigFile     string
	ReloadInterval time.Duration

	BindAddress    string
	Port           int
	MetricsAddress string
	HealthAddress  string

	CertDir              string
	Certificates         string
	Namespace            string
	SecretName           string
	ServiceName          string
	WebhookConfiguration string

	ShutdownDelay time.Duration
	Kubeconfig    string
}

// NewOptions returns the defaults, which are those of the chart.
func NewOptions() *Options {
	return &Options{
		ConfigFile:           "/etc/emrguard/config.yaml",
		ReloadInterval:       10 * time.Second,
		Port:                 9443,
		MetricsAddress:       ":8080",
		HealthAddress:        ":8081",
		CertDir:              "/run/emrguard/certs",
		Certificates:         SelfManaged,
		Namespace:            os.Getenv("POD_NAMESPACE"),
		SecretName:           "emrguard-webhook-certs",
		ServiceName:          "emrguard",
		WebhookConfiguration: "emrguard",
		ShutdownDelay:        10 * time.Second,
	}
}

// AddFlags registers the flags.
func (o *Options) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.ConfigFile, "config", o.ConfigFile, "configuration file")
	f.DurationVar(&o.ReloadInterval, "config-reload-interval", o.ReloadInterval, "how often to look whether the configuration file has changed")
	f.StringVar(&o.BindAddress, "bind-address", o.BindAddress, "address of the webhook server; empty for all")
	f.IntVar(&o.Port, "port", o.Port, "port of the webhook server")
	f.StringVar(&o.MetricsAddress, "metrics-address", o.MetricsAddress, `address of the metrics; "0" for none`)
	f.StringVar(&o.HealthAddress, "health-address", o.HealthAddress, `address of /healthz and /readyz; "0" for none`)
	f.StringVar(&o.CertDir, "cert-dir", o.CertDir, "directory of tls.crt and tls.key")
	f.StringVar(&o.Certificates, "certificates", o.Certificates, "self-managed: make and rotate the certificate; provided: somebody else does")
	f.StringVar(&o.Namespace, "namespace", o.Namespace, "own namespace, for self-managed certificates (environment: POD_NAMESPACE)")
	f.StringVar(&o.SecretName, "secret-name", o.SecretName, "Secret of the self-managed certificate")
	f.StringVar(&o.ServiceName, "service-name", o.ServiceName, "own Service, the name in the self-managed certificate")
	f.StringVar(&o.WebhookConfiguration, "webhook-configuration", o.WebhookConfiguration, "ValidatingWebhookConfiguration that gets the CA of the self-managed certificate")
	f.DurationVar(&o.ShutdownDelay, "shutdown-delay", o.ShutdownDelay, "how long to keep serving after SIGTERM, until no API server sends requests here any more")
	f.StringVar(&o.Kubeconfig, "kubeconfig", o.Kubeconfig, "kubeconfig; empty inside a cluster")
}

// Validate returns everything that is wrong with the options.
func (o *Options) Validate() error {
	var errs []error
	if o.Port < 1 || o.Port > 65535 {
		errs = append(errs, fmt.Errorf("--port %d is no port", o.Port))
	}
	if o.ReloadInterval <= 0 {
		errs = append(errs, fmt.Errorf("--config-reload-interval %s: give a time above zero", o.ReloadInterval))
	}
	if o.ShutdownDelay < 0 {
		errs = append(errs, fmt.Errorf("--shutdown-delay %s is negative", o.ShutdownDelay))
	}
	switch o.Certificates {
	case Provided:
	case SelfManaged:
		for flag, value := range map[string]string{"--namespace": o.Namespace, "--secret-name": o.SecretName, "--service-name": o.ServiceName, "--webhook-configuration": o.WebhookConfiguration} {
			if value == "" {
				errs = append(errs, fmt.Errorf("%s is empty, self-managed certificates need it", flag))
			}
		}
	default:
		errs = append(errs, fmt.Errorf("--certificates %q is neither %s nor %s", o.Certificates, SelfManaged, Provided))
	}
	return errors.Join(errs...)
}
