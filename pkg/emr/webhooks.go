package emr

// EKSUsers is the pattern of the users as which EKS itself acts in a cluster: its
// control plane and the manager of its add-ons. EKS lets nobody else have a name
// that begins so.
const EKSUsers = "eks:*"

// EKSWebhooks returns the names of the MutatingWebhookConfigurations that EKS
// itself puts into a cluster: for IRSA and Pod Identity, security groups for pods,
// Fargate, and the load balancers of Auto Mode.
func EKSWebhooks() []string {
	return []string{
		"pod-identity-webhook",
		"vpc-resource-mutating-webhook",
		"0500-amazon-eks-fargate-mutation.amazonaws.com",
		"eks-load-balancing-webhook",
	}
}
