package rules

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/rule"
)

// nodeRules are the rules on the credentials of nodes.
func nodeRules() []rule.Rule {
	return []rule.Rule{imdsNetworkPolicy(), vpcCNICredentials(), karpenterInstanceMetadata()}
}

// leastPrivilegeRules are the rules on what execution roles may do.
func leastPrivilegeRules() []rule.Rule { return []rule.Rule{executionRolePolicy()} }

// What these rules look up.
var (
	networkPolicies         = schema.GroupResource{Group: "networking.k8s.io", Resource: "networkpolicies"}
	iamRoles                = schema.GroupResource{Group: "iam.services.k8s.aws", Resource: "roles"}
	iamPolicies             = schema.GroupResource{Group: "iam.services.k8s.aws", Resource: "policies"}
	podIdentityAssociations = schema.GroupResource{Group: "eks.services.k8s.aws", Resource: "podidentityassociations"}
)
