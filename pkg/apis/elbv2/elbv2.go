// Package elbv2 has the fields of the custom resources of the AWS Load Balancer
// Controller, and of EKS Auto Mode, that rules read.
package elbv2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// IngressClassParams are the parameters of an IngressClass whose Ingresses become
// Application Load Balancers: `elbv2.k8s.aws/v1beta1` of the AWS Load Balancer
// Controller and `eks.amazonaws.com/v1` of EKS Auto Mode, as far as rules read them.
type IngressClassParams struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		// Scheme, Group and InboundCIDRs go before the annotations of an Ingress.
		Scheme *string `json:"scheme"`
		Group  *struct {
			Name string `json:"name"`
		} `json:"group"`
		InboundCIDRs []string `json:"inboundCIDRs"`
		// PrefixListsIDs had another first letter when it was new.
		PrefixListsIDs    []string `json:"prefixListsIDs"`
		OldPrefixListsIDs []string `json:"PrefixListsIDs"`
	} `json:"spec"`
}

// LoadBalancerConfiguration of the AWS Load Balancer Controller's
// `gateway.k8s.aws/v1beta1`, as far as rules read it.
type LoadBalancerConfiguration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              LoadBalancerConfigurationSpec `json:"spec"`
}

// LoadBalancerConfigurationSpec is what a LoadBalancerConfiguration says. A pointer
// that is nil is a field that is not there, for which the other of two merged
// configurations counts.
type LoadBalancerConfigurationSpec struct {
	// MergingMode is read in the configuration of a GatewayClass.
	MergingMode          string    `json:"mergingMode"`
	Scheme               *string   `json:"scheme"`
	SourceRanges         *[]string `json:"sourceRanges"`
	SecurityGroups       *[]string `json:"securityGroups"`
	DisableSecurityGroup *bool     `json:"disableSecurityGroup"`
}
