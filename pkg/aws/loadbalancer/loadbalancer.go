// Package loadbalancer says which load balancer the controllers of AWS make of an
// object: whether it faces the internet, and what limits who may connect. It reads
// annotations and fields as the controllers do, from the objects alone: it knows
// neither the cluster nor AWS.
//
// Sources: the AWS cloud provider (kubernetes/cloud-provider-aws, pkg/providers/v1)
// and the AWS Load Balancer Controller (kubernetes-sigs/aws-load-balancer-controller,
// pkg/service, pkg/ingress, pkg/gateway). EKS Auto Mode reads the same annotations
// and has the defaults of the latter.
package loadbalancer

import (
	"net/netip"
	"strconv"
	"strings"
)

// Scheme of a load balancer, as AWS writes it.
type Scheme string

// The schemes. A controller that does not understand what is asked for makes no
// load balancer, and leaves one that exists as it is: None.
const (
	Internal       Scheme = "internal"
	InternetFacing Scheme = "internet-facing"
	None           Scheme = ""
)

// Field is a field or annotation and its value.
type Field struct {
	// Of names the object whose field it is, such as "IngressClassParams public";
	// empty for the object itself.
	Of string
	// Path of the field, such as `metadata.annotations[key]`.
	Path  string
	Value string
}

// String names the field for people.
func (f Field) String() string {
	if f.Of == "" {
		return f.Path
	}
	return f.Path + " of " + f.Of
}

// LoadBalancer is what a controller makes of an object.
type LoadBalancer struct {
	// Controller that makes it, for people.
	Controller string
	Scheme     Scheme
	// Decided is the field that decided the scheme; zero for the default of the
	// controller.
	Decided Field
	// Unread are fields whose values the controller refuses.
	Unread []Field
	// Limited is true when security groups or prefix lists of AWS say who may
	// connect, which cannot be read from here.
	Limited bool
	// Ranges are the sources that may connect, as they are written. Without any, and
	// when nothing else limits it, everybody may whom the network lets through.
	Ranges []Field
	// RangesPath is where the object would say them.
	RangesPath string
}

// annotations reads annotations with a common prefix as the AWS Load Balancer
// Controller does.
type annotations struct {
	prefix string
	of     map[string]string
}

func (a annotations) field(name string) (Field, bool) {
	key := a.prefix + name
	value, ok := a.of[key]
	return Field{Path: "metadata.annotations[" + key + "]", Value: value}, ok
}

// list splits at commas; blanks around the parts and empty parts do not count.
func (a annotations) list(name string) []Field {
	f, _ := a.field(name)
	var list []Field
	for part := range strings.SplitSeq(f.Value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, Field{Path: f.Path, Value: part})
		}
	}
	return list
}

// boolean reads what Go's strconv.ParseBool reads. An error is reported in lb.
func (a annotations) boolean(name string, lb *LoadBalancer) (value, found bool) {
	f, ok := a.field(name)
	if !ok {
		return false, false
	}
	value, err := strconv.ParseBool(f.Value)
	if err != nil {
		lb.refuse(f)
		return false, false
	}
	return value, true
}

// decide takes the scheme from a field. Upper case and blanks count: the
// controller compares the value as it stands.
func (lb *LoadBalancer) decide(f Field) {
	if s := Scheme(f.Value); s == Internal || s == InternetFacing {
		lb.Scheme, lb.Decided = s, f
		return
	}
	lb.refuse(f)
}

func (lb *LoadBalancer) refuse(f Field) {
	lb.Unread = append(lb.Unread, f)
	lb.Scheme = None
}

// Widest are the widest ranges that count as a limit, by the lengths of their
// prefixes.
type Widest struct{ IPv4, IPv6 int }

// TooWide reports whether a range in CIDR notation has a shorter prefix than the
// widest that counts as a limit. An IPv4 range in IPv6 notation is an IPv4 range. It
// reports an error for what is no range; the controllers refuse that too.
func (w Widest) TooWide(cidr string) (bool, error) {
	p, err := netip.ParsePrefix(strings.TrimSpace(cidr))
	if err != nil {
		return false, err
	}
	const mapped = 96 // bits before the IPv4 address in ::ffff:0:0/96
	switch bits := p.Bits(); {
	case p.Addr().Is4():
		return bits < w.IPv4, nil
	case p.Addr().Is4In6() && bits >= mapped:
		return bits-mapped < w.IPv4, nil
	default:
		return bits < w.IPv6, nil
	}
}
