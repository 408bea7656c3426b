package object

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EC2NodeClass has the fields of `karpenter.k8s.aws/v1` EC2NodeClass that rules
// read.
type EC2NodeClass struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		// MetadataOptions is nil when the object leaves them to Karpenter.
		MetadataOptions *MetadataOptions `json:"metadataOptions"`
	} `json:"spec"`
}

// MetadataOptions says how the nodes answer for the instance metadata service.
// A field that is not there has Karpenter's default.
type MetadataOptions struct {
	// HTTPEndpoint is "enabled" (the default) or "disabled".
	HTTPEndpoint string `json:"httpEndpoint"`
	// HTTPProtocolIPv6 is "enabled" or "disabled" (the default).
	HTTPProtocolIPv6 string `json:"httpProtocolIPv6"`
	// HTTPPutResponseHopLimit is 1 to 64, by default 1, in v1beta1 2.
	HTTPPutResponseHopLimit *int64 `json:"httpPutResponseHopLimit"`
	// HTTPTokens is "required" (the default) or "optional".
	HTTPTokens string `json:"httpTokens"`
}

// ACKReference names another object of AWS Controllers for Kubernetes.
type ACKReference struct {
	From struct {
		// Name of the object, and its Namespace when it is another one.
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"from"`
}

// ACKMetadata is what a controller of ACK knows of the resource in AWS.
type ACKMetadata struct {
	// ARN of the resource, empty before it exists.
	ARN string `json:"arn"`
}

// IAMRole has the fields of `iam.services.k8s.aws/v1alpha1` Role that rules read.
type IAMRole struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		// Name of the role in IAM.
		Name string `json:"name"`
		// AssumeRolePolicyDocument is the trust policy, JSON.
		AssumeRolePolicyDocument string `json:"assumeRolePolicyDocument"`
		// InlinePolicies are documents, JSON, by name.
		InlinePolicies map[string]string `json:"inlinePolicies"`
		// Policies are ARNs of attached policies, PolicyRefs the objects of further
		// ones.
		Policies   []string       `json:"policies"`
		PolicyRefs []ACKReference `json:"policyRefs"`
	} `json:"spec"`
	Status struct {
		ACKResourceMetadata ACKMetadata `json:"ackResourceMetadata"`
	} `json:"status"`
}

// IAMPolicy has the fields of `iam.services.k8s.aws/v1alpha1` Policy that rules
// read.
type IAMPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		// Name of the policy in IAM.
		Name string `json:"name"`
		// PolicyDocument is JSON.
		PolicyDocument string `json:"policyDocument"`
	} `json:"spec"`
}

// PodIdentityAssociation has the fields of `eks.services.k8s.aws/v1alpha1`
// PodIdentityAssociation that rules read.
type PodIdentityAssociation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		// Namespace and ServiceAccount of the pods that get the role.
		Namespace      string `json:"namespace"`
		ServiceAccount string `json:"serviceAccount"`
		// RoleARN names the role, or RoleRef its object.
		RoleARN string       `json:"roleARN"`
		RoleRef ACKReference `json:"roleRef"`
	} `json:"spec"`
}
