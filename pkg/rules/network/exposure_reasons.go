package network

import (
	"github.com/emrguard/emrguard/pkg/aws/loadbalancer"
	"github.com/emrguard/emrguard/pkg/rule"
)

// The reasons of endpoint-exposure about objects that have no load balancer.
var (
	externalIP = rule.Reason{
		Name: "external-ip", Severity: rule.Medium, Message: "every node takes what is sent to %[1]q for the Service, whoever sends it",
		Remedy: "remove externalIPs; use an internal load balancer with source ranges",
	}
	nodePort = rule.Reason{
		Name: "node-port", Severity: rule.Medium, Message: "a Service of type NodePort is open on every node to everybody who reaches one",
		Remedy: "use type ClusterIP, or an internal load balancer with source ranges",
	}
	hostPort = rule.Reason{
		Name: "host-port", Severity: rule.Medium, Message: "container %[1]q opens the port %[2]s of its node to everybody who reaches the node",
		Remedy: "remove hostPort, and reach the pod by a Service of type ClusterIP",
	}
	unknownGatewayClass = rule.Reason{
		Name: "unknown-gateway-class", Severity: rule.Medium, Message: "the GatewayClass %[1]q does not exist yet: whether it will make an internet-facing load balancer is not known",
		Remedy: "create the GatewayClass first",
	}
	unknownIngressClass = rule.Reason{
		Name: "unknown-ingress-class", Severity: rule.Medium, Message: "the IngressClass %[1]q does not exist yet: whether it will make an internet-facing load balancer is not known",
		Remedy: "create the IngressClass first",
	}
	internetFacingConfiguration = rule.Reason{
		Name: "internet-facing-configuration", Severity: rule.High, Message: "the load balancers of the Gateways that refer to it are internet-facing",
		Remedy: internetRemedy,
	}
	unreadValue = rule.Reason{
		Name: "unread-value", Severity: rule.Medium, Message: "%[1]s does not understand %[2]q: it makes no load balancer, or leaves the one that exists as it is",
		Remedy: "write the value as the controller's documentation does; lower case counts",
	}
	unreadValueElsewhere = rule.Reason{
		Name: "unread-value-of-another-object", Severity: rule.Medium, Message: "%[1]s does not understand %[2]q in %[3]s: it makes no load balancer, or leaves the one that exists as it is",
		Remedy: unreadValue.Remedy,
	}
	invalidSource = rule.Reason{
		Name: "invalid-source-range", Severity: rule.Medium, Message: "the source range %[1]q is no range of addresses, so the controller refuses it",
		Remedy: wideRemedy,
	}
)

const (
	internetRemedy = "make the load balancer internal, and name the sources that may connect"
	openRemedy     = "name the source ranges that may connect, or security groups"
	wideRemedy     = "name the networks of those who shall connect"

	// EMR's chart for Livy makes an internet-facing Service unless its values say otherwise.
	livyInternetRemedy = "set loadbalancer.internal to true in the Helm values of Livy, and name the sources by service.annotations"
	livySourcesRemedy  = "name the sources by service.annotations of Livy's Helm values: " + loadbalancer.ServicePrefix + "load-balancer-source-ranges"
)

// balancerReasons are the reasons about a load balancer: those of EMR's chart for Livy
// have remedies of their own.
type balancerReasons struct{ internetDefault, internet, internetElsewhere, open, wide rule.Reason }

func reasonsOf(prefix, internet, open, wide string) balancerReasons {
	return balancerReasons{
		internet: rule.Reason{
			Name: prefix + "internet-facing", Severity: rule.High, Message: "%[1]s makes an internet-facing load balancer of it", Remedy: internet,
		},
		internetDefault: rule.Reason{
			Name: prefix + "internet-facing-by-default", Severity: rule.High, Message: "%[1]s makes an internet-facing load balancer of it, which is its default", Remedy: internet,
		},
		internetElsewhere: rule.Reason{
			Name: prefix + "internet-facing-by-another-object", Severity: rule.High, Message: "%[1]s makes an internet-facing load balancer of it by %[2]s", Remedy: internet,
		},
		open: rule.Reason{
			Name: prefix + "unlimited-sources", Severity: rule.Medium, Message: "nothing limits the sources of the internal load balancer", Remedy: open,
		},
		wide: rule.Reason{
			Name: prefix + "wide-source-range", Severity: rule.Medium, Message: "the source range %[1]q is too wide to limit anything", Remedy: wide,
		},
	}
}

var (
	ofAny  = reasonsOf("", internetRemedy, openRemedy, wideRemedy)
	ofLivy = reasonsOf("livy-", livyInternetRemedy, livySourcesRemedy, livySourcesRemedy)
)

func (b *balancerReasons) all() []*rule.Reason {
	return []*rule.Reason{&b.internet, &b.internetDefault, &b.internetElsewhere, &b.open, &b.wide}
}
