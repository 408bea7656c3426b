package network

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

var networkPolicies = schema.GroupResource{Group: "networking.k8s.io", Resource: "networkpolicies"}

const imdsNetworkPolicyID = "imds-network-policy"

// imdsParameters are the parameters of the rule.
type imdsParameters struct {
	BlockedElsewhere []string `json:"blockedElsewhere" syntax:"pattern"`
}

//go:embed imds-network-policy.md
var imdsNetworkPolicyDoc string

// IMDSNetworkPolicy is the rule imds-network-policy.
//
// Guide, "Restrict access to node group IAM role or instance profile credentials":
// "block access to instance profile credentials for all pods that run in a managed
// namespace".
//
// Fields: spec.{podSelector,policyTypes,egress} of NetworkPolicies; in the audit the
// policies of a managed namespace taken together.
//
// Allowed: egress that leaves the metadata service out; pods and namespaces as
// peers, for the service is neither; ports without TCP 80; namespaces that
// blockedElsewhere names.
func IMDSNetworkPolicy() rule.Rule {
	ns := targets.New("namespaces", rule.Create)
	ns.Audit = true // a Namespace is there before its policies can be
	return rule.Rule{
		ID:      imdsNetworkPolicyID,
		Title:   "NetworkPolicies that leave the instance metadata service open",
		Doc:     imdsNetworkPolicyDoc,
		Clauses: []guide.Clause{emr.ClauseNodes},
		Reasons: []*rule.Reason{&openEgress, &openPolicies, &someEgress, &noEgress, &noPolicy},
		Reads:   rule.Reads(rule.Listed, networkPolicies.String()),
		Targets: []rule.Target{targets.New("networkpolicies.networking.k8s.io", rule.Create, rule.Update), ns},
		Parameters: []rule.Parameter{{
			Name: "blockedElsewhere", Type: "list of patterns",
			Doc: "Namespaces whose pods something else keeps from the metadata service, such as nodes with hop limit 1 or iptables rules, or a policy of Calico or Cilium; `*` for all.",
		}},
		New: func(s rule.Settings) (rule.Check, error) {
			var p imdsParameters
			if err := s.Decode(imdsNetworkPolicyID, &p); err != nil {
				return nil, err
			}
			elsewhere, err := pattern.ParseSet(p.BlockedElsewhere)
			if err != nil {
				return nil, rule.ParameterError(imdsNetworkPolicyID, fmt.Errorf("blockedElsewhere%w", err))
			}
			return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
				if elsewhere.Match(r.Namespace) {
					return nil
				}
				return checkIMDS(ctx, r, rep)
			}, nil
		},
	}
}

func checkIMDS(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	if policy, ok := r.Object.Typed.(*networkingv1.NetworkPolicy); ok {
		for _, o := range openings(policy) {
			rep.Add(rule.Finding{Reason: &openEgress, Path: o.path, Args: rule.Args(o.what, strings.Join(o.addresses, " and "))})
		}
		return nil
	}
	// A Namespace is there before its policies can be: only an audit knows them.
	if r.Object.GVK.Kind != "Namespace" || !r.Existing() {
		return nil
	}
	objects, err := r.Cluster.Objects(ctx, networkPolicies, r.Namespace)
	if err != nil {
		return fmt.Errorf("look up the NetworkPolicies of namespace %s: %w", r.Namespace, err)
	}
	var policies []*networkingv1.NetworkPolicy
	for _, o := range objects {
		if p, ok := o.Typed.(*networkingv1.NetworkPolicy); ok {
			policies = append(policies, p)
		}
	}
	judgeNamespaceIMDS(policies, rep)
	return nil
}

// judgeNamespaceIMDS judges the policies of a namespace for every pod that could
// ever be in it.
func judgeNamespaceIMDS(policies []*networkingv1.NetworkPolicy, rep *rule.Report) {
	var some, open []string
	covered := false
	for _, p := range policies {
		if !limitsEgress(p) {
			continue
		}
		if selectsAll(p) {
			covered = true
		} else {
			some = append(some, fmt.Sprintf("%q", p.Name))
		}
		if len(openings(p)) > 0 {
			open = append(open, fmt.Sprintf("%q", p.Name))
		}
	}
	switch {
	case covered:
	case len(some) > 0:
		rep.Add(rule.Finding{Reason: &someEgress, Args: rule.Args(wording.List(some))})
	case len(policies) > 0:
		rep.Add(rule.Finding{Reason: &noEgress})
	default:
		rep.Add(rule.Finding{Reason: &noPolicy})
	}
	if len(open) > 0 {
		rep.Add(rule.Finding{Reason: &openPolicies, Args: rule.Args(wording.List(open))})
	}
}

const leaveOutRemedy = "leave the service out: `to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]`, for IPv6 `{cidr: ::/0, except: [fd00:ec2::254/128]}`"

const coverRemedy = "add a NetworkPolicy with `podSelector: {}`, `policyTypes: [Egress]` and the egress that jobs need, without 169.254.169.254 and fd00:ec2::254; " +
	"or name the namespace in blockedElsewhere when its nodes block the service"

