// Package ack has the fields of the custom resources of AWS Controllers for Kubernetes
// that rules read.
package ack

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Reference names another object of AWS Controllers for Kubernetes.
type Reference struct {
	From struct {
		// Name of the object, and its Namespace when it is another one.
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"from"`
}

// Metadata is what a controller of ACK knows of the resource in AWS.
type Metadata struct {
	// ARN of the resource, empty before it exists.
	ARN string `json:"arn"`
}

// Role has the fields of `iam.services.k8s.aws/v1alpha1` Role that rules read.
type Role struct {
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
		Policies   []string    `json:"policies"`
		PolicyRefs []Reference `json:"policyRefs"`
	} `json:"spec"`
	Status struct {
		ACKResourceMetadata Metadata `json:"ackResourceMetadata"`
	} `json:"status"`
}

// Policy has the fields of `iam.services.k8s.aws/v1alpha1` Policy that rules
// read.
type Policy struct {
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
		RoleARN string    `json:"roleARN"`
		RoleRef Reference `json:"roleRef"`
	} `json:"spec"`
}
