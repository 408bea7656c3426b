package admissioncontrol

import "github.com/emrguard/emrguard/pkg/rule"

// The reasons of mutating-webhook. Those about a request take the user, what he does, and
// the names of what he does it to; an audit cannot tell who made a configuration. The
// policies of the chart say the same.
var (
	ForbiddenWebhook = rule.Reason{
		Name: "forbidden-webhook", Severity: rule.High, SkipOldComparison: true,
		Message: "\"%[1]s\" may not %[2]s mutating webhooks that reach pods, service accounts, ConfigMaps or workloads of managed namespaces, their labels, or reviews of access and tokens (%[3]s): " +
			"they could give EMR's pods another service account, and so another role, or somebody more rights. Only kubernetes.io/metadata.name in a namespaceSelector proves that a managed namespace is left out; " +
			"other labels, objectSelector and matchConditions do not",
		Remedy: limitIt,
	}
	ReservedName = rule.Reason{
		Name: "reserved-name", Severity: rule.High, SkipOldComparison: true,
		Message: "\"%[1]s\" may not %[2]s the MutatingWebhookConfiguration \"%[3]s\", which is reserved for %[4]s: pods may depend on it for their credentials",
		Remedy:  "leave it to those and to administrators",
	}
	existingWebhook = rule.Reason{
		Name: "existing-webhook", Severity: rule.Medium,
		Message: "the mutating webhook %[1]q reaches pods, service accounts, ConfigMaps or workloads of %[2]s, and could give EMR's pods another service account",
		Remedy:  "find out whose it is; limit it by a namespaceSelector, or list its name in rules.mutating-webhook.params.known",
	}
	webhookOnReviews = rule.Reason{
		Name: "webhook-on-reviews", Severity: rule.Medium,
		Message: "the mutating webhook %[1]q reaches reviews of access or tokens, and could give somebody more rights at kubelets and operators",
		Remedy:  "find out whose it is; limit its rules to the resources that it is for, or list its name in rules.mutating-webhook.params.known",
	}
)

const limitIt = "limit it by a namespaceSelector with kubernetes.io/metadata.name In the namespaces that it is for, or let an administrator install it"

// The reasons of mutating-admission-policy.
var (
	ForbiddenPolicy = rule.Reason{
		Name: "forbidden-policy", Severity: rule.Medium, SkipOldComparison: true,
		Message: "\"%[1]s\" may not %[2]s a %[3]s that reaches pods, service accounts, ConfigMaps or workloads of managed namespaces, their labels, or reviews of access and tokens: " +
			"it could give EMR's pods another service account, and so another role, or somebody more rights. Only kubernetes.io/metadata.name in a namespaceSelector proves that a managed namespace is left out; " +
			"other labels, objectSelector, excludeResourceRules and matchConditions do not",
		Remedy: limitIt,
	}
	unboundPolicy = rule.Reason{
		Name: "unbound-policy", Severity: rule.Medium,
		Message: "the policy is for pods, service accounts, ConfigMaps or workloads of %[1]s, and could give EMR's pods another service account once it is bound",
		Remedy:  limitPolicy,
	}
	bindingAtWork = rule.Reason{
		Name: "existing-binding", Severity: rule.Medium,
		Message: "the binding puts the policy %[2]q to work for pods, service accounts, ConfigMaps or workloads of %[1]s, and could give EMR's pods another service account",
		Remedy:  limitPolicy,
	}
	policyOnReviews = rule.Reason{
		Name: "policy-on-reviews", Severity: rule.Medium,
		Message: "it is for reviews of access or tokens, and could give somebody more rights at kubelets and operators",
		Remedy:  "find out whose it is; limit its rules to the resources that it is for, or list its name in rules.mutating-admission-policy.params.known",
	}
)

const limitPolicy = "find out whose it is; limit it by a namespaceSelector, or list its name in rules.mutating-admission-policy.params.known"

// The reasons of guard-protection, which nothing but a mode makes act.
var (
	ForbiddenChange = rule.Reason{
		Name: "forbidden-change", Severity: rule.High, OptIn: true, SkipOldComparison: true,
		Message: "\"%[1]s\" may not %[2]s \"%[3]s\", by which the API server asks emrguard",
		Remedy:  "let an administrator do it, or somebody with the verb bypass on validatingwebhookconfigurations of emrguard.dev",
	}
	failsOpen = rule.Reason{
		Name: "fails-open", Severity: rule.High, OptIn: true, Remedy: bringItBack,
		Message: "emrguard's entry %[1]q fails open: while emrguard cannot be reached, its namespaces are not protected",
	}
	objectSelector = rule.Reason{
		Name: "object-selector", Severity: rule.High, OptIn: true, Remedy: bringItBack,
		Message: "emrguard's entry %[1]q leaves objects out by their labels, which whoever makes them chooses",
	}
	foreignConditions = rule.Reason{
		Name: "match-conditions", Severity: rule.High, OptIn: true, Remedy: bringItBack,
		Message: "emrguard's entry %[1]q has conditions that emrguard did not write",
	}
	missingNamespace = rule.Reason{
		Name: "missing-namespace", Severity: rule.High, OptIn: true, Remedy: bringItBack,
		Message: "none of emrguard's entries is for the managed namespace %[1]q: nothing is judged there",
	}
	missingMetadata = rule.Reason{
		Name: "missing-metadata-entry", Severity: rule.High, OptIn: true, Remedy: bringItBack,
		Message: "none of emrguard's entries for metadata is for the managed namespace %[1]q: labels and annotations that are changed by a subresource are not judged there",
	}
)

const bringItBack = "let an administrator bring it back: `helm upgrade` does"
