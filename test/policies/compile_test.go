package policies

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/policy"
)

// hostile are names that would leave a string of CEL, of JSON, of YAML or of a regular
// expression, if anything let them.
var hostile = []string{
	`"`, `'`, `\`, `\\`, `\"`, `"]`, `" + "`, `*"*`, `\E`, `\Q`, `\E.*`, `\*`, `a\`, `(`, `[`, `{{ fail "x" }}`, `${x}`, "`", "\n", "\t", "\u0000", "\u2028", "é", "日本", "😀",
	`// no comment`, `*/*`, `arn:*\E:"*`, `null`, `%s`, `: |-`, strings.Repeat("*a", 20),
}

// installations are values that Helm may fill in.
func installations() map[string]map[string]any {
	webhooks := []map[string][]string{{"names": {"a"}, "users": {"b"}}}
	exemptions := []map[string]string{{"object": "*", "user": "a"}}
	for _, s := range hostile {
		webhooks = append(webhooks, map[string][]string{"names": {s}, "users": {s, "x"}})
		exemptions = append(exemptions, map[string]string{"object": s, "user": s})
	}
	return map[string]map[string]any{
		"default": nil,
		"empty": {
			"administratorUsers": []string{}, "administratorGroups": []string{}, "breakGlassGroups": []string{}, "exemptions": []string{}, "jobAccounts": []string{},
			"namespaces": []string{}, "operators": []string{}, "allowedWebhooks": []string{}, "caBundleWriters": []string{},
		},
		"full": {
			"administratorUsers": []string{"arn:aws:sts::*:assumed-role/Admin/*", "ada"}, "administratorGroups": []string{"system:masters", "platform"},
			"breakGlassGroups": []string{"on-call"}, "exemptions": exemptions[:1], "jobAccounts": []string{"flink", "*-spark"}, "judges": policy.Others,
			"namespaces": []string{"emr-jobs", "emr-more"}, "operators": []string{"system:serviceaccount:a:b"}, "allowedWebhooks": webhooks[:1], "byLabel": true,
			"caBundleWriters": []string{"ca"}, "fullname": "guard", "serviceAccount": "system:serviceaccount:guard:guard",
		},
		"hostile": {
			"administratorUsers": hostile, "administratorGroups": hostile, "breakGlassGroups": hostile, "exemptions": exemptions, "jobAccounts": hostile, "judges": policy.BreakGlass,
			"namespaces": hostile, "operators": hostile, "allowedWebhooks": webhooks, "byLabel": false,
			"caBundleWriters": hostile, "fullname": hostile[4], "serviceAccount": hostile[5],
		},
	}
}

// TestEveryPolicyCompiles compiles every policy, with all kinds of values, for every
// version of Kubernetes that the chart supports.
func TestEveryPolicyCompiles(t *testing.T) {
	t.Parallel()
	for minor := uint(oldestMinor); minor <= newestMinor; minor++ {
		t.Run(fmt.Sprintf("1.%d", minor), func(t *testing.T) {
			t.Parallel()
			for name, values := range installations() {
				for _, p := range policy.All() {
					_, errs := compile(&p, values, minor)
					for _, err := range errs {
						t.Errorf("policy %s with values %q: %v", p.Path(), name, err)
					}
				}
			}
		})
	}
}

// TestEveryValueIsFilledIn proves that no policy asks for a value of which the
// installations above say nothing.
func TestEveryValueIsFilledIn(t *testing.T) {
	t.Parallel()
	for name, values := range installations() {
		if name == "default" || name == "empty" {
			continue
		}
		for _, p := range policy.All() {
			for _, v := range p.Spec.Variables[:p.Values] {
				if _, ok := values[v.Name]; !ok {
					t.Errorf("%q has no value %s of policy %s", name, v.Name, p.Path())
				}
			}
		}
	}
}

// TestVersionsAreThoseOfTheChart compares the oldest version with Chart.yaml.
func TestVersionsAreThoseOfTheChart(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../charts/emrguard/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var chart struct {
		KubeVersion string `json:"kubeVersion"`
	}
	if err := yaml.Unmarshal(text, &chart); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(">=1.%d.0-0", oldestMinor); chart.KubeVersion != want {
		t.Errorf("the chart is for Kubernetes %s, the policies are compiled for %s", chart.KubeVersion, want)
	}
}
