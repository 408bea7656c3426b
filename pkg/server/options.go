// Package server wires the process that guards a cluster: manager, caches,
// certificates, configuration, HTTP server, probes.
package server

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/emrguard/emrguard/pkg/limit"
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

	// What callers may take.
	MaxConnections   int
	MaxHeaderBytes   int
	MaxBodyBytes     int64
	MaxBytesInFlight int64
	HeaderTimeout    time.Duration
	IdleTimeout      time.Duration

	// ClientCAFile holds the certificates that sign those of callers; empty lets in
	// callers without a certificate. ClientNames are the common names that may call;
	// none means every name.
	ClientCAFile string
	ClientNames  []string

	CertDir              string
	Certificates         string
	Namespace            string
	SecretName           string
	ServiceName          string
	WebhookConfiguration string

	ShutdownDelay time.Duration
	// StaleAfter is how long the API server may not let the process read before it is
	// no longer ready.
	StaleAfter time.Duration
	Kubeconfig string

	// Of the background audit; an AuditInterval of 0 turns it off.
	AuditInterval      time.Duration
	AuditQPS           int
	AuditLease         string
	AuditLeaseDuration time.Duration
	AuditReports       bool
	AuditReportsOwner  string
}

// minStaleAfter allows for one request that was missed.
const minStaleAfter = 10 * time.Second

