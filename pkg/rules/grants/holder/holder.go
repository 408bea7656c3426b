// Package holder tells what a subject of RBAC is to the rules on RBAC: trusted, a
// platform account, a job account or a submitter.
package holder

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Kind is what a subject is to the rules on RBAC.
type Kind uint8

// The kinds of holders.
const (
	Submitter         Kind = iota // a user, a group, an account of a managed namespace
	Trusted                       // may hold it
	Platform                      // an account of another namespace: a platform controller
	JobAccount                    // a job account, in its own namespace
	ForeignJobAccount             // a job account, in another managed namespace or in none
)

// systemUsers and systemGroups are Kubernetes' own, and trusted whoever binds them: what
// they can do is the cluster's own doing. What is bound to other `system:` subjects
// is trusted only in the bindings that Kubernetes ships.
var (
	systemUsers  = []string{"system:kube-controller-manager", "system:kube-scheduler"}
	systemGroups = []string{"system:masters", "system:nodes"}
)

// neverTrusted reports whether everybody, or every ServiceAccount, belongs to the group.
func neverTrusted(s rbac.Subject) bool {
	return s.Kind == rbacv1.GroupKind && (s.Name == "system:authenticated" || s.Name == "system:unauthenticated" ||
		s.Name == "system:serviceaccounts" || strings.HasPrefix(s.Name, "system:serviceaccounts:"))
}

// KindOf says what a subject is for something that it holds, by the grant and the
// paths by which it has it.
func KindOf(s rule.Settings, g Holding, managed func(string) bool) Kind {
	subject := g.Subject
	switch {
	case !neverTrusted(subject) && isTrusted(s, subject), IsShipped(g), setsUpBreakGlass(s, g):
		return Trusted
	case subject.Kind != rbacv1.ServiceAccountKind:
		return Submitter
	case !managed(subject.Namespace) || isPublished(g):
		return Platform
	case !s.JobAccounts.Has(subject.Name):
		return Submitter
	case g.Namespace == subject.Namespace:
		return JobAccount
	}
	return ForeignJobAccount
}

// Holding is what a subject holds of one capability in a namespace ("" for
// cluster-scoped resources). Paths are asked for only when they matter.
type Holding struct {
	Subject     rbac.Subject
	Namespace   string
	Permissions []rbac.Permission
	Paths       func() []rbac.Path
}

// KindAlone says what a subject is, whatever it holds. single is true when that
// depends on what it holds, for which KindOf is there.
func KindAlone(s rule.Settings, subject rbac.Subject, managed func(string) bool) (k Kind, single bool) {
	_, shipped := shippedBindings[subject]
	switch {
	case !neverTrusted(subject) && isTrusted(s, subject):
		return Trusted, false
	case shipped, maySetUpBreakGlass(s, subject):
		return Submitter, true
	case subject.Kind != rbacv1.ServiceAccountKind:
		return Submitter, false
	case !managed(subject.Namespace):
		return Platform, false
	}
	if _, published := publishedRoles[subject.Name]; published {
		return Submitter, true
	}
	if s.JobAccounts.Has(subject.Name) {
		return JobAccount, false
	}
	return Submitter, false
}

// String is the kind in words.
func (k Kind) String() string {
	switch k {
	case Trusted:
		return "trusted"
	case Platform:
		return "platform account"
	case JobAccount:
		return "job account"
	case ForeignJobAccount:
		return "foreign job account"
	case Submitter:
	}
	return "submitter"
}

// IsRoleUser reports whether emr.roleUsers lists the subject.
func IsRoleUser(s rule.Settings, subject rbac.Subject) bool {
	return slices.ContainsFunc(s.RoleUsers, func(u rule.RoleUser) bool {
		if name := subject.UserName(); name != "" {
			return u.Users.Match(name)
		}
		return slices.Contains(u.Groups, subject.Name)
	})
}

func isTrusted(s rule.Settings, subject rbac.Subject) bool {
	switch subject.Kind {
	case rbacv1.UserKind:
		return slices.Contains(systemUsers, subject.Name) || strings.HasPrefix(subject.Name, "eks:") ||
			s.EMRUsers.Match(subject.Name) || s.Administrators.Match(subject.Name) || s.Trusted.Match(subject.Name)
	case rbacv1.GroupKind:
		return slices.Contains(systemGroups, subject.Name) || strings.HasPrefix(subject.Name, "eks:") ||
			slices.Contains(s.AdminGroups, subject.Name) || slices.Contains(s.BreakGlass, subject.Name) || s.Trusted.Match(subject.Name)
	}
	user := subject.UserName()
	return subject.Namespace == "kube-system" || slices.Contains(s.Operators, user) || s.Trusted.Match(user)
}
