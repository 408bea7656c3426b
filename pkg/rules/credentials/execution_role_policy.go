package credentials

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/credentials/roledocument"
	"github.com/emrguard/emrguard/pkg/rules/internal/podidentity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

// What the rule looks up.
var (
	iamRoles    = schema.GroupResource{Group: "iam.services.k8s.aws", Resource: "roles"}
	iamPolicies = schema.GroupResource{Group: "iam.services.k8s.aws", Resource: "policies"}
)

const executionRolePolicyID = "execution-role-policy"

// executionRoleParameters are the parameters of the rule.
type executionRoleParameters struct {
	ExecutionRoles []string `json:"executionRoles" syntax:"role-name"`
}

//go:embed execution-role-policy.md
var executionRolePolicyDoc string

// ExecutionRolePolicy is the rule execution-role-policy.
//
// Guide, "Apply principle of least privilege": "Give execution roles only the minimum
// of permissions that a job needs." They "are mapped to Kubernetes service accounts by
// the trust policy of the IAM role".
//
// Fields: spec.{assumeRolePolicyDocument,inlinePolicies,policies,policyRefs} of Role
// and spec.policyDocument of Policy (iam.services.k8s.aws).
//
// Allowed: roles that no managed account can assume and no parameter lists.
func ExecutionRolePolicy() rule.Rule {
	return rule.Rule{
		ID:         executionRolePolicyID,
		Title:      "execution roles that may do too much, or that too many may assume",
		Doc:        executionRolePolicyDoc,
		Clauses:    []guide.Clause{emr.ClauseLeastPrivilege},
		Reasons:    roledocument.Reasons(),
		Reads:      slices.Concat(rule.ReadsNamespaces(), rule.Reads(rule.Listed, iamRoles.String(), iamPolicies.String()), podidentity.Reads()),
		Everywhere: true,
		Targets: []rule.Target{
			targets.New("roles.iam.services.k8s.aws", rule.Create, rule.Update),
			targets.New("policies.iam.services.k8s.aws", rule.Create, rule.Update),
		},
		Parameters: []rule.Parameter{{
			Name: "executionRoles", Type: "list of patterns",
			Doc: "Further execution roles, by name (`team-a-*`) or ARN, whatever their trust policies say: those of EKS Pod Identity, which name no account.",
		}},
		New: func(s rule.Settings) (rule.Check, error) {
			var p executionRoleParameters
			if err := s.Decode(executionRolePolicyID, &p); err != nil {
				return nil, err
			}
			listed, err := pattern.ParseSet(p.ExecutionRoles)
			if err != nil {
				return nil, rule.ParameterError(executionRolePolicyID, fmt.Errorf("executionRoles%w", err))
			}
			// The ARN of a role is known only when it exists in AWS: until then the
			// name in the pattern decides.
			names := make([]string, 0, len(p.ExecutionRoles))
			for i, text := range p.ExecutionRoles {
				name := text[strings.LastIndexByte(text, '/')+1:]
				if name == "" {
					return nil, rule.ParameterError(executionRolePolicyID, fmt.Errorf("executionRoles[%d]: it ends in /: a role's name belongs there", i))
				}
				names = append(names, name)
			}
			byName, err := pattern.ParseSet(names)
			if err != nil {
				return nil, rule.ParameterError(executionRolePolicyID, fmt.Errorf("executionRoles%w", err))
			}
			j := &roleJudge{listed: listed, byName: byName}
			return j.check, nil
		},
	}
}

// roleJudge judges roles and policies of IAM.
type roleJudge struct {
	// listed are the patterns of the configuration, byName the names in them.
	listed, byName pattern.Set
}

func (j *roleJudge) check(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	switch o := r.Object.Typed.(type) {
	case *ack.Role:
		return j.judgeRole(ctx, r, o, rep)
	case *ack.Policy:
		return j.judgePolicy(ctx, r, o, rep)
	}
	return nil
}

