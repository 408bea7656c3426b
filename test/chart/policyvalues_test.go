package chart_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/policy"
)

// Helm fills in values and writes no CEL: its part is one short file.
func TestHelmsPartOfThePolicies(t *testing.T) {
	t.Parallel()
	const part, most = "_policies.tpl", 40
	cel := regexp.MustCompile(`expression:|\bvariables\.|userInfo|oldObject|\.matches\(|\.exists\(|orValue`)
	templates, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, path := range templates {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(path) == part {
			found = true
			if n := strings.Count(string(text), "\n"); n >= most {
				t.Errorf("%s has %d lines, want fewer than %d", part, n, most)
			}
			// It writes `expression:` before a value, and that is all.
			text = []byte(strings.Replace(string(text), "expression: {{", "", 1))
		}
		if signs := cel.FindAllString(string(text), -1); len(signs) > 0 {
			t.Errorf("%s writes CEL: %q", path, signs)
		}
	}
	if !found {
		t.Errorf("there is no template %s", part)
	}
}

// What Helm renders is what Go fills in, whatever the names look like.
func TestPolicyValues(t *testing.T) {
	t.Parallel()
	strange := []string{`"`, `'`, `\`, `\E`, `"]`, `" + "`, "`", `{{ fail "x" }}`, "<&>", "a\nb", "日本", "😀", ": |-", "null", "1e3", "on", "%s"}
	values := map[string]any{
		"emr": map[string]any{
			"namespaces": []string{"emr-jobs", "123"}, "namespaceSelector": map[string]any{"matchLabels": map[string]string{"a": "b"}},
			"principals": map[string]any{"operators": strange, "jobAccounts": strange},
		},
		"administrators": map[string]any{"users": strange, "groups": strange},
		"breakGlass":     map[string]any{"groups": strange},
		"rules": map[string]any{
			"mutating-webhook":          map[string]any{"params": map[string]any{"allowed": []any{map[string]any{"name": strange[3], "users": strange}}}},
			"guard-protection":          map[string]any{"mode": "deny", "params": map[string]any{"caBundleWriters": strange}},
			"mutating-admission-policy": map[string]any{"mode": "deny"},
		},
		"exemptions": []any{
			map[string]any{"rule": "mutating-webhook", "reason": "x", "user": strange[5], "object": strange[6]},
			map[string]any{"rule": "mutating-webhook", "reason": "x", "namespace": "*", "user": "ada"},
			map[string]any{"rule": "mutating-webhook", "reason": "x", "namespace": "elsewhere"},
			map[string]any{"rule": "mutating-webhook", "reason": "x", "subject": "User:x"},
			map[string]any{"rule": "mutating-admission-policy", "reason": "x", "expires": "2027-01-31T00:00:00Z"},
			map[string]any{"rule": "guard-protection", "reason": "x", "object": "guard"},
		},
		"fullnameOverride": "1e3",
	}
	filled := func(rule, judges string) map[string]any {
		exemptions := map[string][]map[string]string{
			"mutating-webhook": {{"object": strange[6], "user": strange[5]}, {"object": "*", "user": "ada"}},
			"guard-protection": {{"object": "guard", "user": "*"}},
			// A policy has no clock: what expires is no exemption there.
			"mutating-admission-policy": {},
		}
		return map[string]any{
			"administratorUsers": strange, "administratorGroups": strange, "breakGlassGroups": strange, "jobAccounts": strange, "operators": strange,
			"namespaces": []string{"emr-jobs", "123"}, "byLabel": true, "judges": judges, "caBundleWriters": strange, "fullname": "1e3",
			"serviceAccount":  "system:serviceaccount:" + releaseNamespace + ":1e3",
			"allowedWebhooks": []map[string][]string{{"names": {strange[3]}, "users": strange}},
			"exemptions":      exemptions[rule],
		}
	}
	data, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	for _, helm := range helms {
		for _, static := range []bool{false, true} {
			args := []string{"--values", writeValues(t, string(data))}
			format := [2]string{"1e3-", ""}
			if static {
				args = append(args, "--set", "admissionPolicies.static=true", "--show-only", "templates/staticpolicies.yaml")
				format = [2]string{"", ".emrguard.static.k8s.io"}
			}
			rendered := render(t, helm, args...)
			for _, p := range policy.All() {
				if p.Static != static {
					continue
				}
				for suffix, judges := range map[string]string{"": policy.Others, "-" + policy.BreakGlass: policy.BreakGlass} {
					key := "ValidatingAdmissionPolicy/" + format[0] + p.Name + suffix + format[1]
					got := object[admissionregistrationv1.ValidatingAdmissionPolicy](t, rendered, key)
					want, err := p.Fill(filled(p.Rule, judges))
					if err != nil {
						t.Fatal(err)
					}
					compareSpecs(t, helm+" "+key, &got.Spec, want, p.Values)
				}
			}
		}
	}
}

// compareSpecs compares two policies; values of which the first variables consist are
// compared as what they are.
func compareSpecs(t *testing.T, what string, got, want *admissionregistrationv1.ValidatingAdmissionPolicySpec, values int) {
	t.Helper()
	for i := range want.Variables {
		var a, b any
		if i >= len(got.Variables) || got.Variables[i].Name != want.Variables[i].Name {
			t.Fatalf("%s: variable %d is not %s", what, i, want.Variables[i].Name)
		}
		x, y := &got.Variables[i], &want.Variables[i]
		if i >= values {
			continue
		}
		if json.Unmarshal([]byte(x.Expression), &a) != nil || json.Unmarshal([]byte(y.Expression), &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %s is %s, want %s", what, x.Name, x.Expression, y.Expression)
		}
		x.Expression = y.Expression
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: Helm changes more than the values", what)
	}
}
