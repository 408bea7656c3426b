package accounts

import "github.com/emrguard/emrguard/pkg/rule"

const (
	throughEMR  = "submit the job through EMR, or run it as an account whose name is not reserved and that has no role"
	leavePod    = "leave the pod to whoever runs it; run another one as an account without a role"
	findChanger = "find what changes the ServiceAccount of objects that controllers make; if the workload itself was just changed or deleted, nothing has to be done"
	listedUser  = "have the platform team list you with that role in emr.roleUsers"
	listUsers   = "let emr.roleUsers say who may use which roles"

	usesAccount  = "%[1]s may not run anything as ServiceAccount %[2]q, which has %[3]s"
	usesReserved = "%[1]s may not run anything as ServiceAccount %[2]q, whose name is reserved for EMR"
	usesRole     = "%[1]s may not run jobs with the execution role %[2]q"
)

// What the requester runs, or would run.
var (
	accountUsed = rule.Reason{Name: "account-with-role", Severity: rule.Critical, SkipOldComparison: true, Message: usesAccount, Remedy: throughEMR}
	nameUsed    = rule.Reason{
		Name: "reserved-name", Severity: rule.High, SkipOldComparison: true, Message: usesReserved,
		Remedy: "submit the job through EMR, or run it as an account of another name; who installs EMR's charts, such as a GitOps controller, belongs in administrators.users",
	}
	roleUsed = rule.Reason{Name: "execution-role", Severity: rule.Critical, SkipOldComparison: true, Message: usesRole, Remedy: throughEMR}

	// Custom resources, by what the configuration says of who may use which roles.
	customAccountForbidden = rule.Reason{Name: "custom-resource-account-not-listed", Severity: rule.Critical, SkipOldComparison: true, Message: usesAccount, Remedy: listedUser}
	customNameForbidden    = rule.Reason{Name: "custom-resource-name-not-listed", Severity: rule.High, SkipOldComparison: true, Message: usesReserved, Remedy: listedUser}
	customRoleForbidden    = rule.Reason{Name: "custom-resource-role-not-listed", Severity: rule.Critical, SkipOldComparison: true, Message: usesRole, Remedy: listedUser}
	customAccountOpen      = rule.Reason{Name: "custom-resource-account", Severity: rule.Medium, SkipOldComparison: true, Message: usesAccount, Remedy: listUsers}
	customNameOpen         = rule.Reason{Name: "custom-resource-reserved-name", Severity: rule.Medium, SkipOldComparison: true, Message: usesReserved, Remedy: listUsers}
	customRoleOpen         = rule.Reason{Name: "custom-resource-execution-role", Severity: rule.Medium, SkipOldComparison: true, Message: usesRole, Remedy: listUsers}

	accountUnread = rule.Reason{
		Name: "unreadable-account", Severity: rule.High, SkipOldComparison: true,
		Message: "%[1]s may not submit this: emrguard cannot read %[2]s, which may decide as which ServiceAccount it runs",
		Remedy:  "give the field the type that the operator's documentation says",
	}
	sessionUnread = rule.Reason{
		Name: "unreadable-account-of-session", Severity: rule.High, SkipOldComparison: true,
		Message: "%[1]s may not run this job in the session cluster %[2]q: emrguard cannot read its %[3]s, which may decide as which ServiceAccount it runs",
		Remedy:  "have the field of the FlinkDeployment put right",
	}
	accountMissing = rule.Reason{
		Name: "missing-account", Severity: rule.Medium, SkipOldComparison: true,
		Message: "ServiceAccount %[1]q does not exist yet: whoever makes it decides as which IAM role this will run",
		Remedy:  "create the ServiceAccount first, then what runs as it",
	}
	sessionMissing = rule.Reason{
		Name: "missing-session", Severity: rule.Medium, SkipOldComparison: true,
		Message: "the session cluster %[1]q does not exist yet: whoever makes it decides as which IAM role this job will run",
		Remedy:  "create the FlinkDeployment first, then the jobs in it",
	}
	placeUnknown = rule.Reason{
		Name: "unknown-virtual-cluster", Severity: rule.Medium, SkipOldComparison: true,
		Message: "emrguard does not know in which namespace the virtual cluster %[1]q runs its jobs, so nobody judges whether %[2]s may run this one there",
		Remedy:  "have the platform team name the virtual cluster in emr.virtualClusters",
	}
)