// NewOptions returns the defaults, which are those of the chart.
func NewOptions() *Options {
	return &Options{
		ConfigFile:           "/etc/emrguard/config.yaml",
		ReloadInterval:       10 * time.Second,
		Port:                 9443,
		MetricsAddress:       ":8080",
		HealthAddress:        ":8081",
		MaxConnections:       limit.Connections,
		MaxHeaderBytes:       limit.Header,
		MaxBodyBytes:         limit.Body,
		MaxBytesInFlight:     limit.SmallBodies,
		HeaderTimeout:        limit.HeaderTime,
		IdleTimeout:          limit.IdleTime,
		CertDir:              "/run/emrguard/certs",
		Certificates:         SelfManaged,
		Namespace:            os.Getenv("POD_NAMESPACE"),
		SecretName:           "emrguard-webhook-certs",
		ServiceName:          "emrguard",
		WebhookConfiguration: "emrguard",
		ShutdownDelay:        10 * time.Second,
		StaleAfter:           30 * time.Second,
		AuditInterval:        time.Hour,
		AuditQPS:             20,
		AuditLease:           "emrguard-audit",
		AuditLeaseDuration:   time.Minute,
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
	f.IntVar(&o.MaxConnections, "max-connections", o.MaxConnections, "connections that are open at a time; for a new one, an old one that waits is closed")
	f.IntVar(&o.MaxHeaderBytes, "max-header-bytes", o.MaxHeaderBytes, "largest header of a request")
	f.Int64Var(&o.MaxBodyBytes, "max-body-bytes", o.MaxBodyBytes, "largest request that is read; a larger one is answered as the rules answer a finding")
	f.Int64Var(&o.MaxBytesInFlight, "max-bytes-in-flight", o.MaxBytesInFlight, "bytes of requests up to 128 KiB that are read at a time; larger ones are read one after the other")
	f.DurationVar(&o.HeaderTimeout, "header-timeout", o.HeaderTimeout, "how long a TLS handshake, and the header of a request, may take")
	f.DurationVar(&o.IdleTimeout, "idle-timeout", o.IdleTimeout, "how long a connection may stay open between two requests")
	f.StringVar(&o.ClientCAFile, "client-ca-file", o.ClientCAFile, "file of the CA certificates that sign those of callers; callers without one are then refused")
	f.StringSliceVar(&o.ClientNames, "client-names", o.ClientNames, "common names of callers' certificates that may call; none means all")
	f.StringVar(&o.CertDir, "cert-dir", o.CertDir, "directory of tls.crt and tls.key")
	f.StringVar(&o.Certificates, "certificates", o.Certificates, "self-managed: make and rotate the certificate; provided: somebody else does")
	f.StringVar(&o.Namespace, "namespace", o.Namespace, "own namespace, of the Lease of the audit and for self-managed certificates (environment: POD_NAMESPACE)")
	f.StringVar(&o.SecretName, "secret-name", o.SecretName, "Secret of the self-managed certificate")
	f.StringVar(&o.ServiceName, "service-name", o.ServiceName, "own Service, the name in the self-managed certificate")
	f.StringVar(&o.WebhookConfiguration, "webhook-configuration", o.WebhookConfiguration, "ValidatingWebhookConfiguration that gets the CA of the self-managed certificate")
	f.DurationVar(&o.ShutdownDelay, "shutdown-delay", o.ShutdownDelay, "how long to keep serving after SIGTERM, until no API server sends requests here any more")
	f.DurationVar(&o.StaleAfter, "stale-after", o.StaleAfter, "how long the API server may not let the process read what it watches before /readyz fails")
	f.StringVar(&o.Kubeconfig, "kubeconfig", o.Kubeconfig, "kubeconfig; empty inside a cluster")
	f.DurationVar(&o.AuditInterval, "audit-interval", o.AuditInterval, "how often to audit what exists in the cluster; 0 for never")
	f.IntVar(&o.AuditQPS, "audit-qps", o.AuditQPS, "how many requests a second an audit may send to the API server")
	f.StringVar(&o.AuditLease, "audit-lease", o.AuditLease, "Lease by which replicas agree on who audits; empty when there is one process only")
	f.DurationVar(&o.AuditLeaseDuration, "audit-lease-duration", o.AuditLeaseDuration, "how long others wait for a silent holder of the Lease")
	f.BoolVar(&o.AuditReports, "audit-reports", o.AuditReports, "write the findings of audits as Reports of openreports.io/v1alpha1")
	f.StringVar(&o.AuditReportsOwner, "audit-reports-owner", o.AuditReportsOwner, "ClusterRole that owns the reports, so that they are deleted with it; empty for none")
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
	if o.StaleAfter < minStaleAfter {
		errs = append(errs, fmt.Errorf("--stale-after %s: give at least %s, the API server is asked every 5s", o.StaleAfter, minStaleAfter))
	}
	errs = append(errs, o.validateLimits()...)
	errs = append(errs, o.validateAudit()...)
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

func (o *Options) validateLimits() []error {
	var errs []error
	for flag, c := range map[string]struct{ value, least int64 }{
		"--max-connections":     {int64(o.MaxConnections), 16},
		"--max-header-bytes":    {int64(o.MaxHeaderBytes), 4 << 10},
		"--max-body-bytes":      {o.MaxBodyBytes, 1 << 20},
		"--max-bytes-in-flight": {o.MaxBytesInFlight, 1 << 20},
	} {
		if c.value < c.least {
			errs = append(errs, fmt.Errorf("%s %d: give at least %d", flag, c.value, c.least))
		}
	}
	for flag, d := range map[string]time.Duration{"--header-timeout": o.HeaderTimeout, "--idle-timeout": o.IdleTimeout} {
		if d < time.Second {
			errs = append(errs, fmt.Errorf("%s %s: give at least 1s", flag, d))
		}
	}
	if len(o.ClientNames) > 0 && o.ClientCAFile == "" {
		errs = append(errs, errors.New("--client-names: without --client-ca-file nobody's certificate is asked for"))
	}
	return errs
}

func (o *Options) validateAudit() []error {
	var errs []error
	if o.AuditInterval == 0 {
		return nil
	}
	if o.AuditInterval < time.Second {
		errs = append(errs, fmt.Errorf("--audit-interval %s: give at least 1s, or 0 for no audit", o.AuditInterval))
	}
	if o.AuditQPS < 1 {
		errs = append(errs, fmt.Errorf("--audit-qps %d: give at least 1", o.AuditQPS))
	}
	if o.AuditLease == "" {
		return errs
	}
	if o.AuditLeaseDuration < time.Second {
		errs = append(errs, fmt.Errorf("--audit-lease-duration %s: give at least 1s", o.AuditLeaseDuration))
	}
	if o.Namespace == "" {
		errs = append(errs, errors.New("--namespace is empty, the Lease of the audit needs it: name it, or give --audit-lease= when there is one process only, or --audit-interval=0 for no audit"))
	}
	return errs
}
