// Package rules lists the rules of Amazon's guides. They are in packages by topic, one
// file a rule, and are pure functions of a request and a read-only cluster: no rule has
// a client, a clock or a mode.
//
// The comment above a rule quotes its guide in our translation, and names the fields that
// the rule reads and what it allows. The documentation of the rule is the Markdown file
// beside it.
package rules

import (
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/accounts"
	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
	"github.com/emrguard/emrguard/pkg/rules/credentials"
	"github.com/emrguard/emrguard/pkg/rules/grants"
	"github.com/emrguard/emrguard/pkg/rules/images"
	"github.com/emrguard/emrguard/pkg/rules/network"
	"github.com/emrguard/emrguard/pkg/rules/nodes"
	"github.com/emrguard/emrguard/pkg/rules/tenancy"
)

// All returns every rule, in the order of the guide.
func All() []rule.Rule {
	list := []rule.Rule{
		credentials.Kube2IAMAnnotation(),
		credentials.StaticAWSCredentials(),
		nodes.InstanceProfileAccess(),
		credentials.IRSA(),
		credentials.RoleARNOverride(),
		credentials.Kube2IAMDaemonSet(),
		accounts.ManagedServiceAccount(),
		accounts.ServiceAccountHijack(),
		accounts.TokenRequest(),
		accounts.PodTemplateConfigMap(),
		accounts.PodExec(),
		tenancy.NamespaceWriters(),
		tenancy.ManagedNamespaceScope(),
		grants.ConfigMapWrite(),
		grants.PodExec(),
		grants.PodCreate(),
		grants.MutatingWebhook(),
		grants.SecretRead(),
		grants.Escalation(),
		grants.GuardNamespaces(),
		grants.LatentGrant(),
		admissioncontrol.MutatingWebhook(),
		admissioncontrol.MutatingAdmissionPolicy(),
		admissioncontrol.GuardProtection(),
		tenancy.ExecutionRoleIsolation(),
		tenancy.CrossNamespaceRole(),
		network.EndpointExposure(),
		images.Registry(),
		images.Release(),
		images.MutableTag(),
		network.IMDSNetworkPolicy(),
		nodes.VPCCNICredentials(),
		nodes.KarpenterInstanceMetadata(),
		credentials.ExecutionRolePolicy(),
	}
	for i := range list {
		list[i].Doc = strings.TrimSpace(list[i].Doc) // a file ends with the end of its line
	}
	return list
}
