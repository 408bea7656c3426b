// Package accounts holds the rules on ServiceAccounts: who makes them, who runs as
// them, and who gets at their tokens.
package accounts

import (
	"context"
	_ "embed" // the documentation of the rule
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/changes"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

//go:embed managed-service-account.md
var managedServiceAccountDoc string

const (
	leaveAccounts = "leave EMR's service accounts to EMR and to administrators"
	installer     = leaveAccounts + "; who installs EMR's charts, such as a GitOps controller, belongs in administrators.users"

	mayNotName     = "%[1]s may not create an account with a name that is reserved for EMR"
	mayNotDelete   = "%[1]s may not delete EMR's account %[2]q"
	mayNotAnnotate = "%[1]s may not set or change the annotation %[2]s, which decides the IAM role of pods"
)

// What the requester does; the accounts of operators have remedies of their own.
var (
	roleAnnotation     = rule.Reason{Name: "role-annotation", Severity: rule.Critical, SkipOldComparison: true, Message: mayNotAnnotate, Remedy: leaveAccounts}
	reservedName       = rule.Reason{Name: "reserved-name", Severity: rule.High, SkipOldComparison: true, Message: mayNotName, Remedy: leaveAccounts}
	managedDeleted     = rule.Reason{Name: "deleted", Severity: rule.High, SkipOldComparison: true, Message: mayNotDelete, Remedy: leaveAccounts}
	operatorAnnotation = rule.Reason{Name: "role-annotation-of-operator", Severity: rule.Critical, SkipOldComparison: true, Message: mayNotAnnotate, Remedy: installer}
	operatorName       = rule.Reason{Name: "reserved-name-of-operator", Severity: rule.High, SkipOldComparison: true, Message: mayNotName, Remedy: installer}
	operatorDeleted    = rule.Reason{Name: "operator-deleted", Severity: rule.High, SkipOldComparison: true, Message: mayNotDelete, Remedy: installer}
)

// Names and annotations that do not belong together, whoever wrote them.
var (
	lineBreak = rule.Reason{
		Name: "line-break-in-name", Severity: rule.High,
		Message: "the suffix %[1]q is the role %[2]q with a line break at its end: it was made from `echo` without -n, as in the example of the EMR documentation",
		Remedy:  "the suffix for %[2]q is %[3]s",
	}
	invalidARN = rule.Reason{
		Name: "invalid-role-arn", Severity: rule.High, Message: "%[1]q is not the ARN of an IAM role: %[2]s",
		Remedy: "write arn:<partition>:iam::<account id>:role/<name>",
	}
	roleOfDefault = rule.Reason{
		Name: "role-of-default-account", Severity: rule.High, Message: "the account \"default\" has the role %[1]q, so every pod that names no account gets it",
		Remedy: "give the role to an account of its own",
	}
	otherRole = rule.Reason{
		Name: "name-of-another-role", Severity: rule.High, Message: "the account's name stands for the role %[1]s, its annotation for %[2]q",
		Remedy: "name the role that the account's name encodes; EMR makes a managed account for every execution role",
	}
)

// ManagedServiceAccount is the rule managed-service-account.
//
// Guide, "Role-based access control (RBAC) permissions": pod templates contain "the
// managed service account name. This attribute must not be changed."
//
// Fields: metadata.name and the annotations eks.amazonaws.com/* of
// ServiceAccounts.
//
// Allowed: everything by EMR and administrators that is coherent.
func ManagedServiceAccount() rule.Rule {
	return rule.Rule{
		ID:      "managed-service-account",
		Title:   "EMR's service accounts made, removed or turned to another role",
		Doc:     managedServiceAccountDoc,
		Clauses: []guide.Clause{emr.ClauseRBAC},
		Reasons: []*rule.Reason{
			&roleAnnotation, &reservedName, &managedDeleted, &operatorAnnotation, &operatorName, &operatorDeleted,
			&lineBreak, &invalidARN, &roleOfDefault, &otherRole,
		},
		Requester: true,
		Targets:   rule.On("serviceaccounts", rule.Create, rule.Update, rule.Delete),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("managed-service-account", &struct{}{}); err != nil {
				return nil, err
			}
			return checkManagedServiceAccount, nil
		},
	}
}

func checkManagedServiceAccount(_ context.Context, r *rule.Request, rep *rule.Report) error {
	if r.Requester.Untrusted() {
		judgeAuthor(r, rep)
	}
	if r.Operation != rule.Delete {
		judgeCoherence(r.Object, rep)
	}
	return nil
}

// judgeAuthor finds what a submitter or job account may not do, however
// coherent the result would be.
func judgeAuthor(r *rule.Request, rep *rule.Report) {
	act := func(reason, ofOperator *rule.Reason, path string, args ...string) {
		if slices.Contains(operatorAccounts, r.Object.Meta.Name) {
			reason = ofOperator
		}
		rep.Add(rule.Finding{Reason: reason, Path: path, Args: append(rule.Args(wording.Requester(r.Requester)), args...)})
	}
	name := r.Object.Meta.Name
	managed := emr.IsManagedName(name)
	switch r.Operation {
	case rule.Create:
		// generateName ends in five random characters: the prefix is enough to
		// fit the wildcards of a trust policy.
		if managed || name == "" && emr.IsManagedName(r.Object.Meta.GenerateName) {
			act(&reservedName, &operatorName, "metadata.name")
		}
	case rule.Delete:
		if managed {
			act(&managedDeleted, &operatorDeleted, "metadata.name", name)
		}
		return
	case rule.Update, rule.Connect:
	}
	var before map[string]string
	if r.Old != nil {
		before = r.Old.Meta.Annotations
	}
	after := r.Object.Meta.Annotations
	for _, key := range changes.Keys(before, after) {
		if strings.HasPrefix(key, emr.AnnotationPrefix) {
			act(&roleAnnotation, &operatorAnnotation, fieldpath.Key("metadata.annotations", key), key)
		}
	}
}

// judgeCoherence finds a name and an annotation that do not belong together,
// whoever wrote them.
func judgeCoherence(o *object.Object, rep *rule.Report) {
	path := fieldpath.Key("metadata.annotations", emr.AnnotationRoleARN)
	arn := o.Meta.Annotations[emr.AnnotationRoleARN]
	account, _ := emr.ParseAccount(o.Meta.Name)
	encoded := account.RoleName()

	if strings.HasSuffix(encoded, "\n") {
		right := strings.TrimRight(encoded, "\n")
		rep.Add(rule.Finding{Reason: &lineBreak, Path: "metadata.name", Args: rule.Args(account.Suffix, right, emr.EncodeRoleName(right))})
		return
	}
	if arn == "" {
		return
	}
	role, err := emr.ParseRoleARN(arn)
	switch {
	case err != nil:
		rep.Add(rule.Finding{Reason: &invalidARN, Path: path, Args: rule.Args(arn, err.Error())})
	case o.Meta.Name == "default":
		rep.Add(rule.Finding{Reason: &roleOfDefault, Path: path, Args: rule.Args(arn)})
	case account.HasRole() && !account.Carries(role):
		rep.Add(rule.Finding{Reason: &otherRole, Path: path, Args: rule.Args(wording.RoleOf(account), arn)})
	}
}
