package roledocument

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

// TrustPath is the field of a Role that holds its trust policy.
const TrustPath = "spec.assumeRolePolicyDocument"

const (
	assumeRole  = "sts:AssumeRole"
	webIdentity = "sts:AssumeRoleWithWebIdentity"
	// accountSubject begins the subject of a ServiceAccount's token.
	accountSubject = "system:serviceaccount:"
	// ManagedHead begins all managed names, and the wider patterns that mean them.
	ManagedHead = "emr-container"
)

// JudgeTrust finds who may assume a role although it was hardly meant.
func JudgeTrust(trust *iam.Document, roleName string, rep *rule.Report) {
	for i := range trust.Statements {
		s := &trust.Statements[i]
		if !s.Allow {
			continue
		}
		name := "the trust policy"
		if s.Sid != "" {
			name = fmt.Sprintf("the trust policy, statement %q,", s.Sid)
		}
		add := func(message, remediation string) {
			rep.Add(rule.Finding{Path: TrustPath, Message: name + " " + message, Remediation: remediation})
		}
		if wide := widePrincipal(s); wide != "" && !confines(s, "aws:principalarn") {
			add(fmt.Sprintf("lets %s assume the role", wide), "name the roles that may, or leave the statement out: jobs get the role by sts:AssumeRoleWithWebIdentity")
		}
		if !isWebIdentity(s) {
			continue
		}
		judgeSubjects(s, roleName, add)
		if !hasAudience(s) {
			add("does not say for which audience a token has to be", "add the condition StringEquals `<issuer>:aud`: sts.amazonaws.com; the AWS CLI leaves it out")
		}
	}
}

// widePrincipal says who may assume the role when that is not one role or user.
func widePrincipal(s *iam.Statement) string {
	switch {
	case !s.Covers(assumeRole) && !s.Covers(webIdentity):
		return ""
	case len(s.NotPrincipals) > 0:
		return "everybody but a few"
	}
	for _, p := range s.Principals {
		switch {
		case p.Type != iam.PrincipalAWS:
		case iam.HasWildcard(p.Value):
			return "everybody in AWS"
		case s.Covers(assumeRole) && isAccount(p.Value):
			return fmt.Sprintf("whoever in the AWS account %q may call sts:AssumeRole", p.Value)
		}
	}
	return ""
}

// isAccount reports whether a principal is a whole AWS account: its id, or the ARN
// of its root.
func isAccount(principal string) bool {
	return !strings.Contains(principal, ":") || strings.HasSuffix(principal, ":root")
}

// isWebIdentity reports whether tokens of a Kubernetes cluster get the role by a
// statement: its provider is that of an EKS cluster, or its subjects are accounts.
func isWebIdentity(s *iam.Statement) bool {
	return s.Covers(webIdentity) && (slices.ContainsFunc(s.Principals, isEKSProvider) || slices.ContainsFunc(subjectsOf(s), func(sub subject) bool { return !sub.never }))
}

// isEKSProvider reports whether a principal is the OpenID Connect provider of an
// EKS cluster: oidc.eks.<region>.amazonaws.com, or oidc-eks.<region>.api.aws of a
// dual-stack cluster.
func isEKSProvider(p iam.Principal) bool {
	_, issuer, ok := strings.Cut(p.Value, ":oidc-provider/")
	return ok && p.Type == iam.PrincipalFederated && (strings.HasPrefix(issuer, "oidc.eks.") || strings.HasPrefix(issuer, "oidc-eks."))
}

// subjectConditions are the conditions that confine a statement to subjects.
func subjectConditions(s *iam.Statement) []*iam.Condition {
	return conditionsOn(s, ":sub")
}

func conditionsOn(s *iam.Statement, key string) []*iam.Condition {
	var list []*iam.Condition
	for i := range s.Conditions {
		if c := &s.Conditions[i]; c.Confines() && strings.HasSuffix(strings.ToLower(c.Key), key) {
			list = append(list, c)
		}
	}
	return list
}

func hasAudience(s *iam.Statement) bool {
	return slices.ContainsFunc(conditionsOn(s, ":aud"), func(c *iam.Condition) bool {
		return !slices.ContainsFunc(c.Patterns(), iam.HasWildcard)
	})
}

// judgeSubjects finds accounts beyond those of one namespace and this role. All
// conditions have to hold, so one that is narrow is enough.
func judgeSubjects(s *iam.Statement, roleName string, add func(message, remediation string)) {
	conditions := subjectConditions(s)
	if len(conditions) == 0 {
		add("lets every ServiceAccount of the cluster assume the role: no condition on `sub` confines it", subjectRemediation(roleName))
		return
	}
	var fewest []string
	for i, c := range conditions {
		var wide []string
		for _, sub := range readSubjects(c) {
			if why := sub.tooWide(roleName); why != "" {
				wide = append(wide, why)
			}
		}
		if i == 0 || len(wide) < len(fewest) {
			fewest = wide
		}
	}
	for _, why := range fewest {
		add(why, subjectRemediation(roleName))
	}
}

func subjectRemediation(roleName string) string {
	return fmt.Sprintf("write StringLike `<issuer>:sub`: %s<namespace>:emr-containers-sa-*-*-<account id>-%s, as `aws emr-containers update-role-trust-policy` does",
		accountSubject, emr.EncodeRoleName(roleName))
}

// ReachesManaged reports whether a statement of the effect Allow gives the role to
// a managed account: it names such accounts, or its wildcards reach those of a
// managed namespace, or it takes every account of an EKS cluster.
func ReachesManaged(r *rule.Request, s *iam.Statement) bool {
	if !isWebIdentity(s) {
		return false
	}
	conditions := subjectConditions(s)
	if len(conditions) == 0 {
		return true
	}
	// All conditions have to hold: each has to reach one.
	return !slices.ContainsFunc(conditions, func(c *iam.Condition) bool {
		return !slices.ContainsFunc(readSubjects(c), func(sub subject) bool { return sub.reachesManaged(r) })
	})
}
