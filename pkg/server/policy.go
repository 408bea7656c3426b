package server

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
	"github.com/emrguard/emrguard/pkg/scope"
)

// PolicyData is what the chart's ValidatingAdmissionPolicies share with the rules:
// the chart renders its expressions from it.
type PolicyData struct {
	// Modes are the default modes of the rules that the policies enforce.
	Modes map[string]rule.Action `json:"modes"`
	// AdministratorGroups and BreakGlassGroups are the defaults of the configuration.
	AdministratorGroups []string `json:"administratorGroups"`
	BreakGlassGroups    []string `json:"breakGlassGroups"`
	// Deleters are the controllers whose deletions are never refused.
	Deleters []string `json:"deleters"`
	// AllowedWebhooks is the default of mutating-webhook's parameter `allowed`.
	AllowedWebhooks []admissioncontrol.AllowedWebhook `json:"allowedWebhooks"`
	// CABundleWriters is the default of guard-protection's parameter.
	CABundleWriters []string `json:"caBundleWriters"`
	// Operations and Reaches say which entries can change what EMR runs.
	Operations []string                 `json:"operations"`
	Reaches    []admissioncontrol.Reach `json:"reaches"`
	// Definitions are the CustomResourceDefinitions of what the rules read.
	Definitions []string `json:"definitions"`
	// MetadataConditions are the matchConditions of the webhook's entries for
	// subresources of which only changed metadata matters.
	MetadataConditions []admissionregistrationv1.MatchCondition `json:"metadataConditions"`
	// DeletionConditions are the matchConditions of all other entries of the webhook.
	DeletionConditions []admissionregistrationv1.MatchCondition `json:"deletionConditions"`
}

// Policy collects the data of the policies.
func Policy() PolicyData {
	defaults := config.Default()
	data := PolicyData{
		Modes:               map[string]rule.Action{},
		AdministratorGroups: defaults.Administrators.Groups,
		BreakGlassGroups:    defaults.BreakGlass.Groups,
		Deleters:            scope.Deleters(),
		AllowedWebhooks:     admissioncontrol.DefaultAllowedWebhooks(),
		CABundleWriters:     admissioncontrol.DefaultCABundleWriters(),
		Operations:          admissioncontrol.MutatingOperations(),
		Reaches:             admissioncontrol.Reaches(),
		Definitions:         object.Definitions(),
		MetadataConditions:  admissioncontrol.MetadataConditions(),
		DeletionConditions:  admissioncontrol.DeletionConditions(),
	}
	for _, r := range rules.All() {
		switch r.ID {
		case "mutating-webhook", "mutating-admission-policy", "guard-protection":
			data.Modes[r.ID] = r.Default
		}
	}
	return data
}
