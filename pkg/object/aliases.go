package object

import (
	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/apis/elbv2"
	"github.com/emrguard/emrguard/pkg/apis/gateway"
	"github.com/emrguard/emrguard/pkg/apis/karpenter"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// What has moved, under the names by which rules know it until they follow.
type (
	// Pod is podspec.Pod.
	Pod = podspec.Pod
	// Container is podspec.Container.
	Container = podspec.Container
	// Setting is jobconf.Setting.
	Setting = jobconf.Setting
	// IAMRole is ack.Role.
	IAMRole = ack.Role
	// IAMPolicy is ack.Policy.
	IAMPolicy = ack.Policy
	// PodIdentityAssociation is ack.PodIdentityAssociation.
	PodIdentityAssociation = ack.PodIdentityAssociation
	// VirtualCluster is ack.VirtualCluster.
	VirtualCluster = ack.VirtualCluster
	// LoadBalancerConfiguration is elbv2.LoadBalancerConfiguration.
	LoadBalancerConfiguration = elbv2.LoadBalancerConfiguration
	// LoadBalancerConfigurationSpec is elbv2.LoadBalancerConfigurationSpec.
	LoadBalancerConfigurationSpec = elbv2.LoadBalancerConfigurationSpec
	// IngressClassParams is elbv2.IngressClassParams.
	IngressClassParams = elbv2.IngressClassParams
	// GatewayClass is gateway.Class.
	GatewayClass = gateway.Class
	// Gateway is gateway.Gateway.
	Gateway = gateway.Gateway
	// ParametersReference is gateway.ParametersReference.
	ParametersReference = gateway.ParametersReference
	// EC2NodeClass is karpenter.EC2NodeClass.
	EC2NodeClass = karpenter.EC2NodeClass
	// MetadataOptions is karpenter.MetadataOptions.
	MetadataOptions = karpenter.MetadataOptions
)

// EphemeralContainer is podspec.EphemeralContainer.
const EphemeralContainer = podspec.EphemeralContainer

// MapPath is fieldpath.Key.
func MapPath(path, key string) string { return fieldpath.Key(path, key) }
