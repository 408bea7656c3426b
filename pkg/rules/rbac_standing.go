package rules

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// standing is what a subject is to the rules on RBAC.
type standing uint8

const (
	ordinary  standing = iota // users, groups, accounts of managed namespaces: denied
	free                      // may hold it
	elsewhere                 // an account of another namespace: a platform controller
	jobItself                 // a job account, in its own namespace
	jobAbroad                 // a job account, in another managed namespace or in none
)

// systemUsers and systemGroups are Kubernetes' own, free whoever binds them: what
// they can do is the cluster's own doing. What is bound to other `system:` subjects
// is free only in the bindings that Kubernetes ships.
var (
	systemUsers  = []string{"system:kube-controller-manager", "system:kube-scheduler"}
	systemGroups = []string{"system:masters", "system:nodes"}
)

// neverFree are groups to which everybody, or every account, belongs.
func neverFree(s rbac.Subject) bool {
	return s.Kind == rbacv1.GroupKind && (s.Name == "system:authenticated" || s.Name == "system:unauthenticated" ||
		s.Name == "system:serviceaccounts" || strings.HasPrefix(s.Name, "system:serviceaccounts:"))
}

// standingOf says what a subject is for something that it holds, by the grant and the
// paths by which it has it.
func standingOf(s rule.Settings, g held, managed func(string) bool) standing {
	subject := g.subject
	switch {
	case !neverFree(subject) && isFree(s, subject), isShipped(g), setsUpBreakGlass(s, g):
		return free
	case subject.Kind != rbacv1.ServiceAccountKind:
		return ordinary
	case !managed(subject.Namespace) || isPublished(g):
		return elsewhere
	case !s.JobAccounts.Has(subject.Name):
		return ordinary
	case g.namespace == subject.Namespace:
		return jobItself
	}
	return jobAbroad
}

// held is what a subject holds of one capability in a namespace ("" for
// cluster-scoped resources). Paths are asked for only when they matter.
type held struct {
	subject     rbac.Subject
	namespace   string
	permissions []rbac.Permission
	paths       func() []rbac.Path
}

// String is the standing in words.
func (st standing) String() string {
	switch st {
	case free:
		return "trusted"
	case elsewhere:
		return "platform account"
	case jobItself:
		return "job account"
	case jobAbroad:
		return "job account outside of its namespace"
	case ordinary:
	}
	return "submitter"
}

// follows says what follows when somebody of this standing gains a capability.
func (st standing) follows(s rule.Settings, subject rbac.Subject, capability string) rule.Action {
	switch st {
	case free:
		return rule.Off
	case elsewhere:
		return rule.Warn
	case jobItself:
		if capability == rbacConfigMapWriteID || capability == rbacPodCreateID || capability == rbacCustomResourcePart {
			return rule.Off // its nature
		}
		return rule.Warn
	case jobAbroad:
		return rule.Deny
	case ordinary:
	}
	switch {
	case capability != rbacCustomResourcePart:
		return rule.Deny
	case isRoleUser(s, subject):
		return rule.Off
	case len(s.RoleUsers) == 0:
		return rule.Warn
	}
	return rule.Deny
}

// Judge says what the rules on RBAC make of what somebody holds of a capability: Off
// when it may, else Warn or Deny, as by default; and what the subject is, in words.
func Judge(s rule.Settings, g rbac.Grant, managed func(string) bool) (rule.Action, string) {
	st := standingOf(s, held{g.Subject, g.Namespace, g.Permissions, func() []rbac.Path { return g.Paths }}, managed)
	return st.follows(s, g.Subject, g.Capability), st.String()
}

// isRoleUser reports whether emr.roleUsers lists the subject.
func isRoleUser(s rule.Settings, subject rbac.Subject) bool {
	return slices.ContainsFunc(s.RoleUsers, func(u rule.RoleUser) bool {
		if name := subject.UserName(); name != "" {
			return u.Users.Match(name)
		}
		return slices.Contains(u.Groups, subject.Name)
	})
}

func isFree(s rule.Settings, subject rbac.Subject) bool {
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
