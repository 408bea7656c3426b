package policy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/policy"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

const files = "../../charts/emrguard/files/policies"

// The files of the chart are what Write writes, no more and no less.
func TestFilesAreFresh(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "stale.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := policy.Write(folder); err != nil {
		t.Fatal(err)
	}
	want, got := contents(t, folder), contents(t, files)
	if len(want) != len(policy.All()) {
		t.Errorf("%d files are written for %d policies", len(want), len(policy.All()))
	}
	for path, text := range want {
		if got[path] != text {
			t.Errorf("%s is stale: run `make generate`", path)
		}
		delete(got, path)
	}
	for path := range got {
		t.Errorf("no policy writes %s", path)
	}
}

func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(folder, path))
		all[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A file is a policy that the API server reads, and its values are at the top.
func TestFilesArePolicies(t *testing.T) {
	t.Parallel()
	for _, p := range policy.All() {
		text, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		var object admissionregistrationv1.ValidatingAdmissionPolicy
		if err := yaml.UnmarshalStrict(text, &object); err != nil {
			t.Fatalf("%s: %v", p.Path(), err)
		}
		if object.Annotations[policy.RuleAnnotation] != p.Rule || object.Name != p.Name {
			t.Errorf("%s is %q of rule %q", p.Path(), object.Name, object.Annotations[policy.RuleAnnotation])
		}
		if *object.Spec.FailurePolicy != admissionregistrationv1.Fail {
			t.Errorf("%s fails open", p.Path())
		}
		if !slices.Equal(object.Spec.Variables, p.Spec.Variables) || !slices.Equal(object.Spec.MatchConditions, p.Spec.MatchConditions) {
			t.Errorf("%s: the file does not hold the policy", p.Path())
		}
		top, rest, found := strings.Cut(string(text), "# From here on everything is the same")
		if n := strings.Count(top, "- name: "); !found || n != p.Values || !strings.Contains(top, "spec:\n  variables:\n") || strings.Contains(rest, "\n  variables:") {
			t.Errorf("%s: %d of %d values are at the top", p.Path(), n, p.Values)
		}
	}
}

// A policy is for a rule whose objects the API server sends to no webhook.
func TestPoliciesAreOfRules(t *testing.T) {
	t.Parallel()
	list := rules.All()
	for _, p := range policy.All() {
		i := slices.IndexFunc(list, func(r rule.Rule) bool { return r.ID == p.Rule })
		if i < 0 || slices.ContainsFunc(list[i].Targets, func(target rule.Target) bool { return !target.Audit }) {
			t.Errorf("policy %s is of %q, which is no rule that webhooks cannot ask", p.Path(), p.Rule)
		}
	}
}

// Values are data: what is filled in replaces a default as a whole, and nothing else
// of the policy changes.
func TestFill(t *testing.T) {
	t.Parallel()
	for _, p := range policy.All() {
		const name = `"] + [object.x, "`
		spec, err := p.Fill(map[string]any{"administratorUsers": []string{name}, "user": "nobody", "unknown": 1})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range spec.Variables {
			want := p.Spec.Variables[i].Expression
			if v.Name == "administratorUsers" {
				want = `["\"] + [object.x, \""]`
			}
			if v.Expression != want {
				t.Errorf("%s: variable %s is %s, want %s", p.Path(), v.Name, v.Expression, want)
			}
		}
		if _, err := p.Fill(map[string]any{"namespaces": func() {}}); err == nil || !strings.Contains(err.Error(), "value namespaces of policy "+p.Name) {
			t.Errorf("%s: a value that JSON cannot hold: %v", p.Path(), err)
		}
	}
}

// A message whose argument stands nowhere would show its place to people.
func TestMessagesHaveAllArguments(t *testing.T) {
	t.Parallel()
	for _, p := range policy.All() {
		for _, v := range p.Spec.Validations {
			if strings.Contains(v.MessageExpression, "%") {
				t.Errorf("%s: %s", p.Name, v.MessageExpression)
			}
		}
	}
}
