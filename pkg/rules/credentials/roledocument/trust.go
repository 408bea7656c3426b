package roledocument

import (
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
		add := func(reason *rule.Reason, args ...string) {
			args = append(rule.Args(statementOf(s, "the trust policy")), args...)
			rep.Add(rule.Finding{Reason: reason, Path: TrustPath, Args: args, Hints: hints(args, roleName)})
		}
		if reason, who := widePrincipal(s); reason != nil && !confines(s, "aws:principalarn") {
			add(reason, who)
		}
		if !isWebIdentity(s) {
			continue
		}
		judgeSubjects(s, roleName, add)
		if !hasAudience(s) {
			add(&noAudience)
		}
	}
}

// hints puts the suffix of the role at the fourth place, where the remedies expect it.
func hints(args []string, roleName string) []string {
	list := make([]string, 4-len(args))
	list[len(list)-1] = emr.EncodeRoleName(roleName)
	return list
}

// widePrincipal tells who may assume the role when that is not one role or user.
func widePrincipal(s *iam.Statement) (reason *rule.Reason, who string) {
	switch {
	case !s.Covers(assumeRole) && !s.Covers(webIdentity):
		return nil, ""
	case len(s.NotPrincipals) > 0:
		return &openToAll, "everybody but a few"
	}
	for _, p := range s.Principals {
		switch {
		case p.Type != iam.PrincipalAWS:
		case iam.HasWildcard(p.Value):
			return &openToAll, "everybody in AWS"
		case s.Covers(assumeRole) && isAccount(p.Value):
			return &openToAccount, p.Value
		}
	}
	return nil, ""
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
func judgeSubjects(s *iam.Statement, roleName string, add func(reason *rule.Reason, args ...string)) {
	conditions := subjectConditions(s)
	if len(conditions) == 0 {
		add(&everySubject)
		return
	}
	var fewest []wideSubject
	for i, c := range conditions {
		var wide []wideSubject
		for _, sub := range readSubjects(c) {
			if w := sub.tooWide(roleName); w.reason != nil {
				wide = append(wide, w)
			}
		}
		if i == 0 || len(wide) < len(fewest) {
			fewest = wide
		}
	}
	for _, w := range fewest {
		add(w.reason, w.args...)
	}
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
