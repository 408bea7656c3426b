package chart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// alertRule is one alert of the chart's PrometheusRule.
type alertRule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// ruleFile is a file of rules as Prometheus reads it, and the spec of a
// PrometheusRule.
type ruleFile struct {
	Groups []ruleGroup `json:"groups"`
}

type ruleGroup struct {
	Name  string      `json:"name"`
	Rules []alertRule `json:"rules"`
}

// alerts renders the PrometheusRule of the chart.
func alerts(t *testing.T, args ...string) *ruleFile {
	t.Helper()
	rendered := render(t, "helm3", append([]string{"--set", "prometheusRule.enabled=true"}, args...)...)
	spec, found, err := unstructured.NestedMap(rendered["PrometheusRule/emrguard"].Object, "spec")
	if err != nil || !found {
		t.Fatalf("no PrometheusRule is rendered: %v", err)
	}
	text, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	var file ruleFile
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		t.Fatalf("the PrometheusRule has fields that the test does not know: %v", err)
	}
	return &file
}

// write writes the rules beside the unit tests and answers the folder.
func (f *ruleFile) write(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	text, err := yaml.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := os.ReadFile("testdata/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"rules.yaml": text, "alerts.yaml": cases} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// promtool runs promtool in a folder.
func promtool(t *testing.T, folder string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), tool(t, "promtool"), args...)
	command.Dir = folder
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestPrometheusTakesTheAlerts(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--set", "webhook.timeoutSeconds=10,fullnameOverride=emrguard"}} {
		folder := alerts(t, args...).write(t)
		if out, err := promtool(t, folder, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"); err != nil {
			t.Errorf("promtool check rules: %v\n%s", err, out)
		}
	}
}

// Each alert fires when it should, and is silent when it should be.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	file := alerts(t)
	for i := range file.Groups[0].Rules {
		file.Groups[0].Rules[i].Annotations = nil // promtool would compare them letter by letter
	}
	folder := file.write(t)
	if out, err := promtool(t, folder, "test", "rules", "alerts.yaml"); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}

	text, err := os.ReadFile("testdata/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Tests []struct {
			Rules []struct {
				Name   string `json:"alertname"`
				Alerts []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}
	if err := yaml.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, c := range cases.Tests {
		for _, r := range c.Rules {
			if len(r.Alerts) > 0 {
				fires[r.Name] = true
			} else {
				silent[r.Name] = true
			}
		}
	}
	for _, r := range file.Groups[0].Rules {
		if !fires[r.Alert] || !silent[r.Alert] {
			t.Errorf("testdata/alerts.yaml shows that %s fires: %v, that it can be silent: %v", r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
}

// Whoever is woken by an alert finds what it means and what to do.
func TestAlertsHaveRunbooks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(repository + "/docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var headings []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if heading, ok := strings.CutPrefix(line, "### EMRGuard"); ok {
			headings = append(headings, "EMRGuard"+heading)
		}
	}
	rules := alerts(t).Groups[0].Rules
	for _, r := range rules {
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || !regexp.MustCompile("^(critical|warning|info)$").MatchString(r.Labels["severity"]) {
			t.Errorf("%s has severity %q and annotations %q", r.Alert, r.Labels["severity"], r.Annotations)
		}
		page, anchor, _ := strings.Cut(r.Annotations["runbook_url"], "#")
		if !strings.HasSuffix(page, "/v0.1.0/docs/operations.md") || anchor != strings.ToLower(r.Alert) || !slices.Contains(headings, r.Alert) {
			t.Errorf("%s: %q leads to no heading of docs/operations.md", r.Alert, r.Annotations["runbook_url"])
		}
	}
	if len(headings) != len(rules) {
		t.Errorf("docs/operations.md has %d runbooks for %d alerts", len(headings), len(rules))
	}
}
