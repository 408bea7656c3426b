// Package rules holds the rules of Amazon's guides, one file each. They are
// pure functions of a request and a read-only cluster: no rule has a client, a
// clock or a mode.
package rules

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/rule"
)

// All returns every rule, in the order of the guide.
func All() []rule.Rule {
	return slices.Concat([]rule.Rule{
		kube2iamAnnotation(),
		staticCredentials(),
		instanceProfile(),
		irsaCredentials(),
		roleARNOverride(),
		kube2iamDaemonSet(),
		managedServiceAccount(),
		serviceAccountHijack(),
		tokenRequest(),
		podTemplateConfigMap(),
		podExec(),
		namespaceWriters(),
		managedNamespaceScope(),
	}, rbacRules(), webhookRules(), isolationRules(), endpointRules(), imageRules(), nodeRules(), leastPrivilegeRules())
}

// webhookRules are about who may change what others send to the API server.
func webhookRules() []rule.Rule {
	return []rule.Rule{mutatingWebhook(), mutatingAdmissionPolicy(), guardProtection()}
}

// isolationRules keep execution roles of different privilege apart.
func isolationRules() []rule.Rule { return []rule.Rule{roleIsolation(), crossNamespaceRole()} }

// endpointRules are the rules on what can be reached from elsewhere.
func endpointRules() []rule.Rule { return []rule.Rule{endpointExposure()} }

// imageRules judge where images come from and how old they are.
func imageRules() []rule.Rule { return []rule.Rule{imageRegistry(), imageRelease(), imageMutableTag()} }

// The sections of the guide.
const emrGuide = "https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security-best-practices.html"

var (
	guidePodCredentials = rule.Guide{Section: "Restrict pod credential access", Address: emrGuide}
	guideRBAC           = rule.Guide{Section: "Role-based access control (RBAC) permissions", Address: emrGuide}
	guideUntrustedCode  = rule.Guide{Section: "Isolate untrusted application code", Address: emrGuide}
	guideEndpoints      = rule.Guide{Section: "Access control list for endpoints", Address: emrGuide}
	guideImages         = rule.Guide{Section: "Get the latest security updates for custom images", Address: emrGuide}
	guideNode           = rule.Guide{Section: "Restrict access to node group IAM role or instance profile credentials", Address: emrGuide}
	guideLeastPrivilege = rule.Guide{Section: "Apply principle of least privilege", Address: emrGuide}
)
