// Package network holds the rules on endpoints and network policies.
package network

import (
	"context"
	_ "embed" // the documentation of the rule
	"errors"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/emrguard/emrguard/pkg/apis/elbv2"
	"github.com/emrguard/emrguard/pkg/apis/gateway"
	"github.com/emrguard/emrguard/pkg/aws/loadbalancer"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const exposureID = "endpoint-exposure"

//go:embed endpoint-exposure.md
var endpointExposureDoc string

// EndpointExposure is the rule endpoint-exposure.
//
// Guide, "Access control list for endpoints": managed endpoints are "accessible only
// from the VPC"; "configure security groups for these load balancers, so that incoming
// traffic is limited to a selected set of IP addresses". Livy and other endpoints need
// the same.
//
// Fields: type, annotations, source ranges and externalIPs of Services; class and
// annotations of Ingresses with the parameters of the class; Gateways with their
// LoadBalancerConfigurations; hostPort of containers.
//
// Allowed: internal load balancers with narrow source ranges, security groups or
// prefix lists; Services of type ClusterIP; Ingresses of classes that make no load
// balancer of AWS.
func EndpointExposure() rule.Rule {
	return rule.Rule{
		ID:      exposureID,
		Title:   "endpoints that face the internet, or that nothing limits to known sources",
		Doc:     endpointExposureDoc,
		Clauses: []guide.Clause{emr.ClauseEndpoints},
		Reasons: slices.Concat(ofAny.all(), ofLivy.all(), []*rule.Reason{
			&internetFacingConfiguration, &externalIP, &nodePort, &hostPort, &unknownGatewayClass, &unknownIngressClass,
			&unreadValue, &unreadValueElsewhere, &invalidSource,
		}),
		Reads: slices.Concat(
			rule.Reads(rule.Got, "ingressclasses.networking.k8s.io", "ingressclassparams.elbv2.k8s.aws", "ingressclassparams.eks.amazonaws.com",
				"gatewayclasses.gateway.networking.k8s.io", "loadbalancerconfigurations.gateway.k8s.aws"),
			rule.Reads(rule.Listed, "ingressclasses.networking.k8s.io", "ingresses.networking.k8s.io"),
		),
		Targets: slices.Concat(
			[]rule.Target{
				targets.New("services", rule.Create, rule.Update),
				targets.New("ingresses.networking.k8s.io", rule.Create, rule.Update),
				targets.Metadata("services/status", rule.Update),
				targets.Metadata("ingresses/status.networking.k8s.io", rule.Update),
				targets.New("gateways.gateway.networking.k8s.io", rule.Create, rule.Update),
				targets.New("loadbalancerconfigurations.gateway.k8s.aws", rule.Create, rule.Update),
				targets.New("pods", rule.Create, rule.Update),
			},
			targets.Workloads(),
			// A JobRun says nothing of ports.
			slices.DeleteFunc(targets.CustomResources(), func(t rule.Target) bool { return t.Resource == "jobruns" }),
		),
		Parameters: []rule.Parameter{
			{Name: "widestIPv4", Type: "integer", Doc: "the shortest prefix of an IPv4 range that counts as a limit of sources, 0 to 32; 8 when it is not set: `10.0.0.0/8` is a limit, `0.0.0.0/1` is none"},
			{Name: "widestIPv6", Type: "integer", Doc: "the same for IPv6, 0 to 128; 32 when it is not set"},
			{Name: "defaultLoadBalancerClass", Type: "string", Doc: "the class that something else in the cluster gives to new Services without one, such as `service.k8s.aws/nlb` of the AWS Load Balancer Controller. " +
				"Admission sees what was given; files do not hold it. When it is not set, the AWS cloud provider takes such Services"},
		},
		New: newEndpointExposure,
	}
}

type exposureParams struct {
	WidestIPv4               *int   `json:"widestIPv4" min:"0" max:"32"`
	WidestIPv6               *int   `json:"widestIPv6" min:"0" max:"128"`
	DefaultLoadBalancerClass string `json:"defaultLoadBalancerClass"`
}

// exposure is the compiled rule.
type exposure struct {
	widest loadbalancer.Widest
	class  string
}

func newEndpointExposure(s rule.Settings) (rule.Check, error) {
	var p exposureParams
	if err := s.Decode(exposureID, &p); err != nil {
		return nil, err
	}
	x := exposure{widest: loadbalancer.Widest{IPv4: 8, IPv6: 32}, class: p.DefaultLoadBalancerClass}
	for _, n := range []struct {
		name  string
		given *int
		into  *int
		most  int
	}{
		{"widestIPv4", p.WidestIPv4, &x.widest.IPv4, 32},
		{"widestIPv6", p.WidestIPv6, &x.widest.IPv6, 128},
	} {
		if n.given == nil {
			continue
		}
		if *n.given < 0 || *n.given > n.most {
			return nil, rule.ParameterError(exposureID, fmt.Errorf("%s: %d is not the length of a prefix; give a number from 0 to %d", n.name, *n.given, n.most))
		}
		*n.into = *n.given
	}
	return x.check, nil
}

func (x exposure) check(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	switch o := r.Object.Typed.(type) {
	case *corev1.Service:
		x.judgeService(r, o, rep)
	case *networkingv1.Ingress:
		return x.judgeIngress(ctx, r, o, rep)
	case *gateway.Gateway:
		return x.judgeGateway(ctx, r, o, rep)
	case *elbv2.LoadBalancerConfiguration:
		judgeConfiguration(o, rep)
	default:
		judgeHostPorts(r.Object, rep)
	}
	return nil
}

// judge judges the load balancer of an object. at is the field that makes the object
// have one, for what no other field of the object decides.
func (x exposure) judge(lb *loadbalancer.LoadBalancer, at string, reasons *balancerReasons, rep *rule.Report) {
	here := func(f loadbalancer.Field) string {
		if f.Of != "" || f.Path == "" {
			return at
		}
		return f.Path
	}
	for _, f := range lb.Unread {
		// The path says where it stands in the object itself.
		found := rule.Finding{Reason: &unreadValue, Path: here(f), Args: rule.Args(lb.Controller, f.Value)}
		if f.Of != "" {
			found.Reason, found.Args = &unreadValueElsewhere, append(found.Args, f.String())
		}
		rep.Add(found)
	}
	switch lb.Scheme {
	case loadbalancer.None:
	case loadbalancer.InternetFacing:
		found := rule.Finding{Reason: &reasons.internet, Path: here(lb.Decided), Args: rule.Args(lb.Controller)}
		switch {
		case lb.Decided.Path == "":
			found.Reason = &reasons.internetDefault
		case lb.Decided.Of != "":
			found.Reason, found.Args = &reasons.internetElsewhere, append(found.Args, lb.Decided.String())
		}
		rep.Add(found)
	case loadbalancer.Internal:
		x.judgeSources(lb, here, reasons, rep)
	}
}

// judgeSources judges who may connect to an internal load balancer.
func (x exposure) judgeSources(lb *loadbalancer.LoadBalancer, here func(loadbalancer.Field) string, reasons *balancerReasons, rep *rule.Report) {
	if len(lb.Ranges) == 0 && !lb.Limited {
		rep.Add(rule.Finding{Reason: &reasons.open, Path: lb.RangesPath})
	}
	for _, f := range lb.Ranges {
		wide, err := x.widest.TooWide(f.Value)
		found := rule.Finding{Reason: &reasons.wide, Path: here(f), Args: rule.Args(f.Value)}
		switch {
		case err != nil:
			found.Reason = &invalidSource
		case !wide:
			continue
		}
		rep.Add(found)
	}
}

// judgeHostPorts finds ports that containers open on their nodes. A pod on the host
// network opens all of its ports there, which is another rule's finding.
func judgeHostPorts(o *object.Object, rep *rule.Report) {
	for i := range o.Pods {
		pod := &o.Pods[i]
		if pod.Spec.HostNetwork {
			continue
		}
		for c := range pod.Containers() {
			for j, port := range c.Ports {
				if port.HostPort == 0 {
					continue
				}
				rep.Add(rule.Finding{
					Reason: &hostPort, Path: fmt.Sprintf("%s.ports[%d].hostPort", c.Path(), j),
					Args: rule.Args(c.Name, strconv.Itoa(int(port.HostPort))), Key: pod.Role,
				})
			}
		}
	}
}

// found turns a look-up of something that need not exist into an object or nil.
func found(o *object.Object, err error) (*object.Object, error) {
	if errors.Is(err, rule.ErrNotFound) {
		return nil, nil //nolint:nilnil // the callers read nil as "there is none"
	}
	return o, err
}
