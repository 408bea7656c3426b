package policies

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"

	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/policy"
)

var mutatingWebhooks = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}

func find(t *testing.T, path string) *policy.Policy {
	t.Helper()
	for _, p := range policy.All() {
		if p.Path() == path {
			return &p
		}
	}
	t.Fatalf("there is no policy %s", path)
	return nil
}

// everything is a webhook that reaches everything.
func everything() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
		"metadata": map[string]any{"name": "everything"},
		"webhooks": []any{map[string]any{
			"name": "everything.example.com", "clientConfig": map[string]any{"url": "https://127.0.0.1:1/"},
			"rules": []any{map[string]any{"operations": []any{"*"}, "apiGroups": []any{"*"}, "apiVersions": []any{"*"}, "resources": []any{"*/*"}}},
		}},
	}}
}

// TestPatternsMeanTheSame compares how policies match patterns with pkg/pattern, which
// reads the configuration: whoever fits a pattern of administrators passes.
func TestPatternsMeanTheSame(t *testing.T) {
	t.Parallel()
	patterns := append([]string{
		"a", "*", "**", "a*", "*a", "a*b", "*a*b*", "a**b", ".", "a.b", "arn:*", "arn:aws:sts::*:assumed-role/Admin/*", "arn:*:*", "*arn:*", "eks:*", `\d`, "[ab]", "a|b", "^a$", "(?i)a",
	}, hostile...)
	texts := append([]string{
		"", "a", "b", "ab", "a.b", "axb", "aab", "a\nb", "A", "1", "arn:", "arn:aws", "arn:a:b", "arn:aws:sts::1:assumed-role/Admin/x", "arn:aws:sts::1:assumed-role/Admin/x/y",
		"arn:aws:sts::1:2:assumed-role/Admin/x", "eks:a", "xeks:a", `\Ea`, `\\E`, `a\b`,
	}, hostile...)
	for _, text := range patterns {
		texts = append(texts, strings.ReplaceAll(text, "*", "x"))
	}
	p := find(t, "mutating-webhook.yaml")
	for _, text := range patterns {
		parsed, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c := mustCompile(t, p, map[string]any{"administratorUsers": []string{text}})
		for _, name := range texts {
			r := request{user: name, operation: admission.Create, resource: mutatingWebhooks, object: everything()}
			if strings.HasPrefix(name, "eks:") {
				continue // EKS itself may
			}
			if passes := len(c.ask(t, &r, nil)) == 0; passes != parsed.Match(name) {
				t.Errorf("pattern %q fits %q: policy says %t, pkg/pattern %t", text, name, passes, parsed.Match(name))
			}
		}
	}
}
