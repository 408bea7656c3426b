package grants

import (
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
	"github.com/emrguard/emrguard/pkg/rules/grants/holder"
)

// The reasons of the rules on RBAC say who gains something; of what, the rule says. Their
// arguments are the subject, the permissions, where they count, the path, the namespace of
// the subject, and the rule.
const (
	gained    = "%[1]s could %[2]s in %[3]s, by %[4]s"
	withoutIt = "bind a role without it; grant submission through EMR's own API or a custom resource instead"
)

// Users, groups and accounts of managed namespaces. Some permissions are the credentials
// or rights of others themselves.
var (
	submitter       = rule.Reason{Name: "submitter", Severity: rule.High, SkipOldComparison: true, Message: gained, Remedy: withoutIt}
	submitterAtOnce = rule.Reason{Name: "submitter", Severity: rule.Critical, SkipOldComparison: true, Message: gained, Remedy: withoutIt}
	escalator       = rule.Reason{Name: "submitter", Severity: rule.Critical, SkipOldComparison: true, Message: gained, Remedy: "bind a role without it"}
	breakGlass      = rule.Reason{
		Name: "break-glass-impersonation", Severity: rule.Critical, SkipOldComparison: true, Message: gained,
		Remedy: "for people who may break the glass, list the subject in breakGlass.users or breakGlass.userGroups",
	}
	customResources = rule.Reason{
		Name: "custom-resources", Severity: rule.Medium, SkipOldComparison: true, Message: gained,
		Remedy: "let emr.roleUsers say who may submit such resources, and with which roles",
	}
	forbiddenCustomResources = rule.Reason{
		Name: "forbidden-custom-resources", Severity: rule.High, SkipOldComparison: true, Message: gained,
		Remedy: "list the subject in emr.roleUsers",
	}
)

// Other accounts.
var (
	jobAccount = rule.Reason{
		Name: "job-account", Severity: rule.Medium, SkipOldComparison: true, Message: gained,
		Remedy: "bind a role without it; for an account that runs nobody's code, such as an operator's, list it in trustedSubjects",
	}
	foreignJobAccount = rule.Reason{
		Name: "foreign-job-account", Severity: rule.High, SkipOldComparison: true, Message: "a job account reaches out of its namespace: " + gained,
		Remedy: "bind it by a RoleBinding in its own namespace %[5]s instead",
	}
	// The hint stands before the long lists: warnings are cut off at their end.
	platformAccount = rule.Reason{
		Name: "platform-account", Severity: rule.Medium, SkipOldComparison: true,
		Message: "%[1]s, of no managed namespace, could do what %[6]s forbids (trustedSubjects takes platform controllers) in %[3]s: %[2]s, by %[4]s",
		Remedy:  "if it is a platform controller, list it in trustedSubjects; else bind it in the namespaces that it needs",
	}
)

// The guarded namespaces. Only bindings and roles of the whole cluster are asked about at
// admission, where their grants are recorded.
var (
	heldPermission = rule.Reason{
		Name: "held-permission", Severity: rule.Medium, SkipOldComparison: true, Message: gained,
		Remedy: "take it away, or list the subject in trustedSubjects when it is a platform's controller",
	}
	gainedPermission       = atAdmission(&heldPermission, "gained-permission")
	gainingPlatformAccount = atAdmission(&platformAccount, "gaining-platform-account")
)

func atAdmission(of *rule.Reason, name string) rule.Reason {
	r := *of
	r.Name, r.Severity = name, rule.Low
	return r
}

var missingRole = rule.Reason{
	Name: "missing-role", Severity: rule.Medium, SkipOldComparison: true,
	Message: "%[2]s binds %[1]s to %[3]s, which does not exist: its creator will decide what it grants",
	Remedy:  "create the role first",
}

// reasonOf is what a rule has against a holder of a capability in a managed namespace, nil
// when it has nothing.
func reasonOf(s rule.Settings, subject rbac.Subject, kind holder.Kind, id string, permissions []rbac.Permission) *rule.Reason {
	switch kind {
	case holder.Trusted:
		return nil
	case holder.Platform:
		return &platformAccount
	case holder.ForeignJobAccount:
		return &foreignJobAccount
	case holder.JobAccount:
		switch id {
		case capability.ConfigMapWrite, capability.PodCreate, capability.CustomResources:
			return nil // its nature
		}
		return &jobAccount
	case holder.Submitter:
	}
	switch id {
	case capability.CustomResources:
		switch {
		case len(s.RoleUsers) == 0:
			return &customResources
		case holder.IsRoleUser(s, subject):
			return nil
		}
		return &forbiddenCustomResources
	case capability.Escalation:
		if holder.IsBreakGlass(s, permissions) {
			return &breakGlass
		}
		return &escalator
	case capability.ConfigMapWrite, capability.MutatingWebhook:
		return &submitter
	}
	return &submitterAtOnce
}

// guardReason is what rbac-guard-namespaces has against a holder.
func guardReason(r *rule.Request, kind holder.Kind) *rule.Reason {
	existing := r.File || r.Existing()
	switch {
	case kind == holder.Platform && existing:
		return &platformAccount
	case kind == holder.Platform:
		return &gainingPlatformAccount
	case existing:
		return &heldPermission
	}
	return &gainedPermission
}

// Judge says what a subject is to the rules on RBAC, and what they have against what it
// holds of a capability: nil when it may hold it.
func Judge(s rule.Settings, g rbac.Grant, managed func(string) bool) (holder.Kind, *rule.Reason) {
	held := holder.Holding{Subject: g.Subject, Namespace: g.Namespace, Permissions: g.Permissions, Paths: func() []rbac.Path { return g.Paths }}
	kind := holder.KindOf(s, held, managed)
	return kind, reasonOf(s, g.Subject, kind, g.Capability, g.Permissions)
}
