package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/server"
)

const head = "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\n"

// file is a configuration file with a reloader on it.
type file struct {
	path     string
	registry *prometheus.Registry
	log      *strings.Builder
}

func newFile(t *testing.T, text string) (*file, *server.Reloader, error) {
	t.Helper()
	f := &file{path: filepath.Join(t.TempDir(), "config.yaml"), registry: prometheus.NewRegistry(), log: &strings.Builder{}}
	f.write(t, text)
	log := funcr.New(func(_, args string) { f.log.WriteString(args + "\n") }, funcr.Options{})
	r, err := server.NewReloader(f.path, time.Hour, metrics.New(f.registry), log)
	return f, r, err
}

func (f *file) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f *file) metrics(t *testing.T, failures, success, expired string) {
	t.Helper()
	want := "# HELP emrguard_config_last_reload_success 1 when the configuration file is in force, 0 when an older one still is.\n" +
		"# TYPE emrguard_config_last_reload_success gauge\nemrguard_config_last_reload_success " + success + "\n" +
		"# HELP emrguard_config_reload_failures_total Configurations that were not taken over because they are wrong.\n" +
		"# TYPE emrguard_config_reload_failures_total counter\nemrguard_config_reload_failures_total " + failures + "\n" +
		"# HELP emrguard_exemptions_expired Exemptions of the configuration that have expired and no longer hold.\n" +
		"# TYPE emrguard_exemptions_expired gauge\nemrguard_exemptions_expired " + expired + "\n"
	if err := testutil.GatherAndCompare(f.registry, strings.NewReader(want), "emrguard_config_last_reload_success", "emrguard_config_reload_failures_total", "emrguard_exemptions_expired"); err != nil {
		t.Error(err)
	}
}

func TestBadFileAtStartIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":     {head + "emr: {namespacez: [a]}", `unknown field "emr.namespacez"`},
		"unknown rule":      {head + "rules: {no-such: {mode: warn}}", "rules[no-such]"},
		"unknown parameter": {head + "rules: {role-arn-override: {params: {roles: [a]}}}", `rules[role-arn-override].params: unknown field "roles"`},
		"bad parameter":     {head + "rules: {role-arn-override: {params: {allowedRoles: [a, '']}}}", "rules[role-arn-override].params: allowedRoles[1]"},
		"no reason":         {head + "exemptions: [{rule: irsa-credentials}]", "exemptions[0].reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := newFile(t, c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "config.yaml") {
				t.Errorf("error %v, want one that names the file and %s", err, c.want)
			}
		})
	}
}

func TestBadFileKeepsTheLastGoodOne(t *testing.T) {
	t.Parallel()
	f, r, err := newFile(t, head+"emr: {namespaces: [a]}")
	if err != nil {
		t.Fatal(err)
	}
	f.metrics(t, "0", "1", "0")
	good := r.Engine()
	f.write(t, head+"mode: block")
	for range 2 { // the same bad file is reported once
		err = r.Reload()
		if r.Engine() != good {
			t.Fatal("a bad file replaced the engine")
		}
	}
	if err != nil {
		t.Errorf("the second look at the same bad file: %v", err)
	}
	f.metrics(t, "1", "0", "0")

	f.write(t, head+"emr: {namespaces: [b]}")
	if err := r.Reload(); err != nil || r.Engine() == good {
		t.Errorf("the mended file was not taken over: %v", err)
	}
	f.metrics(t, "1", "1", "0")

	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(); err == nil || r.Engine() == nil {
		t.Errorf("a file that is gone: %v", err)
	}
}

func TestExpiredExemptionIsLoggedAndCounted(t *testing.T) {
	t.Parallel()
	f, r, err := newFile(t, head+"exemptions:\n- {rule: irsa-credentials, reason: old, expires: '2020-01-01T00:00:00Z'}\n- {rule: irsa-credentials, reason: young, expires: '2999-01-01T00:00:00Z'}\n")
	if err != nil {
		t.Fatal(err)
	}
	f.metrics(t, "0", "1", "1")
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(f.log.String(), "An exemption has expired"); n != 1 {
		t.Errorf("the expired exemption was logged %d times, want once:\n%s", n, f.log)
	}
	if strings.Contains(f.log.String(), "young") {
		t.Error("an exemption that holds was logged")
	}
}

func TestOptionsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*server.Options){
		"--port":                   func(o *server.Options) { o.Port = 0 },
		"--config-reload-interval": func(o *server.Options) { o.ReloadInterval = 0 },
		"--shutdown-delay":         func(o *server.Options) { o.ShutdownDelay = -1 },
		"--certificates":           func(o *server.Options) { o.Certificates = "none" },
		"--namespace":              func(o *server.Options) { o.Namespace = "" },
	} {
		o := server.NewOptions()
		o.Namespace = "emrguard-system"
		if err := o.Validate(); err != nil {
			t.Fatalf("the defaults are wrong: %v", err)
		}
		change(o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
}
