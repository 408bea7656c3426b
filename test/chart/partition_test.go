package chart_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
)

// scopeValues are the values that decide about the division of namespaces.
type scopeValues struct {
	EMR struct {
		Namespaces        []string              `json:"namespaces"`
		NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector"`
	} `json:"emr"`
	Webhook struct {
		ExcludedNamespaces []string `json:"excludedNamespaces"`
	} `json:"webhook"`
}

// The entries of the webhook configuration divide all namespaces exactly: each
// is in one entry, and in one for changed metadata, which fail closed if and only if it
// is managed, and excluded namespaces are in none.
func TestNamespacesAreDividedExactly(t *testing.T) {
	t.Parallel()
	selections := []string{
		`{}`,
		`{emr: {namespaces: [emr-jobs]}}`,
		`{emr: {namespaceSelector: {matchLabels: {platform: emr}}}}`,
		`{emr: {namespaces: [emr-jobs], namespaceSelector: {matchLabels: {platform: emr}}}}`,
		`{emr: {namespaceSelector: {matchLabels: {platform: emr, stage: prod, team: a}}}}`,
		`{emr: {namespaceSelector: {matchExpressions: [{key: team, operator: Exists}]}}}`,
		`{emr: {namespaceSelector: {matchExpressions: [{key: sandbox, operator: DoesNotExist}]}}}`,
		`{emr: {namespaceSelector: {matchExpressions: [{key: stage, operator: NotIn, values: [prod, a]}]}}}`,
		// The same key twice, and a selection that nothing satisfies.
		`{emr: {namespaceSelector: {matchLabels: {stage: prod}, matchExpressions: [{key: stage, operator: In, values: [prod, a]}, {key: stage, operator: Exists}]}}}`,
		`{emr: {namespaceSelector: {matchExpressions: [{key: team, operator: Exists}, {key: team, operator: DoesNotExist}]}}}`,
		// By the label of the name, also of excluded namespaces.
		`{emr: {namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [emr-jobs, kube-system]}]}}}`,
		`{emr: {namespaces: [emr-jobs, emr-adhoc], namespaceSelector: {matchLabels: {platform: emr}, matchExpressions: [{key: stage, operator: In, values: [prod, a]}, {key: team, operator: Exists}, {key: sandbox, operator: DoesNotExist}, {key: tier, operator: NotIn, values: [a]}]}}, webhook: {excludedNamespaces: [monitoring]}}`,
	}
	names := []string{"emr-jobs", "emr-adhoc", "default", "monitoring", "kube-system", releaseNamespace}
	// Without the label, with values that the selections name, and with another.
	universe := combinations(map[string][]string{
		"platform": {"", "emr", "other"},
		"stage":    {"", "prod", "a", "other"},
		"team":     {"", "a"},
		"sandbox":  {"", "yes"},
		"tier":     {"", "a", "other"},
	})
	for _, selection := range selections {
		entries := webhooks(t, render(t, "helm3", "--values", writeValues(t, selection)))
		selectors := make([]labels.Selector, len(entries))
		for i, entry := range entries {
			selectors[i] = selector(t, entry.NamespaceSelector)
		}
		var values scopeValues
		if err := yaml.Unmarshal([]byte(selection), &values); err != nil {
			t.Fatal(err)
		}
		byLabel := labels.Nothing()
		if values.EMR.NamespaceSelector != nil {
			byLabel = selector(t, values.EMR.NamespaceSelector)
		}
		excluded := append([]string{"kube-system", releaseNamespace}, values.Webhook.ExcludedNamespaces...)
		for _, name := range names {
			for _, set := range universe {
				namespace := labels.Merge(set, labels.Set{"kubernetes.io/metadata.name": name})
				managed := slices.Contains(values.EMR.Namespaces, name) || byLabel.Matches(namespace)
				want := []string{"Ignore"}
				switch {
				case slices.Contains(excluded, name):
					want = nil
				case managed:
					want = []string{"Fail"}
				}
				got := map[bool][]string{}
				for i, entry := range entries {
					if selectors[i].Matches(namespace) {
						metadata := isForMetadata(&entry)
						got[metadata] = append(got[metadata], string(*entry.FailurePolicy))
					}
				}
				if !slices.Equal(got[false], want) || !slices.Equal(got[true], want) {
					t.Fatalf("%s: namespace %v is in the entries %v, want %v", selection, namespace, got, want)
				}
			}
		}
	}
}

// isForMetadata reports whether an entry is for subresources of which only changed
// metadata matters.
func isForMetadata(entry *admissionregistrationv1.ValidatingWebhook) bool {
	return strings.HasSuffix(entry.Name, "-metadata.emrguard.dev")
}

// The entries for changed metadata have the conditions of the rules. Those of everything
// else leave out what nobody judges of the deletions of Pods, and nothing more.
func TestConditionsOfEntries(t *testing.T) {
	t.Parallel()
	for _, entry := range webhooks(t, render(t, "helm3", "--values", chart+"/ci/selector-values.yaml")) {
		want := admissioncontrol.DeletionConditions()
		if isForMetadata(&entry) {
			want = admissioncontrol.MetadataConditions()
		}
		if !slices.Equal(entry.MatchConditions, want) {
			t.Errorf("%s has the conditions %v, want those of the rules: %v", entry.Name, entry.MatchConditions, want)
		}
		if !isForMetadata(&entry) {
			continue
		}
		for _, r := range entry.Rules {
			for _, resource := range r.Resources {
				if !strings.Contains(resource, "/") && resource != "bindings" {
					t.Errorf("%s is for %s, of which more than metadata matters", entry.Name, resource)
				}
			}
		}
	}
}

