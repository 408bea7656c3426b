package chart_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/report/openreports"
	"github.com/emrguard/emrguard/pkg/rules"
)

// The process may list what an audit reads, no less and no more, and Secrets not
// at all.
func TestAuditMayListWhatItReads(t *testing.T) {
	t.Parallel()
	role := object[rbacv1.ClusterRole](t, render(t, "helm3"), "ClusterRole/emrguard-audit")
	var got []schema.GroupResource
	for _, rule := range role.Rules {
		if !slices.Equal(rule.Verbs, []string{"list"}) || len(rule.ResourceNames) > 0 {
			t.Errorf("want the right to list and no other, got %+v", rule)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				got = append(got, schema.GroupResource{Group: group, Resource: resource})
			}
		}
	}
	want := audit.Kinds(rules.All())
	byName := func(a, b schema.GroupResource) int { return strings.Compare(a.String(), b.String()) }
	slices.SortFunc(got, byName)
	slices.SortFunc(want, byName)
	if !slices.Equal(got, want) {
		t.Errorf("run make generate:\ngot  %v\nwant %v", got, want)
	}
	if slices.Contains(got, schema.GroupResource{Resource: "secrets"}) {
		t.Error("the audit may list Secrets")
	}
}

func TestAuditOffTakesItsRightsAway(t *testing.T) {
	t.Parallel()
	rendered := render(t, "helm3", "--set", "audit.enabled=false,audit.reports=true")
	for key := range rendered {
		if strings.Contains(key, "/emrguard-audit") {
			t.Errorf("%s is rendered without an audit", key)
		}
	}
	if options := parseArguments(t, object[appsv1.Deployment](t, rendered, "Deployment/emrguard")); options.AuditInterval != 0 {
		t.Errorf("an audit runs every %s", options.AuditInterval)
	}
}

func TestAuditReportsByValue(t *testing.T) {
	t.Parallel()
	key := "ClusterRole/emrguard-audit-reports"
	if render(t, "helm3")[key] != nil {
		t.Errorf("%s is rendered without reports", key)
	}
	rendered := render(t, "helm3", "--set", "audit.reports=true")
	options := parseArguments(t, object[appsv1.Deployment](t, rendered, "Deployment/emrguard"))
	if !options.AuditReports || "ClusterRole/"+options.AuditReportsOwner != key {
		t.Errorf("want reports that %s owns, got %+v", key, options)
	}
	for _, rule := range object[rbacv1.ClusterRole](t, rendered, key).Rules {
		if len(rule.ResourceNames) > 0 && !slices.Equal(rule.ResourceNames, []string{openreports.Name}) {
			t.Errorf("reports of the name %s, of others' %v", openreports.Name, rule.ResourceNames)
		}
	}
}
