package loadbalancer

import "github.com/emrguard/emrguard/pkg/apis/elbv2"

// IsGatewayController reports whether the controller name of a GatewayClass is that
// of the AWS Load Balancer Controller.
func IsGatewayController(name string) bool {
	return name == "gateway.k8s.aws/alb" || name == "gateway.k8s.aws/nlb"
}

// OfGateway returns the load balancer of a Gateway, from the configuration that its
// class refers to and its own; either may be nil. Field by field one of the two goes
// before the other: the class's, unless that says otherwise itself.
func OfGateway(class, own *elbv2.LoadBalancerConfiguration) *LoadBalancer {
	lb := &LoadBalancer{Controller: controller, Scheme: Internal, RangesPath: "spec.infrastructure.parametersRef"}
	order := []*elbv2.LoadBalancerConfiguration{class, own}
	if class != nil && class.Spec.MergingMode == "prefer-gateway" {
		order = []*elbv2.LoadBalancerConfiguration{own, class}
	}
	if c := first(order, func(s *elbv2.LoadBalancerConfigurationSpec) bool { return s.Scheme != nil }); c != nil {
		lb.decide(Field{configuration(c), "spec.scheme", *c.Spec.Scheme})
	}
	if c := first(order, func(s *elbv2.LoadBalancerConfigurationSpec) bool { return s.DisableSecurityGroup != nil }); c != nil && *c.Spec.DisableSecurityGroup {
		return lb // no security group, so nothing that limits
	}
	if c := first(order, func(s *elbv2.LoadBalancerConfigurationSpec) bool { return s.SecurityGroups != nil }); c != nil && len(*c.Spec.SecurityGroups) > 0 {
		lb.Limited = true
		return lb
	}
	// Prefix lists come on top of the default, which is every source: only ranges
	// take its place, an empty list too.
	if c := first(order, func(s *elbv2.LoadBalancerConfigurationSpec) bool { return s.SourceRanges != nil }); c != nil {
		lb.Limited = len(*c.Spec.SourceRanges) == 0
		for _, r := range *c.Spec.SourceRanges {
			lb.Ranges = append(lb.Ranges, Field{configuration(c), "spec.sourceRanges", r})
		}
	}
	return lb
}

func first(order []*elbv2.LoadBalancerConfiguration, has func(*elbv2.LoadBalancerConfigurationSpec) bool) *elbv2.LoadBalancerConfiguration {
	for _, c := range order {
		if c != nil && has(&c.Spec) {
			return c
		}
	}
	return nil
}

func configuration(c *elbv2.LoadBalancerConfiguration) string {
	return "LoadBalancerConfiguration " + c.Namespace + "/" + c.Name
}
