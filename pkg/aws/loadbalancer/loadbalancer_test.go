package loadbalancer_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/apis/elbv2"
	"github.com/emrguard/emrguard/pkg/aws/loadbalancer"
)

func TestTooWide(t *testing.T) {
	t.Parallel()
	widest := loadbalancer.Widest{IPv4: 8, IPv6: 32}
	for cidr, wide := range map[string]bool{
		"10.0.0.0/8":            false,
		"10.0.0.1/8":            false,
		"10.0.0.0/7":            true,
		"0.0.0.0/0":             true,
		"10.1.2.3/32":           false,
		"2001:db8::/32":         false,
		"2001:db8::/31":         true,
		"::/0":                  true,
		"::ffff:10.0.0.0/104":   false,
		"::ffff:0.0.0.0/97":     true,
		"::ffff:0.0.0.0/96":     true,
		"::ffff:0.0.0.0/90":     false, // an IPv6 range, and no address of IPv4 comes from there
		"fd00:ec2::/32":         false,
		"64:ff9b::10.0.0.0/128": false,
	} {
		if got, err := widest.TooWide(cidr); err != nil || got != wide {
			t.Errorf("%q: %v, %v, want %v", cidr, got, err, wide)
		}
	}
	for _, cidr := range []string{"", "10.0.0.1", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "example.com", "sg-00000000", "fe80::%eth0/64"} {
		if _, err := widest.TooWide(cidr); err == nil {
			t.Errorf("%q is taken for a range", cidr)
		}
	}
}

// TestInternalAnnotation compares the two readings of one annotation: any value but
// two means internal to the cloud provider, the controller reads what Go reads as a
// boolean and refuses everything else.
func TestInternalAnnotation(t *testing.T) {
	t.Parallel()
	const internal, public, none = loadbalancer.Internal, loadbalancer.InternetFacing, loadbalancer.None
	for value, want := range map[string][2]loadbalancer.Scheme{
		"true":      {internal, internal},
		"false":     {public, public},
		"":          {public, none},
		"True":      {internal, internal},
		"False":     {internal, public},
		"t":         {internal, internal},
		"0":         {internal, public},
		"1":         {internal, internal},
		"yes":       {internal, none},
		"no":        {internal, none},
		"0.0.0.0/0": {internal, none},
	} {
		s := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
		s.Annotations = map[string]string{"service.beta.kubernetes.io/aws-load-balancer-internal": value}
		for i, class := range []string{"", "service.k8s.aws/nlb"} {
			if lb := loadbalancer.OfService(s, class); lb.Scheme != want[i] || (lb.Scheme == none) != (len(lb.Unread) > 0) {
				t.Errorf("%q with the class %q: %q, refused %v, want %q", value, class, lb.Scheme, lb.Unread, want[i])
			}
		}
	}
}

// TestEmpty proves that objects with nothing in them are read without a fault.
func TestEmpty(t *testing.T) {
	t.Parallel()
	if lb := loadbalancer.OfService(&corev1.Service{}, ""); lb != nil {
		t.Errorf("an empty Service gets %+v", lb)
	}
	if lb := loadbalancer.OfService(&corev1.Service{}, "service.k8s.aws/nlb"); lb != nil {
		t.Errorf("a Service of type ClusterIP gets %+v", lb)
	}
	if lb := loadbalancer.OfGateway(nil, nil); lb.Scheme != loadbalancer.Internal {
		t.Errorf("a Gateway without configurations gets %+v", lb)
	}
	if lb := loadbalancer.OfGateway(&elbv2.LoadBalancerConfiguration{}, &elbv2.LoadBalancerConfiguration{}); lb.Limited || len(lb.Ranges) > 0 {
		t.Errorf("empty configurations limit something: %+v", lb)
	}
}
