package nodes

import (
	"context"
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/podidentity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

//go:embed vpc-cni-credentials.md
var vpccniCredentialsDoc string

// VPCCNICredentials is the rule vpc-cni-credentials.
//
// Guide, "Restrict access to node group IAM role or instance profile credentials":
// "Give the IAM role of a node group the minimum of AWS permissions." The plugin
// therefore needs a role of its own.
//
// Fields: the annotation eks.amazonaws.com/role-arn of the ServiceAccount aws-node
// in kube-system; objects PodIdentityAssociation of ACK.
//
// Allowed: a role by IRSA, or by a Pod Identity association that emrguard can see.
func VPCCNICredentials() rule.Rule {
	t := targets.New("serviceaccounts", rule.Create, rule.Update)
	t.Audit = true // the chart leaves kube-system out
	return rule.Rule{
		ID:         "vpc-cni-credentials",
		Title:      "the VPC CNI plugin with the credentials of its node",
		Doc:        vpccniCredentialsDoc,
		Clauses:    []guide.Clause{emr.ClauseNodes},
		Reasons:    []*rule.Reason{&nodeRole, &unknownRole},
		Reads:      podidentity.Reads(),
		Everywhere: true,
		Targets:    []rule.Target{t},
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("vpc-cni-credentials", &struct{}{}); err != nil {
				return nil, err
			}
			return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
				return checkVPCCNI(ctx, s, r, rep)
			}, nil
		},
	}
}

// The account of the VPC CNI plugin.
const (
	kubeSystem = "kube-system"
	awsNode    = "aws-node"
)

func checkVPCCNI(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	if r.Namespace != kubeSystem || r.Object.Meta.Name != awsNode || r.Object.Meta.Annotations[emr.AnnotationRoleARN] != "" {
		return nil
	}
	associated, err := isAssociated(ctx, r, kubeSystem, awsNode)
	if err != nil || associated {
		return err
	}
	reason := &nodeRole
	if s.PodIdentity {
		reason = &unknownRole
	}
	rep.Add(rule.Finding{Reason: reason, Path: fieldpath.Key("metadata.annotations", emr.AnnotationRoleARN)})
	return nil
}

// isAssociated reports whether an object of ACK gives the account a role by EKS Pod
// Identity. There is none where ACK is not installed.
func isAssociated(ctx context.Context, r *rule.Request, namespace, account string) (bool, error) {
	list, err := podidentity.Associations(ctx, r)
	if err != nil {
		return false, err
	}
	for _, a := range list {
		if a.Spec.Namespace == namespace && a.Spec.ServiceAccount == account {
			return true, nil
		}
	}
	return false, nil
}
