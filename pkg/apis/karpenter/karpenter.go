// Package karpenter has the fields of Karpenter's custom resources that rules read.
package karpenter

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
