// Package accounts holds the rules on ServiceAccounts: who makes them, who runs as
// them, and who gets at their tokens.
package accounts

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/changes"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

//go:embed managed-service-account.md
var managedServiceAccountDoc string

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
		ID:          "managed-service-account",
		Title:       "EMR's service accounts made, removed or turned to another role",
		Doc:         managedServiceAccountDoc,
		Remediation: "leave EMR's service accounts to EMR and to administrators",
		Guide:       guide.RBAC,
		Default:     rule.Deny,
		Requester:   true,
		Targets:     []rule.Target{targets.New("", "v1", "serviceaccounts", rule.Create, rule.Update, rule.Delete)},
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
	act := func(path, message string) {
		f := rule.Finding{Path: path, Message: fmt.Sprintf("%s %s", wording.Requester(r.Requester), message), Act: true}
		if slices.Contains(operatorAccounts, r.Object.Meta.Name) {
			f.Remediation = "leave EMR's service accounts to EMR and to administrators; who installs EMR's charts, such as a GitOps controller, belongs in administrators.users"
		}
		rep.Add(f)
	}
	name := r.Object.Meta.Name
	managed := emr.IsManagedName(name)
	switch r.Operation {
	case rule.Create:
		// generateName ends in five random characters: the prefix is enough to
		// fit the wildcards of a trust policy.
		if managed || name == "" && emr.IsManagedName(r.Object.Meta.GenerateName) {
			act("metadata.name", "may not create an account with a name that is reserved for EMR")
		}
	case rule.Delete:
		if managed {
			act("metadata.name", fmt.Sprintf("may not delete EMR's account %q", name))
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
			act(fieldpath.Key("metadata.annotations", key), fmt.Sprintf("may not set or change the annotation %s, which decides the IAM role of pods", key))
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
		rep.Add(rule.Finding{
			Path: "metadata.name",
			Message: fmt.Sprintf("the suffix %q is the role %q with a line break at its end: it was made from `echo` without -n, as in the example of the EMR documentation",
				account.Suffix, right),
			Remediation: fmt.Sprintf("the suffix for %q is %s", right, emr.EncodeRoleName(right)),
		})
		return
	}
	if arn == "" {
		return
	}
	role, err := emr.ParseRoleARN(arn)
	switch {
	case err != nil:
		rep.Add(rule.Finding{
			Path:        path,
			Message:     fmt.Sprintf("%q is not the ARN of an IAM role: %v", arn, err),
			Remediation: "write arn:<partition>:iam::<account id>:role/<name>",
		})
	case o.Meta.Name == "default":
		rep.Add(rule.Finding{
			Path:        path,
			Message:     fmt.Sprintf("the account \"default\" has the role %q, so every pod that names no account gets it", arn),
			Remediation: "give the role to an account of its own",
		})
	case account.HasRole() && !account.Carries(role):
		rep.Add(rule.Finding{
			Path:        path,
			Message:     fmt.Sprintf("the account's name stands for the role %s, its annotation for %q", wording.RoleOf(account), arn),
			Remediation: "name the role that the account's name encodes; EMR makes a managed account for every execution role",
		})
	}
}
