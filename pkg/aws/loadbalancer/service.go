package loadbalancer

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// ServicePrefix begins the annotations of Services that the controllers of AWS read.
const ServicePrefix = "service.beta.kubernetes.io/"

// The annotations of Services, without the prefix.
const (
	typeAnnotation          = "aws-load-balancer-type"
	schemeAnnotation        = "aws-load-balancer-scheme"
	internalAnnotation      = "aws-load-balancer-internal"
	sourceRangesAnnotation  = "load-balancer-source-ranges"
	securityGroupAnnotation = "aws-load-balancer-security-groups"
	prefixListAnnotation    = "aws-load-balancer-security-group-prefix-lists"
	noGroupAnnotation       = "aws-load-balancer-disable-nlb-sg"
)

const (
	cloudProvider = "the AWS cloud provider"
	controller    = "the AWS Load Balancer Controller"
	autoMode      = "EKS Auto Mode"
)

// OfService returns the load balancer of a Service, nil for a Service that gets
// none. class is what the Service names or, when it names none, what is known to be
// given to such Services; empty means that the cloud provider takes it.
func OfService(s *corev1.Service, class string) *LoadBalancer {
	a := annotations{ServicePrefix, s.Annotations}
	kind, _ := a.field(typeAnnotation)
	external := kind.Value == "external" || kind.Value == "nlb-ip"
	if class == "" && external || class != "" && s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		// With the annotation, and without a class, the controller takes Services of
		// every type, those of type ClusterIP too.
		return ofController(s, a, class)
	}
	if class == "" && s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		return ofCloudProvider(s, a, kind.Value == "nlb")
	}
	return nil
}

// ofCloudProvider reads a Service as the cloud provider does: internet-facing
// unless the annotation for internal ones has any value but "" and "false".
func ofCloudProvider(s *corev1.Service, a annotations, network bool) *LoadBalancer {
	lb := &LoadBalancer{Controller: cloudProvider, Scheme: InternetFacing}
	if f, ok := a.field(internalAnnotation); ok {
		lb.Decided = f
		if f.Value != "" && f.Value != "false" {
			lb.Scheme = Internal
		}
	}
	lb.sources(s, a)
	// Security groups are for its Classic Load Balancers alone.
	if !network && len(a.list(securityGroupAnnotation)) > 0 {
		lb.Limited, lb.Ranges = true, nil
	}
	return lb
}

// ofController reads a Service as the AWS Load Balancer Controller does, also for
// classes of which nothing else is known.
func ofController(s *corev1.Service, a annotations, class string) *LoadBalancer {
	lb := &LoadBalancer{Controller: controller, Scheme: Internal}
	switch class {
	case "", "service.k8s.aws/nlb":
	case "eks.amazonaws.com/nlb":
		lb.Controller = autoMode
	default:
		lb.Controller = fmt.Sprintf("the controller of the class %q", class)
	}
	if f, ok := a.field(schemeAnnotation); ok {
		lb.decide(f)
	} else if internal, ok := a.boolean(internalAnnotation, lb); ok {
		lb.Decided, _ = a.field(internalAnnotation)
		if !internal {
			lb.Scheme = InternetFacing
		}
	}
	lb.sources(s, a)
	if none, _ := a.boolean(noGroupAnnotation, lb); none {
		lb.Ranges = nil // no security group, so nothing that limits
		return lb
	}
	switch {
	case len(a.list(securityGroupAnnotation)) > 0:
		lb.Limited, lb.Ranges = true, nil // the controller writes no rules into them
	case len(a.list(prefixListAnnotation)) > 0:
		lb.Limited = true
	}
	return lb
}

// sources reads the ranges: the field goes before the annotation.
func (lb *LoadBalancer) sources(s *corev1.Service, a annotations) {
	lb.RangesPath = "spec.loadBalancerSourceRanges"
	for i, r := range s.Spec.LoadBalancerSourceRanges {
		lb.Ranges = append(lb.Ranges, Field{Path: fmt.Sprintf("%s[%d]", lb.RangesPath, i), Value: strings.TrimSpace(r)})
	}
	if len(lb.Ranges) == 0 {
		lb.Ranges = a.list(sourceRangesAnnotation)
	}
}
