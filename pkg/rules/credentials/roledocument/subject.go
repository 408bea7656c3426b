package roledocument

import (
	"cmp"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

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

// wideSubject is what is wrong with a subject.
type wideSubject struct {
	reason *rule.Reason
	args   []string // after the statement
}

// tooWide tells what is wrong with a subject, if anything is.
func (sub subject) tooWide(roleName string) wideSubject {
	text := rule.Args(sub.text)
	switch {
	case sub.never:
		return wideSubject{}
	case iam.HasWildcard(sub.namespace):
		return wideSubject{&manyNamespaces, text}
	case !iam.HasWildcard(sub.account):
		if a, ok := emr.ParseAccount(sub.account); ok && a.HasRole() && a.Suffix != emr.EncodeRoleName(roleName) {
			return wideSubject{&otherRole, append(text, wording.RoleOf(a))}
		}
		return wideSubject{}
	}
	head := sub.account[:strings.IndexAny(sub.account, "*?")]
	tail := sub.account[strings.LastIndexAny(sub.account, "*?")+1:]
	suffix := tail[strings.LastIndexByte(tail, '-')+1:]
	switch {
	case !emr.IsManagedName(head):
		return wideSubject{&unreservedNames, text}
	case !strings.Contains(tail, "-") || suffix == "":
		return wideSubject{&otherRoles, text}
	case suffix != emr.EncodeRoleName(roleName):
		return wideSubject{&otherRole, append(text, wording.RoleOf(emr.Account{Suffix: suffix}))}
	}
	return wideSubject{}
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
	case strings.HasPrefix(head, ManagedHead):
		return true
	case wild < 0 || !strings.HasPrefix(ManagedHead, head):
		return false
	case !iam.HasWildcard(sub.namespace):
		return r.IsManaged(sub.namespace)
	}
	managed := r.ManagedNamespaces()
	return len(managed) == 0 || slices.ContainsFunc(managed, func(ns string) bool { return iam.Match(cmp.Or(sub.namespace, "*"), ns) })
}