var (
	openEgress = rule.Reason{
		Name: "open-egress", Severity: rule.Medium, Message: "egress %[1]s reaches the instance metadata service at %[2]s", Remedy: leaveOutRemedy,
	}
	openPolicies = rule.Reason{
		Name: "open-policies", Severity: rule.Medium,
		Message: "NetworkPolicies let the pods that they select reach the instance metadata service, whatever others forbid: %[1]s", Remedy: leaveOutRemedy,
	}
	someEgress = rule.Reason{
		Name: "some-pods-covered", Severity: rule.Medium,
		Message: "no NetworkPolicy keeps all pods from the instance metadata service: those of the type Egress (%[1]s) select only some", Remedy: coverRemedy,
	}
	noEgress = rule.Reason{
		Name: "no-egress-policy", Severity: rule.Medium,
		Message: "no NetworkPolicy keeps pods from the instance metadata service: none is of the type Egress", Remedy: coverRemedy,
	}
	noPolicy = rule.Reason{
		Name: "no-policy", Severity: rule.Medium,
		Message: "no NetworkPolicy keeps pods from the instance metadata service: the namespace has none", Remedy: coverRemedy,
	}
)

// metadataAddresses are those of the instance metadata service.
var metadataAddresses = []netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254")}

// metadataPort is the TCP port of the instance metadata service.
const metadataPort = 80

// opening is one way of a policy to the metadata service.
type opening struct {
	path, what string
	addresses  []string
}

// openings returns all ways of a policy to the metadata service.
func openings(p *networkingv1.NetworkPolicy) []opening {
	if !limitsEgress(p) {
		return nil
	}
	var list []opening
	for i := range p.Spec.Egress {
		e := &p.Spec.Egress[i]
		if !slices.ContainsFunc(e.Ports, isMetadataPort) && len(e.Ports) > 0 {
			continue
		}
		path := fmt.Sprintf("spec.egress[%d]", i)
		if len(e.To) == 0 {
			list = append(list, opening{path, "to anywhere", []string{metadataAddresses[0].String(), metadataAddresses[1].String()}})
		}
		for j := range e.To {
			block := e.To[j].IPBlock // pods and namespaces are never the service
			if block == nil {
				continue
			}
			if reached := reachedBy(block); len(reached) > 0 {
				list = append(list, opening{fmt.Sprintf("%s.to[%d].ipBlock", path, j), "to " + block.CIDR, reached})
			}
		}
	}
	return list
}

// limitsEgress reports whether a policy is of the type Egress. Without policyTypes
// it is when it has rules for egress.
func limitsEgress(p *networkingv1.NetworkPolicy) bool {
	if len(p.Spec.PolicyTypes) == 0 {
		return len(p.Spec.Egress) > 0
	}
	return slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress)
}

func selectsAll(p *networkingv1.NetworkPolicy) bool {
	return len(p.Spec.PodSelector.MatchLabels)+len(p.Spec.PodSelector.MatchExpressions) == 0
}

// isMetadataPort reports whether an entry of ports lets TCP 80 of an address
// outside of the cluster through. A port by name is one of a pod's: an address has
// no such names.
func isMetadataPort(p networkingv1.NetworkPolicyPort) bool {
	switch {
	case p.Protocol != nil && *p.Protocol != corev1.ProtocolTCP:
		return false
	case p.Port == nil:
		return true
	case p.Port.Type == intstr.String:
		return false
	case p.EndPort != nil:
		return p.Port.IntVal <= metadataPort && metadataPort <= *p.EndPort
	}
	return p.Port.IntVal == metadataPort
}

// reachedBy returns the addresses of the service that a block holds.
func reachedBy(b *networkingv1.IPBlock) []string {
	var list []string
	for _, a := range metadataAddresses {
		excepted := slices.ContainsFunc(b.Except, func(cidr string) bool { return holds(cidr, a) })
		if holds(b.CIDR, a) && !excepted {
			list = append(list, a.String())
		}
	}
	return list
}

// holds reports whether an address is in a range. Older API servers stored ranges
// with leading zeros and with IPv4 in the form of IPv6.
func holds(cidr string, a netip.Addr) bool {
	address, bits, ok := strings.Cut(cidr, "/")
	if !ok {
		return false
	}
	if !strings.Contains(address, ":") {
		parts := strings.Split(address, ".")
		for i, part := range parts {
			if trimmed := strings.TrimLeft(part, "0"); trimmed != "" {
				parts[i] = trimmed
			} else if part != "" {
				parts[i] = "0"
			}
		}
		address = strings.Join(parts, ".")
	}
	prefix, err := netip.ParsePrefix(address + "/" + bits)
	if err != nil {
		return false
	}
	const mapped = 96 // bits before the IPv4 address
	if prefix.Addr().Is4In6() && prefix.Bits() >= mapped {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	return prefix.Contains(a)
}
