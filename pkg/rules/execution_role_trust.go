package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

const (
	assumeRole  = "sts:AssumeRole"
	webIdentity = "sts:AssumeRoleWithWebIdentity"
	// accountSubject begins the subject of a ServiceAccount's token.
	accountSubject = "system:serviceaccount:"
	// managedHead begins all managed names, and the wider patterns that mean them.
	managedHead = "emr-container"
)

// judgeTrust finds who may assume a role although it was hardly meant.
func judgeTrust(trust *iam.Document, roleName string, rep *rule.Report) {
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
			rep.Add(rule.Finding{Path: trustPath, Message: name + " " + message, Remediation: remediation})
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

// subject is a pattern of token subjects, taken apart.
type subject struct {
	text string
	// namespace and account are patterns.
	namespace, account string
	// never is true for a pattern that fits no ServiceAccount.
	never bool
}

func subjectsOf(s *iam.Statement) []subject {
	var list []subject
	for _, c := range subjectConditions(s) {
		list = append(list, readSubjects(c)...)
	}
	return list
}

func readSubjects(c *iam.Condition) []subject {
	patterns := c.Patterns()
	list := make([]subject, 0, len(patterns))
	for _, p := range patterns {
		list = append(list, readSubject(p))
	}
	return list
}

// readSubject takes `system:serviceaccount:<namespace>:<name>` apart. A wildcard
// stands for any characters, colons too: where one comes before the name, the
// namespace is what comes before it, and any name fits.
func readSubject(text string) subject {
	sub := subject{text: text}
	literal := text
	if i := strings.IndexAny(text, "*?"); i >= 0 {
		literal = text[:i]
	}
	rest, ok := strings.CutPrefix(text, accountSubject)
	if len(literal) < len(accountSubject) {
		ok = false
		if literal != text && strings.HasPrefix(accountSubject, literal) {
			// The wildcard comes before the namespace is reached.
			sub.namespace, sub.account = "*", "*"
			return sub
		}
	}
	if !ok {
		sub.never = true
		return sub
	}
	namespace, account, found := strings.Cut(rest, ":")
	switch {
	case found:
		sub.namespace, sub.account = namespace, account
	case iam.HasWildcard(rest): // which stands for the colon as well
		sub.namespace, sub.account = rest, "*"
	default:
		sub.never = true
	}
	return sub
}

// tooWide says what is wrong with a subject, or nothing.
func (sub subject) tooWide(roleName string) string {
	switch {
	case sub.never:
		return ""
	case iam.HasWildcard(sub.namespace):
		return fmt.Sprintf("lets ServiceAccounts of more than one namespace assume the role: %q", sub.text)
	case !iam.HasWildcard(sub.account):
		if a, ok := emr.ParseAccount(sub.account); ok && a.HasRole() && a.Suffix != emr.EncodeRoleName(roleName) {
			return fmt.Sprintf("lets an account of the role %s assume this one: %q", nameSays(a), sub.text)
		}
		return ""
	}
	head := sub.account[:strings.IndexAny(sub.account, "*?")]
	tail := sub.account[strings.LastIndexAny(sub.account, "*?")+1:]
	suffix := tail[strings.LastIndexByte(tail, '-')+1:]
	switch {
	case !emr.IsManagedName(head):
		return fmt.Sprintf("lets ServiceAccounts assume the role whose names are not reserved for EMR: %q", sub.text)
	case !strings.Contains(tail, "-") || suffix == "":
		return fmt.Sprintf("lets the managed ServiceAccounts of other roles assume this one: %q does not end in the suffix of the role", sub.text)
	case suffix != emr.EncodeRoleName(roleName):
		return fmt.Sprintf("lets the managed ServiceAccounts of the role %s assume this one: %q", nameSays(emr.Account{Suffix: suffix}), sub.text)
	}
	return ""
}

// reachesManaged reports whether a statement of the effect Allow gives the role to
// a managed account: it names such accounts, or its wildcards reach those of a
// managed namespace, or it takes every account of an EKS cluster.
func reachesManaged(r *rule.Request, s *iam.Statement) bool {
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

func (sub subject) reachesManaged(r *rule.Request) bool {
	if sub.never {
		return false
	}
	head, wild := sub.account, strings.IndexAny(sub.account, "*?")
	if wild >= 0 {
		head = sub.account[:wild]
	}
	switch {
	case strings.HasPrefix(head, managedHead):
		return true
	case wild < 0 || !strings.HasPrefix(managedHead, head):
		return false
	case !iam.HasWildcard(sub.namespace):
		return r.IsManaged(sub.namespace)
	}
	managed := r.ManagedNamespaces()
	return len(managed) == 0 || slices.ContainsFunc(managed, func(ns string) bool { return iam.Match(cmp.Or(sub.namespace, "*"), ns) })
}
