package webhook

import (
	"slices"

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
	// managed by the marks that EMR leaves.
	Cluster []admissionregistrationv1.RuleWithOperations `json:"cluster"`
	// ClusterOnly is for all other namespaces when they are not discovered.
	ClusterOnly []admissionregistrationv1.RuleWithOperations `json:"clusterWithoutDiscovery"`
}

// Rules derives the webhook configuration from the rules.
func Rules(list []rule.Rule) RuleSet {
	return RuleSet{
		Managed:     admissionRules(inNamespaces(engine.Targets(list, false, true))),
		Cluster:     admissionRules(engine.Targets(list, true, true)),
		ClusterOnly: admissionRules(engine.Targets(list, true, false)),
	}
}

// inNamespaces drops what no namespace holds. The API server applies a selector of
// namespaces to Namespaces themselves, and ignores it for everything else that has
// none: such requests belong to one entry, that of the whole cluster.
func inNamespaces(targets []rule.Target) []rule.Target {
	return slices.DeleteFunc(targets, func(t rule.Target) bool { return t.Cluster && t.Resource != "namespaces" })
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