func selector(t *testing.T, from *metav1.LabelSelector) labels.Selector {
	t.Helper()
	converted, err := metav1.LabelSelectorAsSelector(from)
	if err != nil {
		t.Fatalf("selector %v: %v", from, err)
	}
	return converted
}

// combinations answers every label set; "" stands for a label that is missing.
func combinations(values map[string][]string) []labels.Set {
	sets := []labels.Set{{}}
	for key, choices := range values {
		var next []labels.Set
		for _, set := range sets {
			for _, choice := range choices {
				if choice == "" {
					next = append(next, set)
				} else {
					next = append(next, labels.Merge(set, labels.Set{key: choice}))
				}
			}
		}
		sets = next
	}
	return sets
}

// mixedRules name cluster-scoped resources in every way that the webhook rules
// of Kubernetes allow.
const mixedRules = `
managed: &rules
- apiGroups: [""]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [pods, namespaces, persistentvolumes]
- apiGroups: [rbac.authorization.k8s.io]
  apiVersions: [v1]
  operations: [CREATE]
  resources: [clusterroles]
  scope: Cluster
- apiGroups: [rbac.authorization.k8s.io]
  apiVersions: [v1]
  operations: [CREATE]
  resources: [roles]
  scope: Namespaced
cluster: *rules
clusterWithoutDiscovery:
- apiGroups: [""]
  apiVersions: [v1]
  operations: [CREATE]
  resources: [pods, nodes]
`

// chartWithRules copies the chart with other webhook rules.
func chartWithRules(t *testing.T, lists string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "emrguard")
	if err := os.CopyFS(folder, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "files/webhook-rules.yaml"), []byte(lists), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// A namespaceSelector does not hold for cluster-scoped objects other than
// namespaces, so one entry alone may name them, and that one fails open.
func TestClusterScopedResourcesAreInOneEntry(t *testing.T) {
	t.Parallel()
	folder := chartWithRules(t, mixedRules)
	for _, entry := range webhooks(t, renderFolder(t, "helm3", folder, "--values", chart+"/ci/selector-values.yaml")) {
		var got []string
		for _, rule := range entry.Rules {
			scope := admissionregistrationv1.AllScopes
			if rule.Scope != nil {
				scope = *rule.Scope
			}
			got = append(got, fmt.Sprintf("%s %s", scope, strings.Join(rule.Resources, ",")))
		}
		want := []string{"Namespaced pods,persistentvolumes", "Cluster namespaces", "Namespaced roles"}
		if entry.Name == "cluster.emrguard.dev" {
			want = []string{"* pods,namespaces,persistentvolumes", "Cluster clusterroles", "Namespaced roles"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", entry.Name, got, want)
		}
	}
}

// Without discovery fewer kinds are of interest outside of managed namespaces;
// inside nothing changes.
func TestWithoutDiscovery(t *testing.T) {
	t.Parallel()
	folder := chartWithRules(t, mixedRules)
	values := []string{"--values", chart + "/ci/selector-values.yaml"}
	with := webhooks(t, renderFolder(t, "helm3", folder, values...))
	without := webhooks(t, renderFolder(t, "helm3", folder, append(values, "--set", "emr.discover=false")...))
	if len(with) != len(without) {
		t.Fatalf("%d entries with discovery, %d without", len(with), len(without))
	}
	for i, entry := range without {
		if *entry.FailurePolicy == admissionregistrationv1.Fail {
			if !reflect.DeepEqual(entry, with[i]) {
				t.Errorf("%s differs", entry.Name)
			}
			continue
		}
		want := []string{"pods", "nodes"}
		if len(entry.Rules) != 1 || !slices.Equal(entry.Rules[0].Resources, want) {
			t.Errorf("%s: want %v, got %+v", entry.Name, want, entry.Rules)
		}
	}
}

// The chart's own rules leave nothing cluster-scoped to the managed entries
// that the others would not get: what is cut there must be in the cluster list.
func TestRulesFile(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(chart + "/files/webhook-rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string][]admissionregistrationv1.RuleWithOperations
	if err := yaml.UnmarshalStrict(content, &lists); err != nil {
		t.Fatalf("files/webhook-rules.yaml: %v", err)
	}
	for _, list := range []string{"managed", "cluster", "clusterWithoutDiscovery", "managedMetadata", "clusterMetadata", "clusterWithoutDiscoveryMetadata"} {
		if len(lists[list]) == 0 {
			t.Errorf("files/webhook-rules.yaml: the list %s is empty", list)
		}
	}
	if len(lists) != 6 {
		t.Errorf("files/webhook-rules.yaml: there are lists that the chart does not use: %v", slices.Sorted(maps.Keys(lists)))
	}
	for list, entries := range lists {
		for _, rule := range entries {
			if rule.Scope == nil {
				t.Errorf("%s: %v has no scope: say Namespaced or Cluster", list, rule.Resources)
			}
			for _, word := range slices.Concat(rule.APIGroups, rule.APIVersions, rule.Resources) {
				if strings.Contains(word, "*") {
					t.Errorf("%s: %v has a wildcard", list, rule.Resources)
				}
			}
			if strings.HasPrefix(list, "managed") && rule.Scope != nil && *rule.Scope == admissionregistrationv1.ClusterScope && !strings.HasPrefix(rule.Resources[0], "namespaces") {
				t.Errorf("managed: %v are cluster-scoped, and never belong to a managed namespace: list them under cluster", rule.Resources)
			}
		}
	}
}
