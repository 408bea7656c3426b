package object

// facts are the resources that rules and scope look up.
var facts = map[string]bool{
	"namespaces":                                                   true,
	"serviceaccounts":                                              true,
	"roles.rbac.authorization.k8s.io":                              true,
	"rolebindings.rbac.authorization.k8s.io":                       true,
	"clusterroles.rbac.authorization.k8s.io":                       true,
	"clusterrolebindings.rbac.authorization.k8s.io":                true,
	"networkpolicies.networking.k8s.io":                            true,
	"ingressclasses.networking.k8s.io":                             true,
	"ingresses.networking.k8s.io":                                  true,
	"ingressclassparams.elbv2.k8s.aws":                             true,
	"ingressclassparams.eks.amazonaws.com":                         true,
	"gatewayclasses.gateway.networking.k8s.io":                     true,
	"loadbalancerconfigurations.gateway.k8s.aws":                   true,
	"flinkdeployments.flink.apache.org":                            true,
	"virtualclusters.emrcontainers.services.k8s.aws":               true,
	"roles.iam.services.k8s.aws":                                   true,
	"policies.iam.services.k8s.aws":                                true,
	"podidentityassociations.eks.services.k8s.aws":                 true,
	"mutatingadmissionpolicies.admissionregistration.k8s.io":       true,
	"mutatingadmissionpolicybindings.admissionregistration.k8s.io": true,
}

// IsFact reports whether rules or scope look objects of the kind up: a picture of a
// cluster or of files holds all of them. There are few objects of each.
func (r Resource) IsFact() bool { return facts[r.GroupResource().String()] }
