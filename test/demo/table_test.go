package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emrguard/emrguard/test/harness"
)

func TestWrap(t *testing.T) {
	tests := map[string]struct {
		line  string
		width int
		want  []string
	}{
		"short":         {"one two", 10, []string{"one two"}},
		"exact":         {"one two", 7, []string{"one two"}},
		"broken":        {"one two three", 7, []string{"one two", "three"}},
		"indented":      {"  one two", 6, []string{"  one", "  two"}},
		"empty":         {"", 5, []string{""}},
		"a long word":   {"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		"long after":    {"ab cdefghijklmn", 8, []string{"ab cdefg", "hijklmn"}},
		"not in a rune": {"ääääää", 4, []string{"ääää", "ää"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := wrap(tc.line, tc.width)
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTableKeepsItsWidth(t *testing.T) {
	var out strings.Builder
	table := &table{out: &out, width: minWidth}
	for i, r := range rows() {
		table.row(i+1, &r, harness.Answer{
			Verdict: harness.Denied, Webhook: "managed.emrguard.dev",
			Message: strings.Repeat("spec.containers[0].env[1].value ", 9) + strings.Repeat("x", 200),
		}, "")
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > minWidth {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}

func TestCheck(t *testing.T) {
	r := &row{want: denied, rule: "static-aws-credentials"}
	good := harness.Answer{Verdict: harness.Denied, Webhook: "managed.emrguard.dev", Message: "static-aws-credentials: x"}
	if problem := r.check(good, false); problem != "" {
		t.Error(problem)
	}
	bad := map[string]harness.Answer{
		"allowed":        {Verdict: harness.Allowed},
		"RBAC":           {Verdict: harness.Unauthorized, Message: "static-aws-credentials"},
		"unreachable":    {Verdict: harness.Unreachable, Webhook: "managed.emrguard.dev", Message: "static-aws-credentials"},
		"another policy": {Verdict: harness.Denied, Policy: "policy.example.com", Message: "static-aws-credentials"},
		"somebody else":  {Verdict: harness.Denied, Webhook: "policy.example.com", Message: "static-aws-credentials"},
		"another rule":   {Verdict: harness.Denied, Webhook: "managed.emrguard.dev", Message: "irsa-credentials: x"},
		"one rule more":  {Verdict: harness.Denied, Webhook: "managed.emrguard.dev", Message: "static-aws-credentials: x\nirsa-credentials: y"},
		"no rule at all": {Verdict: harness.Denied, Webhook: "managed.emrguard.dev", Message: "no"},
	}
	for name, a := range bad {
		if r.check(a, false) == "" {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRulesNamed(t *testing.T) {
	tests := map[string][]string{
		"[pod-exec] x":      {"pod-exec"},
		"[rbac-pod-exec] x": {"rbac-pod-exec"},
		"could do what rbac-pod-exec, pod-exec forbid": {"pod-exec", "rbac-pod-exec"},
		"[pod-exec] x\n[pod-exec] y":                   {"pod-exec"},
		"notebook-pod-exec, emr-containers-sa":         {},
	}
	for text, want := range tests {
		if got := rulesNamed(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestRequests loads every request's manifest, so that a mistake in one shows
// without a control plane.
func TestRequests(t *testing.T) {
	files, err := manifests.ReadDir("requests")
	if err != nil {
		t.Fatal(err)
	}
	job, err := harness.LoadEMRJob(emrNamespace)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".patch.yaml") {
			_, err = patched(job.Driver, f.Name())
		} else {
			_, err = manifestsOf(f.Name())
		}
		if err != nil {
			t.Error(err)
		}
	}
}
