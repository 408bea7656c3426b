package server

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/policy"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
)

// PolicyData is what the chart takes from the rules besides their webhook entries and the
// policies that pkg/policy writes.
type PolicyData struct {
	// Modes are the default modes of the rules that the policies enforce.
	Modes map[string]rule.Action `json:"modes"`
	// Reasons are those of the rules for which a policy refuses: what the requester does.
	// Others are about what exists, which only audits see.
	Reasons map[string][]string `json:"reasons"`
	// MetadataConditions are the matchConditions of the webhook's entries for
	// subresources of which only changed metadata matters.
	MetadataConditions []admissionregistrationv1.MatchCondition `json:"metadataConditions"`
	// DeletionConditions are the matchConditions of all other entries of the webhook.
	DeletionConditions []admissionregistrationv1.MatchCondition `json:"deletionConditions"`
}

// Policy collects the data of the policies.
func Policy() PolicyData {
	data := PolicyData{
		Modes:              map[string]rule.Action{},
		Reasons:            map[string][]string{},
		MetadataConditions: admissioncontrol.MetadataConditions(),
		DeletionConditions: admissioncontrol.DeletionConditions(),
	}
	enforced := map[string]bool{}
	for _, p := range policy.All() {
		enforced[p.Rule] = true
	}
	for _, r := range rules.All() {
		if enforced[r.ID] {
			data.Modes[r.ID] = r.Action(rule.Strict)
			for _, reason := range r.Reasons {
				if reason.SkipOldComparison {
					data.Reasons[r.ID] = append(data.Reasons[r.ID], reason.Name)
				}
			}
		}
	}
	return data
}
