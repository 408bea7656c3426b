package network

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/apis/elbv2"
	"github.com/emrguard/emrguard/pkg/apis/gateway"
	"github.com/emrguard/emrguard/pkg/aws/loadbalancer"
	"github.com/emrguard/emrguard/pkg/rule"
)

// The API group and kind of what configures the load balancers of Gateways.
const (
	configurationGroup = "gateway.k8s.aws"
	configurationKind  = "LoadBalancerConfiguration"
)

func (x exposure) judgeGateway(ctx context.Context, r *rule.Request, g *gateway.Gateway, rep *rule.Report) error {
	name := g.Spec.GatewayClassName
	o, err := found(r.Cluster.Object(ctx, schema.GroupResource{Group: "gateway.networking.k8s.io", Resource: "gatewayclasses"}, "", name))
	if err != nil {
		return fmt.Errorf("look up GatewayClass %s: %w", name, err)
	}
	if o == nil {
		if !r.Existing() { // files seldom hold the classes
			rep.Add(rule.Finding{Reason: &unknownGatewayClass, Path: "spec.gatewayClassName", Args: rule.Args(name)})
		}
		return nil
	}
	class, ok := o.Typed.(*gateway.Class)
	if !ok || !loadbalancer.IsGatewayController(class.Spec.ControllerName) {
		return nil
	}
	classConf, err := configurationOf(ctx, r, class.Spec.ParametersRef, "")
	if err != nil {
		return err
	}
	own, err := configurationOf(ctx, r, g.Spec.Infrastructure.ParametersRef, r.Namespace)
	if err != nil {
		return err
	}
	x.judge(loadbalancer.OfGateway(classConf, own), "spec.gatewayClassName", &ofAny, rep)
	return nil
}

// configurationOf looks up a LoadBalancerConfiguration, nil when there is none. A
// Gateway refers to one in its own namespace, a class names the namespace.
func configurationOf(ctx context.Context, r *rule.Request, ref *gateway.ParametersReference, namespace string) (*elbv2.LoadBalancerConfiguration, error) {
	if ref == nil || ref.Group != configurationGroup || ref.Kind != configurationKind {
		return nil, nil //nolint:nilnil // the caller reads nil as "there is none"
	}
	if namespace == "" {
		namespace = ref.Namespace
	}
	o, err := found(r.Cluster.Object(ctx, schema.GroupResource{Group: configurationGroup, Resource: "loadbalancerconfigurations"}, namespace, ref.Name))
	if err != nil {
		return nil, fmt.Errorf("look up LoadBalancerConfiguration %s/%s: %w", namespace, ref.Name, err)
	}
	if o == nil {
		return nil, nil //nolint:nilnil // the caller reads nil as "there is none"
	}
	conf, _ := o.Typed.(*elbv2.LoadBalancerConfiguration)
	return conf, nil
}

// judgeConfiguration judges a configuration of its own: it may come after the Gateway
// that refers to it.
func judgeConfiguration(c *elbv2.LoadBalancerConfiguration, rep *rule.Report) {
	if c.Spec.Scheme != nil && loadbalancer.Scheme(*c.Spec.Scheme) == loadbalancer.InternetFacing {
		rep.Add(rule.Finding{Reason: &internetFacingConfiguration, Path: "spec.scheme"})
	}
}
