package bench_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/test/harness"
)

// Limits of the commands on two cores, with the memory of the process at its peak.
const (
	checkObjects, checkSeconds    = 5_000, 10
	auditNamespaces, auditSeconds = 500, 60
	auditObjects                  = auditNamespaces * perTenant
	commandMiB                    = 300
	configuration                 = "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\nemr: {namespaceSelector: {matchLabels: {emr: 'yes'}}}\n"
	threads                       = 2 // as GOMAXPROCS, so that a larger machine is no better
)

// BenchmarkCheck is `emrguard check` of 5,000 files with a manifest each, as a
// process.
func BenchmarkCheck(b *testing.B) {
	dir := b.TempDir()
	written := 0
	for i := 0; written < checkObjects; i++ {
		for n, obj := range tenant(b, i) {
			if written == checkObjects {
				break
			}
			text, err := yaml.Marshal(obj)
			if err != nil {
				b.Fatal(err)
			}
			folder := filepath.Join(dir, "tenant-"+strconv.Itoa(i))
			if err := os.MkdirAll(folder, 0o750); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, strconv.Itoa(n)+".yaml"), text, 0o600); err != nil {
				b.Fatal(err)
			}
			written++
		}
	}
	runCommand(b, checkObjects, checkSeconds, "check", "--config", configFile(b), "-o", "json", dir)
}

// BenchmarkAudit is `emrguard audit` of a real API server with 500 managed
// namespaces and 20,000 objects in them, as a process.
func BenchmarkAudit(b *testing.B) {
	cp, err := harness.Start(b.Context(), harness.Options{WithoutControllers: true, WithoutPodIdentity: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			b.Error(err)
		}
	})
	start := time.Now()
	var namespaces, accounts, rest []client.Object
	for i := range auditNamespaces {
		objects := tenant(b, i)
		namespaces, accounts, rest = append(namespaces, objects[0]), append(accounts, objects[1:3]...), append(rest, objects[3:]...)
	}
	for _, list := range [][]client.Object{namespaces, accounts, rest} {
		create(b, cp, list)
	}
	b.Logf("created %d objects in %.0f s", auditObjects+auditNamespaces, time.Since(start).Seconds())
	kubeconfig := filepath.Join(b.TempDir(), "kubeconfig")
	if err := harness.WriteKubeconfig(kubeconfig, cp.AdminConfig(), "default"); err != nil {
		b.Fatal(err)
	}
	// Kinds that no rule reads are not even listed.
	runCommand(b, 0, auditSeconds, "audit", "--kubeconfig", kubeconfig, "--config", configFile(b), "-o", "json")
}

func configFile(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(configuration), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// runCommand runs emrguard as a process and reports how long it takes and how much
// memory it has at its peak. Above the limits it fails.
func runCommand(b *testing.B, objects, limit int, args ...string) {
	b.Helper()
	binary, err := harness.Binary()
	if err != nil {
		b.Fatal(err)
	}
	var longest float64
	var most int64
	var summary struct{ Judged, Skipped, Denied, Warned, Audited, Problems int }
	for b.Loop() {
		var out, errOut bytes.Buffer
		u := launched(b, []string{"GOMAXPROCS=" + strconv.Itoa(threads)}, &out, &errOut, append([]string{binary}, args...)...)
		if u.ExitCode > 1 {
			b.Fatalf("emrguard %s: exit code %d\n%s", args[0], u.ExitCode, &errOut)
		}
		longest, most = max(longest, u.Seconds), max(most, u.PeakMiB)
		report := struct{ Summary any }{&summary}
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%s: %+v", args[0], summary)
	if summary.Denied == 0 || summary.Problems > 0 || summary.Judged < objects/2 || objects > 0 && summary.Judged+summary.Skipped != objects {
		b.Errorf("%s did not judge what it was given: %+v", args[0], summary)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(longest, "s")
	b.ReportMetric(float64(most), "peak-MiB")
	b.ReportMetric(float64(summary.Judged), "objects")
	if longest > float64(limit) || most > commandMiB {
		b.Errorf("%s took %.1f s and %d MiB, at most %d s and %d MiB are allowed", args[0], longest, most, limit, commandMiB)
	}
}