// What a controller makes for a workload, and labels that contradict an account.
var (
	ownerGone = rule.Reason{
		Name: "owner-is-gone", Severity: rule.Critical, SkipOldComparison: true, Remedy: findChanger,
		Message: "it is to run as ServiceAccount %[1]q, which has %[2]s, but its %[3]s %[4]q does not exist any more",
	}
	ownerOther = rule.Reason{
		Name: "owner-is-another", Severity: rule.Critical, SkipOldComparison: true, Remedy: findChanger,
		Message: "it is to run as ServiceAccount %[1]q, which has %[2]s, but its %[3]s %[4]q is another one than it names as its owner",
	}
	accountChanged = rule.Reason{
		Name: "account-changed-on-its-way", Severity: rule.Critical, SkipOldComparison: true, Remedy: findChanger,
		Message: "it is to run as ServiceAccount %[1]q, which has %[2]s, but its %[3]s %[4]q names %[5]s: something has changed the account on its way, a mutating webhook for one",
	}
	contradiction = rule.Reason{
		Name: "component-of-another-account", Severity: rule.High,
		Message: "the label says that the pod is a %[1]s, but ServiceAccount %[2]q is for the %[3]s",
		Remedy:  "find what changed the pod's ServiceAccount on its way, a mutating webhook for one",
	}
)

// What the requester does to a running pod of an account with a role.
var (
	podDeleted = rule.Reason{
		Name: "pod-deleted", Severity: rule.High, SkipOldComparison: true, Remedy: leavePod,
		Message: "%[1]s may not delete the pod %[2]q, which runs as ServiceAccount %[3]q, which has %[4]s",
	}
	imageChanged = rule.Reason{
		Name: "image-changed", Severity: rule.Critical, SkipOldComparison: true, Remedy: leavePod,
		Message: "%[1]s may not change the image of container %[5]q of the pod %[2]q, which runs as ServiceAccount %[3]q, which has %[4]s",
	}
	labelsChanged = rule.Reason{
		Name: "labels-changed", Severity: rule.High, SkipOldComparison: true, Remedy: leavePod,
		Message: "%[1]s may not change the labels of the pod %[2]q, which runs as ServiceAccount %[3]q, which has %[4]s",
	}
	ownersChanged = rule.Reason{
		Name: "owners-changed", Severity: rule.High, SkipOldComparison: true, Remedy: leavePod,
		Message: "%[1]s may not change the owners of the pod %[2]q, which runs as ServiceAccount %[3]q, which has %[4]s",
	}
)

// An account that gets a role while something runs as it.
var (
	roleForUsed = rule.Reason{
		Name: "role-for-account-in-use", Severity: rule.Medium, SkipOldComparison: true,
		Message: "ServiceAccount %[1]q, which has %[2]s now, is in use already: %[3]s",
		Remedy:  "see to it that each may have the role, or give the role to an account of another name",
	}
	roleForUnknown = rule.Reason{
		Name: "role-for-account-perhaps-in-use", Severity: rule.Low, SkipOldComparison: true,
		Message: "ServiceAccount %[1]q, which has %[2]s now, may be in use already: not everything could be looked at",
		Remedy:  "look for Pods and workloads that run as it",
	}
)

func hijackReasons() []*rule.Reason {
	return []*rule.Reason{
		&accountUsed, &nameUsed, &roleUsed,
		&customAccountForbidden, &customNameForbidden, &customRoleForbidden, &customAccountOpen, &customNameOpen, &customRoleOpen,
		&accountUnread, &sessionUnread, &accountMissing, &sessionMissing, &placeUnknown,
		&ownerGone, &ownerOther, &accountChanged, &contradiction,
		&podDeleted, &imageChanged, &labelsChanged, &ownersChanged,
		&roleForUsed, &roleForUnknown,
	}
}
