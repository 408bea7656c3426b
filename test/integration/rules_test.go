package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/test/harness"
)

// TestWebhookRules compares the webhook configuration that the API server has
// with what the rules read, both ways: what is missing is never judged, what is
// too much costs every such request a call for nothing.
func TestWebhookRules(t *testing.T) {
	live, err := cp.Clientset().AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), harness.ReleaseName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range live.Webhooks {
		w := &live.Webhooks[i]
		names = append(names, w.Name)
		t.Run(w.Name, func(t *testing.T) {
			isManaged, isMetadata := strings.HasPrefix(w.Name, "managed"), strings.HasSuffix(w.Name, "-metadata.emrguard.dev")
			var needed []string
			for _, target := range engine.Targets(rules.All(), !isManaged, true) {
				if target.Metadata != isMetadata {
					continue
				}
				// No namespaceSelector applies to cluster-scoped resources but
				// namespaces: one entry alone may name them.
				if resource, _, _ := strings.Cut(target.Resource, "/"); target.Cluster && resource != "namespaces" && w.Name != "cluster.emrguard.dev" {
					continue
				}
				needed = append(needed, ofTarget(target)...)
			}
			has := ofRules(t, w.Rules)
			slices.Sort(needed)
			slices.Sort(has)
			for _, r := range needed {
				if !slices.Contains(has, r) {
					t.Errorf("the rules read %s, the webhook configuration lacks it", r)
				}
			}
			for i, r := range has {
				if !slices.Contains(needed, r) {
					t.Errorf("the webhook configuration names %s, which no rule reads", r)
				}
				if i > 0 && has[i-1] == r {
					t.Errorf("the webhook configuration names %s twice", r)
				}
			}
		})
	}
	slices.Sort(names)
	if want := []string{
		"cluster-metadata.emrguard.dev", "cluster.emrguard.dev", "managed-label-metadata.emrguard.dev", "managed-label.emrguard.dev",
		"managed-metadata.emrguard.dev", "managed.emrguard.dev",
	}; !slices.Equal(names, want) {
		t.Errorf("the entries are %q, want %q", names, want)
	}
}

// one writes a resource and operation in the way in which both sides are
// compared.
func one(group, version, resource, scope, operation string) string {
	return fmt.Sprintf("%s %s/%s %s (%s)", operation, group, version, resource, scope)
}

func ofTarget(t rule.Target) []string {
	scope := "Namespaced"
	if t.Cluster {
		scope = "Cluster"
	}
	var list []string
	for _, op := range t.Operations {
		list = append(list, one(t.Group, t.Version, t.Resource, scope, string(op)))
	}
	return list
}

func ofRules(t *testing.T, list []admissionregistrationv1.RuleWithOperations) []string {
	t.Helper()
	var all []string
	for _, r := range list {
		scope := "*"
		if r.Scope != nil {
			scope = string(*r.Scope)
		}
		for _, group := range r.APIGroups {
			for _, version := range r.APIVersions {
				for _, resource := range r.Resources {
					for _, op := range r.Operations {
						all = append(all, one(group, version, resource, scope, string(op)))
					}
				}
			}
		}
	}
	return all
}

// TestTargetsExist proves that the API server serves what the rules read: a
// misspelt resource would match nothing and be compared equal all the same.
func TestTargetsExist(t *testing.T) {
	for _, target := range engine.Targets(rules.All(), false, true) {
		served, err := cp.Clientset().Discovery().ServerResourcesForGroupVersion(schemaOf(target))
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		i := slices.IndexFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == target.Resource })
		switch {
		case i < 0:
			t.Errorf("%s has no resource %s", served.GroupVersion, target.Resource)
		case served.APIResources[i].Namespaced == target.Cluster:
			t.Errorf("%s: the scope is wrong", target)
		}
	}
}

func schemaOf(t rule.Target) string {
	if t.Group == "" {
		return t.Version
	}
	return t.Group + "/" + t.Version
}
