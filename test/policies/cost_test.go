package policies

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/emrguard/emrguard/pkg/policy"
)

// large is an installation with long lists.
func large() map[string]any {
	names := func(format string, n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return list
	}
	webhooks, exemptions := []map[string][]string{}, []map[string]string{}
	for i := range 20 {
		webhooks = append(webhooks, map[string][]string{"names": {fmt.Sprintf("operator-%d-*", i)}, "users": {fmt.Sprintf("system:serviceaccount:operator-%d:*", i)}})
		exemptions = append(exemptions, map[string]string{"object": fmt.Sprintf("exempted-%d-*", i), "user": "*"})
	}
	return map[string]any{
		"administratorUsers": names("arn:aws:sts::123456789%03d:assumed-role/Administrator/*", 50), "administratorGroups": names("administrators-%d", 50),
		"breakGlassGroups": names("on-call-%d", 5), "jobAccounts": names("job-%d-*", 20), "namespaces": names("emr-jobs-of-team-%d", 100), "byLabel": true,
		"operators": names("system:serviceaccount:operators:operator-%d", 10), "allowedWebhooks": webhooks, "exemptions": exemptions,
		"caBundleWriters": names("system:serviceaccount:writers:writer-%d", 10),
	}
}

// webhooks is a configuration far larger than any product's, which reaches nothing of
// EMR's. n is the number of its webhooks.
func webhooks(kind string, n int) *unstructured.Unstructured {
	resources := []any{"services", "endpoints", "events", "limitranges", "nodes", "persistentvolumes", "resourcequotas", "secrets", "pods"}
	var list []any
	for i := range n {
		var rules []any
		for range 12 {
			rules = append(rules, map[string]any{
				"operations": []any{"CREATE", "UPDATE"}, "apiGroups": []any{"", "example.com", "other.example.com"}, "apiVersions": []any{"v1"}, "resources": resources,
			})
		}
		list = append(list, map[string]any{
			"name": fmt.Sprintf("w%d.example.com", i), "clientConfig": map[string]any{"url": "https://127.0.0.1:1/mutate"}, "rules": rules,
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "analytics"}},
		})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": map[string]any{"name": "large"}, "webhooks": list,
	}}
}

// spec is a MutatingAdmissionPolicy or its binding with as many rules.
func spec(kind, field string) *unstructured.Unstructured {
	hooks, _, _ := unstructured.NestedSlice(webhooks("", 40).Object, "webhooks")
	var rules []any
	for _, hook := range hooks {
		rules = append(rules, hook.(map[string]any)["rules"].([]any)...)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": map[string]any{"name": "large"},
		"spec": map[string]any{field: map[string]any{
			"resourceRules": rules, "namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "analytics"}},
		}},
	}}
}

func definition() *unstructured.Unstructured {
	properties := map[string]any{}
	for i := range 2000 {
		properties[fmt.Sprintf("field%d", i)] = map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"type": "string"}, "b": map[string]any{"type": "integer"}}}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "sparkapplications.sparkoperator.k8s.io"},
		"spec": map[string]any{"versions": []any{
			map[string]any{"name": "v1", "schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": properties}}},
		}},
	}}
}

// TestCost runs every policy on large objects, with long lists of values: neither an
// expression (PerCallLimit) nor a policy (RuntimeCELCostBudget) exceeds what the API
// server lets it cost, with room for more. 350000 of the cost is the question about the verb bypass. The API server estimates no cost of a policy
// when it is made: it counts while it runs, and whatever exceeds is refused.
func TestCost(t *testing.T) {
	t.Parallel()
	// A policy costs no more than this share of its budget.
	const share = 4
	objects := map[string]*unstructured.Unstructured{
		"mutatingwebhookconfigurations": webhooks("MutatingWebhookConfiguration", 40), "validatingwebhookconfigurations": webhooks("ValidatingWebhookConfiguration", 40),
		"mutatingadmissionpolicies": spec("MutatingAdmissionPolicy", "matchConstraints"), "mutatingadmissionpolicybindings": spec("MutatingAdmissionPolicyBinding", "matchResources"),
		"customresourcedefinitions": definition(),
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "emr-jobs-by-label"}}
	for _, p := range policy.All() {
		values := large()
		values["fullname"] = "large"
		c := mustCompile(t, &p, values)
		group, resource := p.Spec.MatchConstraints.ResourceRules[0].APIGroups[0], p.Spec.MatchConstraints.ResourceRules[0].Resources[0]
		for _, operation := range []admission.Operation{admission.Create, admission.Update, admission.Delete} {
			r := request{
				user: "system:serviceaccount:somewhere:an-account-with-a-long-name-of-its-own", groups: []string{"system:serviceaccounts", "system:serviceaccounts:somewhere", "system:authenticated"},
				operation: operation, resource: schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource}, object: objects[resource],
			}
			switch operation {
			case admission.Update:
				r.old = r.object.DeepCopy()
				r.object = r.object.DeepCopy()
				r.object.SetLabels(map[string]string{"a": "b"})
			case admission.Delete:
				r.object, r.old = nil, r.object
			}
			if !concerns(&p, &r) {
				continue
			}
			var params runtime.Object
			if p.Spec.ParamKind != nil {
				params = namespace
			}
			attributes := r.attributes()
			results, left, err := c.validations.ForInput(t.Context(), attributes, cel.CreateAdmissionRequest(attributes.Attributes, metav1.GroupVersionResource(r.resource), metav1.GroupVersionKind(attributes.VersionedKind)),
				cel.OptionalVariableBindings{VersionedParams: params, Authorizer: r.authorizer()}, nil, celconfig.RuntimeCELCostBudget)
			if err != nil {
				t.Errorf("%s, %s: %v", p.Path(), operation, err)
				continue
			}
			for _, result := range results {
				if result.Error != nil {
					t.Errorf("%s, %s: %v", p.Path(), operation, result.Error)
				}
			}
			cost := celconfig.RuntimeCELCostBudget - left
			t.Logf("%s, %s: %d of %d", p.Path(), operation, cost, celconfig.RuntimeCELCostBudget)
			if cost == 0 || cost > celconfig.RuntimeCELCostBudget/share {
				t.Errorf("%s, %s costs %d of %d", p.Path(), operation, cost, celconfig.RuntimeCELCostBudget)
			}
		}
	}
}