func (j *roleJudge) judgeRole(ctx context.Context, r *rule.Request, role *ack.Role, rep *rule.Report) error {
	execution, err := j.isExecutionRole(ctx, r, role)
	if err != nil || !execution {
		return err
	}
	if trust, err := iam.Parse(role.Spec.AssumeRolePolicyDocument); err != nil {
		rep.Add(roledocument.Unreadable(roledocument.TrustPath, "the trust policy", err))
	} else {
		roledocument.JudgeTrust(trust, role.Spec.Name, rep)
	}
	for _, name := range slices.Sorted(maps.Keys(role.Spec.InlinePolicies)) {
		roledocument.JudgePermissions(role.Spec.InlinePolicies[name], fieldpath.Key("spec.inlinePolicies", name), fmt.Sprintf("the policy %q", name), rep)
	}
	for i, arn := range role.Spec.Policies {
		if name := iam.BroadPolicy(arn); name != "" {
			rep.Add(roledocument.Broad(fmt.Sprintf("spec.policies[%d]", i), name))
		}
	}
	// An audit judges the Policies themselves.
	if r.Existing() {
		return nil
	}
	if len(role.Spec.PolicyRefs)+len(role.Spec.Policies) == 0 {
		return nil
	}
	policies, err := r.Cluster.Objects(ctx, iamPolicies, "")
	if err != nil {
		return fmt.Errorf("look up the policies of the role: %w", err)
	}
	for _, o := range policies {
		if p, ok := o.Typed.(*ack.Policy); ok {
			if at := attachedAt(role, p); at != "" {
				roledocument.JudgePermissions(p.Spec.PolicyDocument, at, fmt.Sprintf("the policy %q", p.Spec.Name), rep)
			}
		}
	}
	return nil
}

// judgePolicy judges a Policy that an execution role refers to.
func (j *roleJudge) judgePolicy(ctx context.Context, r *rule.Request, policy *ack.Policy, rep *rule.Report) error {
	roles, err := r.Cluster.Objects(ctx, iamRoles, "")
	if err != nil {
		return fmt.Errorf("look up the IAM roles that use the policy: %w", err)
	}
	for _, o := range roles {
		role, ok := o.Typed.(*ack.Role)
		if !ok || attachedAt(role, policy) == "" {
			continue
		}
		execution, err := j.isExecutionRole(ctx, r, role)
		if err != nil {
			return err
		}
		if execution {
			roledocument.JudgePermissions(policy.Spec.PolicyDocument, "spec.policyDocument", fmt.Sprintf("the policy of execution role %q", role.Spec.Name), rep)
			return nil
		}
	}
	return nil
}

// attachedAt is the field by which a role refers to a policy, empty when it does
// not.
func attachedAt(role *ack.Role, policy *ack.Policy) string {
	for i, ref := range role.Spec.PolicyRefs {
		namespace := ref.From.Namespace
		if namespace == "" {
			namespace = role.Namespace
		}
		if ref.From.Name == policy.Name && namespace == policy.Namespace {
			return fmt.Sprintf("spec.policyRefs[%d]", i)
		}
	}
	for i, arn := range role.Spec.Policies {
		_, path, ok := strings.Cut(arn, ":policy/")
		if ok && !strings.Contains(arn, ":iam::aws:") && path[strings.LastIndexByte(path, '/')+1:] == policy.Spec.Name {
			return fmt.Sprintf("spec.policies[%d]", i)
		}
	}
	return ""
}

// isExecutionRole reports whether jobs of EMR can run as a role.
func (j *roleJudge) isExecutionRole(ctx context.Context, r *rule.Request, role *ack.Role) (bool, error) {
	if arn := role.Status.ACKResourceMetadata.ARN; arn != "" && j.listed.Match(arn) || j.byName.Match(role.Spec.Name) {
		return true, nil
	}
	text := role.Spec.AssumeRolePolicyDocument
	trust, err := iam.Parse(text)
	if err != nil {
		// IAM will not take it. It is said where it was meant for EMR.
		return strings.Contains(text, roledocument.ManagedHead), nil //nolint:nilerr // judgeRole reports it
	}
	podIdentity := false
	for i := range trust.Statements {
		s := &trust.Statements[i]
		if !s.Allow {
			continue
		}
		if roledocument.ReachesManaged(r, s) {
			return true, nil
		}
		podIdentity = podIdentity || slices.Contains(s.Principals, iam.Principal{Type: iam.PrincipalService, Value: emr.AudiencePodIdentity})
	}
	if !podIdentity {
		return false, nil
	}
	list, err := podidentity.Associations(ctx, r)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(a *ack.PodIdentityAssociation) bool {
		return emr.IsManagedName(a.Spec.ServiceAccount) && gives(a, role)
	}), nil
}

// gives reports whether an association gives the role.
func gives(a *ack.PodIdentityAssociation, role *ack.Role) bool {
	if arn, err := emr.ParseRoleARN(a.Spec.RoleARN); err == nil {
		return arn.Name == role.Spec.Name
	}
	from := a.Spec.RoleRef.From
	return from.Name != "" && from.Name == role.Name && (from.Namespace == role.Namespace || from.Namespace == "" && a.Namespace == role.Namespace)
}
