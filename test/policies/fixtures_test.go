package policies

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apiserver/pkg/admission"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/policy"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/test/fixtures"
)

// TestFixtures sends the fixtures of the rules that policies enforce through the
// policies: those of the chart, or, where nothing else sees such objects, those for the
// files of an API server.
func TestFixtures(t *testing.T) {
	t.Parallel()
	list, err := fixtures.Load()
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]int{}
	for _, f := range list {
		var policies []policy.Policy
		for _, p := range policy.All() {
			if p.Rule == f.Rule && p.Static == (f.Rule == "mutating-admission-policy") {
				policies = append(policies, p)
			}
		}
		// Which policies there are follows from the mode, which is not theirs to know.
		if len(policies) == 0 || f.Audit || isOff(f) {
			continue
		}
		tried[f.Rule]++
		t.Run(f.Path(), func(t *testing.T) {
			t.Parallel()
			compareFixture(t, f, policies)
		})
	}
	for _, p := range policy.All() {
		if tried[p.Rule] == 0 {
			t.Errorf("there is no fixture of rule %s", p.Rule)
		}
	}
}

// isOff reports whether the fixture passes because its rule does nothing.
func isOff(f *fixtures.Fixture) bool {
	switch f.Name {
	case "mode-off", "off-by-default", "override-of-everything":
		return true
	}
	return false
}

func compareFixture(t *testing.T, f *fixtures.Fixture, policies []policy.Policy) {
	t.Helper()
	r := requestOf(t, f)
	found := map[string][]string{}
	for _, judges := range []string{policy.Others, policy.BreakGlass, policy.Everybody} {
		for i := range policies {
			p := &policies[i]
			if !concerns(p, r) {
				continue
			}
			c := mustCompile(t, p, valuesOf(t, f, judges))
			if p.Spec.ParamKind == nil {
				found[judges] = append(found[judges], c.ask(t, r, nil)...)
				continue
			}
			for _, namespace := range labelled(f) {
				found[judges] = append(found[judges], c.ask(t, r, namespace)...)
			}
		}
	}
	who := policy.Others
	if has(f.Groups, config.DefaultBreakGlassGroup) {
		who = policy.BreakGlass
	}
	for judges, findings := range found {
		want := !f.Pass && (judges == who || judges == policy.Everybody)
		if want != (len(findings) > 0) {
			t.Errorf("the policy that judges %s finds %q", judges, findings)
		}
		for _, text := range findings {
			if !strings.HasPrefix(text, "["+f.Rule+"/") || !strings.Contains(text, f.Message) {
				t.Errorf("the message is %q, want [%s] and %q", text, f.Rule, f.Message)
			}
		}
	}
}

func requestOf(t *testing.T, f *fixtures.Fixture) *request {
	t.Helper()
	resource, err := f.Resource()
	if err != nil {
		t.Fatal(err)
	}
	r := &request{user: f.User, groups: f.Groups, operation: admission.Operation(f.Operation), object: f.Object, old: f.Old}
	r.resource.Group, r.resource.Version, r.resource.Resource = resource.Group, f.Object.GroupVersionKind().Version, resource.Resource
	if f.Operation == rule.Delete {
		r.object, r.old = nil, f.Object
	}
	return r
}

// labelled are the namespaces that are managed by their label.
func labelled(f *fixtures.Fixture) (list []*corev1.Namespace) {
	for _, obj := range f.Given {
		if obj.GetKind() == "Namespace" && obj.GetLabels()[fixtures.ScopeLabel] == "true" {
			list = append(list, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: obj.GetName(), Labels: obj.GetLabels()}})
		}
	}
	return list
}

// valuesOf are the values that the configuration of a fixture gives to the policies.
func valuesOf(t *testing.T, f *fixtures.Fixture, judges string) map[string]any {
	t.Helper()
	conf := fixtures.ConfigOf(f.Config)
	selector, _, err := unstructured.NestedFieldNoCopy(conf, "emr", "namespaceSelector")
	if err != nil {
		t.Fatal(err)
	}
	labels, _ := selector.(map[string]any)
	values := map[string]any{"judges": judges, "byLabel": len(labels) > 0, "fullname": "emr-jobs-guard"}
	for name, path := range map[string][]string{
		"administratorUsers": {"administrators", "users"}, "administratorGroups": {"administrators", "groups"}, "breakGlassGroups": {"breakGlass", "groups"},
		"jobAccounts": {"emr", "principals", "jobAccounts"}, "operators": {"emr", "principals", "operators"}, "namespaces": {"emr", "namespaces"},
		"caBundleWriters": {"rules", "guard-protection", "params", "caBundleWriters"},
	} {
		if list, ok, err := unstructured.NestedStringSlice(conf, path...); err != nil {
			t.Fatal(err)
		} else if ok {
			values[name] = list
		}
	}
	allowed, exemptions := []map[string]any{}, []map[string]any{}
	entries, _, err := unstructured.NestedSlice(conf, "rules", "mutating-webhook", "params", "allowed")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		a := entry.(map[string]any)
		allowed = append(allowed, map[string]any{"names": []any{a["name"]}, "users": a["users"]})
	}
	if entries, _, err = unstructured.NestedSlice(conf, "exemptions"); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		e := entry.(map[string]any)
		exemption := map[string]any{"object": "*", "user": "*"}
		for _, key := range []string{"object", "user"} {
			if value, ok := e[key]; ok {
				exemption[key] = value
			}
		}
		if namespace, ok := e["namespace"].(string); e["rule"] == f.Rule && (!ok || strings.Trim(namespace, "*") == "") {
			exemptions = append(exemptions, exemption)
		}
	}
	values["allowedWebhooks"], values["exemptions"] = allowed, exemptions
	return values
}
