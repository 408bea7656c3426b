package loadbalancer

import (
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/emrguard/emrguard/pkg/apis/elbv2"
)

// IngressPrefix begins the annotations of Ingresses that the AWS Load Balancer
// Controller and EKS Auto Mode read.
const IngressPrefix = "alb.ingress.kubernetes.io/"

// ClassAnnotation names the class of an Ingress in the way from before IngressClass.
// The controller looks at it first.
const ClassAnnotation = "kubernetes.io/ingress.class"

// DefaultIngressClass is the class that the AWS Load Balancer Controller's chart makes,
// and the one that it takes by annotation. Files seldom hold the class itself, so its
// name tells there who will take an Ingress.
const DefaultIngressClass = "alb"

// The names of the controllers that make Application Load Balancers of Ingresses, in
// spec.controller of their classes.
const (
	IngressController         = "ingress.k8s.aws/alb"
	IngressControllerAutoMode = "eks.amazonaws.com/alb"
)

// Ingress is an Ingress of which a controller of AWS makes a load balancer.
type Ingress struct {
	*networkingv1.Ingress
	// AutoMode is true when EKS Auto Mode does.
	AutoMode bool
	// Params are the parameters of its class; nil when there are none.
	Params *elbv2.IngressClassParams
}

func (in *Ingress) annotations() annotations { return annotations{IngressPrefix, in.Annotations} }

// Group is the group whose Ingresses, of all namespaces, share one load balancer;
// empty for an Ingress with one of its own. EKS Auto Mode knows groups by the class
// alone.
func (in *Ingress) Group() string {
	if in.Params != nil && in.Params.Spec.Group != nil {
		return in.Params.Spec.Group.Name
	}
	if in.AutoMode {
		return ""
	}
	f, _ := in.annotations().field("group.name")
	return f.Value
}

// scheme is what the Ingress or its class says of the scheme. The class goes first.
func (in *Ingress) scheme() (Field, bool) {
	if in.Params != nil && in.Params.Spec.Scheme != nil {
		return Field{in.params(), "spec.scheme", *in.Params.Spec.Scheme}, true
	}
	return in.annotations().field("scheme")
}

// ranges are the inbound CIDRs. The class goes first.
func (in *Ingress) ranges() []Field {
	if in.Params == nil || len(in.Params.Spec.InboundCIDRs) == 0 {
		return in.annotations().list("inbound-cidrs")
	}
	var list []Field
	for _, cidr := range in.Params.Spec.InboundCIDRs {
		list = append(list, Field{in.params(), "spec.inboundCIDRs", cidr})
	}
	return list
}

func (in *Ingress) params() string { return "IngressClassParams " + in.Params.Name }

func (in *Ingress) hasPrefixLists() bool {
	if in.Params != nil && len(in.Params.Spec.PrefixListsIDs)+len(in.Params.Spec.OldPrefixListsIDs) > 0 {
		return true
	}
	return len(in.annotations().list("security-group-prefix-lists")) > 0
}

// OfIngress returns the load balancer of an Ingress and of the others of its group.
// What the group says that the Ingress does not say itself counts too: they share the
// load balancer.
func OfIngress(in Ingress, group []Ingress) *LoadBalancer {
	lb := &LoadBalancer{Controller: controller, Scheme: Internal, RangesPath: "metadata.annotations[" + IngressPrefix + "inbound-cidrs]"}
	if in.AutoMode {
		lb.Controller = autoMode
	}
	if f, ok := in.scheme(); ok {
		lb.decide(f)
	} else {
		for i := range group {
			if f, ok := group[i].scheme(); ok && Scheme(f.Value) == InternetFacing {
				lb.Scheme, lb.Decided = InternetFacing, group[i].elsewhere(f)
				break
			}
		}
	}
	lb.frontend(&in)
	lb.Ranges, lb.Limited = in.ranges(), in.hasPrefixLists()
	for i := range group {
		if len(lb.Ranges) > 0 || lb.Limited {
			break
		}
		for _, f := range group[i].ranges() {
			lb.Ranges = append(lb.Ranges, group[i].elsewhere(f))
		}
		lb.Limited = group[i].hasPrefixLists()
	}
	hasGroups := func(member Ingress) bool { return len(member.annotations().list("security-groups")) > 0 }
	if hasGroups(in) || slices.ContainsFunc(group, hasGroups) {
		lb.Limited, lb.Ranges = true, nil // the CIDRs are ignored then
	}
	return lb
}

// elsewhere is a field of another Ingress of the group.
func (in *Ingress) elsewhere(f Field) Field {
	if f.Of == "" {
		f.Of = fmt.Sprintf("Ingress %s/%s of the same group", in.Namespace, in.Name)
	}
	return f
}

// frontend reads the Network Load Balancer that may stand before the Application
// Load Balancer, with a scheme of its own.
func (lb *LoadBalancer) frontend(in *Ingress) {
	a := in.annotations()
	if enabled, _ := a.boolean("enable-frontend-nlb", lb); !enabled {
		return
	}
	if f, ok := a.field("frontend-nlb-scheme"); ok && Scheme(f.Value) == InternetFacing {
		lb.Scheme, lb.Decided = InternetFacing, f
	}
}
