package network_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/rules/internal/ruletest"
	"github.com/emrguard/emrguard/pkg/rules/network"
)

// Older API servers stored ranges in forms that newer ones refuse.
func TestRangesOfNetworkPolicies(t *testing.T) {
	t.Parallel()
	for block, open := range map[string]bool{
		`{"cidr": "169.254.169.254/32"}`:                                                true,
		`{"cidr": "169.254.169.1/24"}`:                                                  true, // bits below the mask
		`{"cidr": "169.254.169.254/0"}`:                                                 true,
		`{"cidr": "000.0.0.0/0"}`:                                                       true,
		`{"cidr": "169.254.0169.0/24"}`:                                                 true,
		`{"cidr": "::ffff:169.254.169.254/128"}`:                                        true,
		`{"cidr": "::ffff:0.0.0.0/96"}`:                                                 true,
		`{"cidr": "FD00:EC2::/32"}`:                                                     true,
		`{"cidr": "fd00:0ec2:0:0::0254/128"}`:                                           true,
		`{"cidr": "::/0", "except": ["169.254.169.254/32"]}`:                            true,
		`{"cidr": "0.0.0.0/0", "except": ["169.254.169.253/32", "169.254.169.255/32"]}`: true,
		`{"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "169.254.169.254/32"]}`:         false,
		`{"cidr": "0.0.0.0/0", "except": ["::ffff:169.254.169.254/128"]}`:               false,
		`{"cidr": "169.254.169.253/32"}`:                                                false,
		`{"cidr": "169.254.0.0/17"}`:                                                    false,
		`{"cidr": "fd00:ec2::23/128"}`:                                                  false,
		`{"cidr": "169.254.169.254"}`:                                                   false, // cannot be stored
		`{"cidr": "anything/32"}`:                                                       false,
		`{"cidr": ""}`:                                                                  false,
		`{}`:                                                                            false,
	} {
		got := ruletest.Find(t, network.IMDSNetworkPolicy(), ruletest.Request(t, `{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"},
			"spec": {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": `+block+`}]}]}}`))
		if (len(got) > 0) != open {
			t.Errorf("%s: found %v, want a finding: %t", block, got, open)
		}
	}
}
