package main

import "github.com/emrguard/emrguard/test/harness"

// webhookRows are mutating webhooks. The API server shows them to no webhook: a
// ValidatingAdmissionPolicy of the chart answers.
func webhookRows() []row {
	identity := named("MutatingWebhookConfiguration", "", "pod-identity-webhook")
	identity.SetAPIVersion("admissionregistration.k8s.io/v1")
	return []row{
		{
			"alice", "mutating webhook for pods; an objectSelector seems to leave EMR's out", rbacPermissions, denied, "mutating-webhook", "",
			createFile(alice, "webhook-object-selector.yaml"),
		},
		{
			"alice", "kubectl delete mutatingwebhookconfiguration pod-identity-webhook (a dry run)", rbacPermissions, denied, "mutating-webhook", "",
			kubectl(alice, "delete", "mutatingwebhookconfiguration", identity.GetName(), "--dry-run=server"),
		},
		{
			"alice", "kubectl delete validatingwebhookconfiguration emrguard (a dry run)", rbacPermissions, denied, "guard-protection", "",
			kubectl(alice, "delete", "validatingwebhookconfiguration", harness.ReleaseName, "--dry-run=server"),
		},
		{
			"alice", "mutating webhook for pods of namespace analytics, by its name", scopeIsNarrow, allowed, "", "",
			createFile(alice, "webhook-elsewhere.yaml"),
		},
		{
			"ben", "another timeout for pod-identity-webhook", rbacPermissions, allowed, "", "",
			patchJSON(ben, identity, `[{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 5}]`,
				`[{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 10}]`),
		},
	}
}
