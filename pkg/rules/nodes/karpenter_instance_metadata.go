package nodes

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"strconv"

	"github.com/emrguard/emrguard/pkg/apis/karpenter"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const karpenterMetadataID = "karpenter-instance-metadata"

// maxHopLimit is the largest hop limit that EC2 knows.
const maxHopLimit = 64

// karpenterParameters are the parameters of the rule.
type karpenterParameters struct {
	HopLimit int64 `json:"hopLimit" min:"1" max:"64"`
}

//go:embed karpenter-instance-metadata.md
var karpenterInstanceMetadataDoc string

// KarpenterInstanceMetadata is the rule karpenter-instance-metadata.
//
// Guide, "Restrict access to node group IAM role or instance profile credentials":
// "block access to instance profile credentials for all pods that run in a managed
// namespace".
//
// Fields: spec.metadataOptions.{httpTokens,httpPutResponseHopLimit,httpProtocolIPv6,
// httpEndpoint} of EC2NodeClass (karpenter.k8s.aws).
//
// Allowed: fields that are left out of v1, whatever the AMI family: its defaults are
// safe. And anything when the endpoint is disabled.
func KarpenterInstanceMetadata() rule.Rule {
	t := targets.New("ec2nodeclasses.karpenter.k8s.aws", rule.Create, rule.Update)
	return rule.Rule{
		ID:         karpenterMetadataID,
		Title:      "nodes by Karpenter whose metadata service pods can reach",
		Doc:        karpenterInstanceMetadataDoc,
		Clauses:    []guide.Clause{emr.ClauseNodes},
		Reasons:    []*rule.Reason{&hopLimit, &tokensOptional, &metadataOnIPv6},
		Everywhere: true,
		Targets:    []rule.Target{t},
		Parameters: []rule.Parameter{{
			Name: "hopLimit", Type: "integer",
			Doc: "The highest hop limit that is no finding, 1 to 64, by default 1. Where agents in pods need the metadata service the EKS guide allows 2; then every pod reaches it.",
		}},
		New: func(s rule.Settings) (rule.Check, error) {
			p := karpenterParameters{HopLimit: 1}
			if err := s.Decode(karpenterMetadataID, &p); err != nil {
				return nil, err
			}
			if p.HopLimit < 1 || p.HopLimit > maxHopLimit {
				return nil, rule.ParameterError(karpenterMetadataID, fmt.Errorf("hopLimit: %d is not in 1 to %d", p.HopLimit, maxHopLimit))
			}
			return func(_ context.Context, r *rule.Request, rep *rule.Report) error {
				if class, ok := r.Object.Typed.(*karpenter.EC2NodeClass); ok {
					judgeMetadataOptions(metadataOptions(class, r.Object.GVK.Version), p.HopLimit, rep)
				}
				return nil
			}, nil
		},
	}
}

// metadataOptions are the options of a class with the defaults of its version: the
// hop limit was 2 in v1beta1 (Karpenter 0.32 to 0.37), by which pods reach the
// metadata service, and is 1 in v1.
func metadataOptions(class *karpenter.EC2NodeClass, version string) *karpenter.MetadataOptions {
	var m karpenter.MetadataOptions
	if class.Spec.MetadataOptions != nil {
		m = *class.Spec.MetadataOptions
	}
	if m.HTTPPutResponseHopLimit == nil && version == "v1beta1" {
		limit := int64(2)
		m.HTTPPutResponseHopLimit = &limit
	}
	return &m
}

func judgeMetadataOptions(m *karpenter.MetadataOptions, most int64, rep *rule.Report) {
	const path = "spec.metadataOptions."
	if m.HTTPEndpoint == "disabled" {
		return
	}
	if m.HTTPTokens != "" && m.HTTPTokens != "required" {
		rep.Add(rule.Finding{Reason: &tokensOptional, Path: path + "httpTokens", Args: rule.Args(m.HTTPTokens)})
	}
	if limit := m.HTTPPutResponseHopLimit; limit != nil && *limit > most {
		rep.Add(rule.Finding{Reason: &hopLimit, Path: path + "httpPutResponseHopLimit", Args: rule.Args(strconv.FormatInt(*limit, 10))})
	}
	if m.HTTPProtocolIPv6 == "enabled" {
		rep.Add(rule.Finding{Reason: &metadataOnIPv6, Path: path + "httpProtocolIPv6"})
	}
}
