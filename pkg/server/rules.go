package server

import (
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
)

// RuleSet is what the entries of the webhook configuration have to name, so that
// the API server sends what the rules read and nothing else.
type RuleSet struct {
	// Managed is for managed namespaces.
	Managed []admissionregistrationv1.RuleWithOperations `json:"managed"`
	// Cluster is for all other namespaces, among which some may turn out to be
	// managed by the indicators that EMR leaves.
	Cluster []admissionregistrationv1.RuleWithOperations `json:"cluster"`
	// ClusterOnly is for all other namespaces when they are not discovered.
	ClusterOnly []admissionregistrationv1.RuleWithOperations `json:"clusterWithoutDiscovery"`
	// The same for the subresources of which only changed metadata matters: they have
	// entries of their own, with matchConditions.
	ManagedMetadata     []admissionregistrationv1.RuleWithOperations `json:"managedMetadata"`
	ClusterMetadata     []admissionregistrationv1.RuleWithOperations `json:"clusterMetadata"`
	ClusterOnlyMetadata []admissionregistrationv1.RuleWithOperations `json:"clusterWithoutDiscoveryMetadata"`
}

// Rules derives the webhook configuration from the rules.
func Rules(list []rule.Rule) RuleSet {
	managed, managedMetadata := divide(inNamespaces(engine.Targets(list, false, true)))
	cluster, clusterMetadata := divide(engine.Targets(list, true, true))
	clusterOnly, clusterOnlyMetadata := divide(engine.Targets(list, true, false))
	return RuleSet{
		Managed: managed, Cluster: cluster, ClusterOnly: clusterOnly,
		ManagedMetadata: managedMetadata, ClusterMetadata: clusterMetadata, ClusterOnlyMetadata: clusterOnlyMetadata,
	}
}

// divide sets apart of which targets only changed metadata matters.
func divide(targets []rule.Target) (whole, metadata []admissionregistrationv1.RuleWithOperations) {
	var a, b []rule.Target
	for _, t := range targets {
		if t.Metadata {
			b = append(b, t)
		} else {
			a = append(a, t)
		}
	}
	return admissionRules(a), admissionRules(b)
}

// inNamespaces drops what no namespace holds. The API server applies a selector of
// namespaces to Namespaces themselves, and ignores it for everything else that has
// none: such requests belong to one entry, that of the whole cluster.
func inNamespaces(targets []rule.Target) []rule.Target {
	return slices.DeleteFunc(targets, func(t rule.Target) bool {
		return t.Cluster && t.Resource != "namespaces" && !strings.HasPrefix(t.Resource, "namespaces/")
	})
}

// admissionRules writes targets as entries, those of one group, scope and set of
// operations together.
func admissionRules(targets []rule.Target) []admissionregistrationv1.RuleWithOperations {
	var list []admissionregistrationv1.RuleWithOperations
	for _, t := range targets {
		scope := admissionregistrationv1.NamespacedScope
		if t.Cluster {
			scope = admissionregistrationv1.ClusterScope
		}
		entry := admissionregistrationv1.RuleWithOperations{
			Rule: admissionregistrationv1.Rule{APIGroups: []string{t.Group}, APIVersions: []string{t.Version}, Resources: []string{t.Resource}, Scope: &scope},
		}
		for _, op := range t.Operations {
			entry.Operations = append(entry.Operations, admissionregistrationv1.OperationType(op))
		}
		i := slices.IndexFunc(list, func(other admissionregistrationv1.RuleWithOperations) bool {
			return other.APIGroups[0] == t.Group && other.APIVersions[0] == t.Version && *other.Scope == scope && slices.Equal(other.Operations, entry.Operations)
		})
		if i < 0 {
			list = append(list, entry)
			continue
		}
		list[i].Resources = append(list[i].Resources, t.Resource)
	}
	return list
}
