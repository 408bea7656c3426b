package integration

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/emrguard/emrguard/test/harness"
)

// The cost of an expression of CEL is limited. A configuration far larger than any
// product's stays within the limit: otherwise what is harmless would be refused.
//
// The policy by label is asked once for each managed namespace, so this comes before the
// tests that leave more than a thousand of them behind.
func TestLargeConfigurationIsWithinTheBudget(t *testing.T) {
	ready(t)
	const hooks, rulesOfEach = 40, 12
	resources := []any{"services", "endpoints", "events", "limitranges", "nodes", "persistentvolumes", "resourcequotas", "secrets", "pods"}
	var webhooks []any
	for i := range hooks {
		var rules []any
		for range rulesOfEach {
			rules = append(rules, map[string]any{
				"operations": []any{"CREATE", "UPDATE"}, "apiGroups": []any{"", "example.com", "other.example.com"}, "apiVersions": []any{"v1"}, "resources": resources,
			})
		}
		webhooks = append(webhooks, map[string]any{
			"name": fmt.Sprintf("w%d.example.com", i), "admissionReviewVersions": []any{"v1"}, "sideEffects": "None",
			"clientConfig":      map[string]any{"url": "https://127.0.0.1:1/mutate"},
			"rules":             rules,
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "analytics"}},
		})
	}
	config := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
		"metadata": map[string]any{"name": "emr-jobs-large"}, "webhooks": webhooks,
	}}
	a, _ := writer(t, cp, harness.Submitter).Create(t.Context(), config, harness.DryRun)
	want(t, "a large configuration", a, harness.Allowed)
}
