package network

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cidr, address string
		want          bool
	}{
		{"10.0.0.0/8", "10.1.2.3", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"010.0.0.00/8", "10.1.2.3", true}, // decimal, as older API servers read it
		{"10.1.2.3/8", "10.9.9.9", true},
		{"::ffff:10.0.0.0/104", "10.1.2.3", true},
		{"::ffff:0:0/95", "10.1.2.3", false},
		{"fd00::/8", "fd00:ec2::254", true},
		{"FD00::/8", "fe80::1", false},
		{"10.0.0.0", "10.0.0.0", false},
		{"10.0.0.0/33", "10.0.0.0", false},
		{"10..0.0/8", "10.0.0.0", false},
		{"/8", "10.0.0.0", false},
		{"", "10.0.0.0", false},
	} {
		if got := holds(c.cidr, netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("%q holds %s: %t, want %t", c.cidr, c.address, got, c.want)
		}
	}
}

func TestPortsOfTheMetadataService(t *testing.T) {
	t.Parallel()
	port := func(n int32) *intstr.IntOrString { p := intstr.FromInt32(n); return &p }
	name := intstr.FromString("http")
	tcp, udp := corev1.ProtocolTCP, corev1.ProtocolUDP
	end := func(n int32) *int32 { return &n }
	for text, c := range map[string]struct {
		port networkingv1.NetworkPolicyPort
		want bool
	}{
		"nothing":    {networkingv1.NetworkPolicyPort{}, true},
		"80":         {networkingv1.NetworkPolicyPort{Port: port(80)}, true},
		"443":        {networkingv1.NetworkPolicyPort{Port: port(443)}, false},
		"TCP 80":     {networkingv1.NetworkPolicyPort{Protocol: &tcp, Port: port(80)}, true},
		"UDP 80":     {networkingv1.NetworkPolicyPort{Protocol: &udp, Port: port(80)}, false},
		"all of UDP": {networkingv1.NetworkPolicyPort{Protocol: &udp}, false},
		"http":       {networkingv1.NetworkPolicyPort{Port: &name}, false},
		"1 to 80":    {networkingv1.NetworkPolicyPort{Port: port(1), EndPort: end(80)}, true},
		"80 to 80":   {networkingv1.NetworkPolicyPort{Port: port(80), EndPort: end(80)}, true},
		"81 to 90":   {networkingv1.NetworkPolicyPort{Port: port(81), EndPort: end(90)}, false},
		"1 to 79":    {networkingv1.NetworkPolicyPort{Port: port(1), EndPort: end(79)}, false},
	} {
		if got := isMetadataPort(c.port); got != c.want {
			t.Errorf("%s: %t, want %t", text, got, c.want)
		}
	}
}
