package roledocument

import "github.com/emrguard/emrguard/pkg/rule"

const (
	oneByOne = "grant the actions and resources that the jobs need, one by one"
	// oneSubject takes the suffix of the role as a hint.
	oneSubject = "write StringLike `<issuer>:sub`: " + accountSubject + "<namespace>:emr-containers-sa-*-*-<account id>-%[4]s, " +
		"as `aws emr-containers update-role-trust-policy` does"
	nameTheRoles = "name the roles that may, or leave the statement out: jobs get the role by sts:AssumeRoleWithWebIdentity"
)

// What is wrong with the policies of a role. The first argument names the policy, with
// the statement where that has a name.
var (
	wholeService = rule.Reason{
		Name: "all-actions", Severity: rule.Medium, Remedy: oneByOne,
		Message: "%[1]s allows all actions of %[2]s on %[3]s",
	}
	notAction = rule.Reason{
		Name: "not-action", Severity: rule.Medium, Remedy: oneByOne,
		Message: "%[1]s allows all actions but %[2]s on %[3]s, by NotAction",
	}
	allResources = rule.Reason{
		Name: "all-resources", Severity: rule.Medium,
		Message: "%[1]s allows %[2]s on %[3]s",
		Remedy:  "name the resources that the jobs need, such as their buckets and prefixes",
	}
	passRole = rule.Reason{
		Name: "pass-role", Severity: rule.Medium,
		Message: "%[1]s allows iam:PassRole on all roles: jobs can hand any role to any service, and work as it",
		Remedy:  "name the roles, and the service by a condition StringEquals on iam:PassedToService",
	}
	broadPolicy = rule.Reason{
		Name: "broad-aws-policy", Severity: rule.Medium, Remedy: oneByOne,
		Message: "the policy %[1]s of AWS gives far more than jobs need",
	}
	unreadable = rule.Reason{
		Name: "unreadable-document", Severity: rule.Medium,
		Message: "%[1]s cannot be read: %[2]s",
		Remedy:  "write a policy document as the grammar of IAM has it; IAM refuses all others",
	}
)

// What is wrong with a trust policy: who may assume the role. The second argument of those
// on subjects is the pattern of subjects, the third the role that it means; the suffix of
// the role is a hint.
var (
	openToAll = rule.Reason{
		Name: "open-to-everybody", Severity: rule.Medium, Remedy: nameTheRoles,
		Message: "%[1]s lets %[2]s assume the role",
	}
	openToAccount = rule.Reason{
		Name: "open-to-aws-account", Severity: rule.Medium, Remedy: nameTheRoles,
		Message: "%[1]s lets everybody in the AWS account %[2]q with the permission sts:AssumeRole assume the role",
	}
	everySubject = rule.Reason{
		Name: "every-service-account", Severity: rule.Medium, Remedy: oneSubject,
		Message: "%[1]s lets every ServiceAccount of the cluster assume the role: no condition on `sub` confines it",
	}
	manyNamespaces = rule.Reason{
		Name: "several-namespaces", Severity: rule.Medium, Remedy: oneSubject,
		Message: "%[1]s lets ServiceAccounts of more than one namespace assume the role: %[2]q",
	}
	unreservedNames = rule.Reason{
		Name: "unreserved-names", Severity: rule.Medium, Remedy: oneSubject,
		Message: "%[1]s lets ServiceAccounts assume the role whose names are not reserved for EMR: %[2]q",
	}
	otherRoles = rule.Reason{
		Name: "accounts-of-other-roles", Severity: rule.Medium, Remedy: oneSubject,
		Message: "%[1]s lets the managed ServiceAccounts of other roles assume this one: %[2]q does not end in the suffix of the role",
	}
	otherRole = rule.Reason{
		Name: "accounts-of-another-role", Severity: rule.Medium, Remedy: oneSubject,
		Message: "%[1]s lets managed ServiceAccounts of the role %[3]s assume this one: %[2]q",
	}
	noAudience = rule.Reason{
		Name: "no-audience", Severity: rule.Medium,
		Message: "%[1]s does not say for which audience a token has to be",
		Remedy:  "add the condition StringEquals `<issuer>:aud`: sts.amazonaws.com; the AWS CLI leaves it out",
	}
)

// Reasons are all reasons of this package, the main one first.
func Reasons() []*rule.Reason {
	return []*rule.Reason{
		&wholeService, &notAction, &allResources, &passRole, &broadPolicy, &unreadable,
		&openToAll, &openToAccount, &everySubject, &manyNamespaces, &unreservedNames, &otherRoles, &otherRole, &noAudience,
	}
}

// Unreadable is the finding about a document that IAM would not take either. what names
// it.
func Unreadable(path, what string, err error) rule.Finding {
	return rule.Finding{Reason: &unreadable, Path: path, Args: rule.Args(what, err.Error())}
}

// Broad is the finding about a policy of AWS with that name.
func Broad(path, name string) rule.Finding {
	return rule.Finding{Reason: &broadPolicy, Path: path, Args: rule.Args(name)}
}
