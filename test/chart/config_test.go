package chart_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/config"
)

// configuration answers the rendered config.yaml, read by emrguard's own strict
// reader, and as it is.
func configuration(t *testing.T, rendered objects, name string) (*config.Guard, map[string]any) {
	t.Helper()
	data := object[corev1.ConfigMap](t, rendered, "ConfigMap/"+name).Data
	if len(data) != 1 {
		t.Fatalf("want the key config.yaml alone, got %v", data)
	}
	guard, err := config.Parse([]byte(data["config.yaml"]))
	if err != nil {
		t.Fatalf("the rendered configuration is not what emrguard reads: %v\n%s", err, data["config.yaml"])
	}
	var raw map[string]any
	if err := yaml.Unmarshal([]byte(data["config.yaml"]), &raw); err != nil {
		t.Fatal(err)
	}
	return guard, raw
}

func TestEmrguardReadsEveryExample(t *testing.T) {
	t.Parallel()
	for _, file := range valuesFiles(t) {
		name := release
		if strings.HasSuffix(file, "/full-values.yaml") {
			name = "guard"
		}
		configuration(t, render(t, "helm3", withValues(file)...), name)
	}
}

// Every value of the configuration arrives, and arrives unchanged.
func TestConfigurationHoldsTheValues(t *testing.T) {
	t.Parallel()
	file := chart + "/ci/full-values.yaml"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(content, &values); err != nil {
		t.Fatal(err)
	}
	for _, helm := range helms {
		_, raw := configuration(t, render(t, helm, "--values", file), "guard")
		for _, key := range []string{
			"mode", "emr", "administrators", "breakGlass", "trustedSubjects", "credentialProviders", "rules", "overrides", "exemptions",
		} {
			if values[key] == nil {
				t.Errorf("%s does not set %s", file, key)
			}
			if !reflect.DeepEqual(raw[key], values[key]) {
				t.Errorf("%s: %s:\ngot  %v\nwant %v", helm, key, raw[key], values[key])
			}
		}
		if len(raw) != 11 {
			t.Errorf("%s: want the nine keys of the values and the type, got %v", helm, raw)
		}
	}
}

// What no value sets is left to the program.
func TestConfigurationLeavesDefaultsToTheProgram(t *testing.T) {
	t.Parallel()
	_, raw := configuration(t, render(t, "helm3"), "emrguard")
	want := map[string]any{
		"apiVersion": "config.emrguard.dev/v1alpha1",
		"kind":       "GuardConfiguration",
		"emr":        map[string]any{"discover": true},
	}
	if !reflect.DeepEqual(raw, want) {
		t.Errorf("got %v, want %v", raw, want)
	}
}

// An empty list where the program's default is not empty is a decision.
func TestEmptyListsAreKept(t *testing.T) {
	t.Parallel()
	values := `{administrators: {groups: []}, breakGlass: {groups: []}, emr: {principals: {users: []}, discover: null}}`
	guard, raw := configuration(t, render(t, "helm3", "--values", writeValues(t, values)), "emrguard")
	if len(guard.Administrators.Groups)+len(guard.BreakGlass.Groups)+len(guard.EMR.Principals.Users) != 0 {
		t.Errorf("an empty list is lost, and the defaults are back: %v", raw)
	}
	if !reflect.DeepEqual(raw["emr"], map[string]any{"principals": map[string]any{"users": []any{}}}) {
		t.Errorf("a key that is not set is written: %v", raw["emr"])
	}
}
