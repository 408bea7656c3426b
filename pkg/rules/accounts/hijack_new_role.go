package accounts

import (
	"context"
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
)

// judgeNewRole warns whoever gives an account a role of what runs as the account
// already: it was judged as something without a role. EMR makes accounts for every
// job, under names that nothing could use before; that is not looked at.
func judgeNewRole(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	switch r.Requester.Class {
	case rule.EMRService, rule.Controller, rule.Nobody:
		return nil
	case rule.Administrator, rule.JobAccount, rule.Submitter:
	}
	name, arn := r.Object.Meta.Name, r.Object.Meta.Annotations[emr.AnnotationRoleARN]
	id := identity.Of(rule.NewServiceAccount(r.Namespace, name, arn))
	gains := id.BearsRole() && r.Operation == rule.Create
	if r.Operation == rule.Update && r.Old != nil {
		gains = arn != "" && arn != r.Old.Meta.Annotations[emr.AnnotationRoleARN]
	}
	if !gains || name == "" { // a generated name nobody can have named before
		return nil
	}
	path := "metadata.name"
	if arn != "" {
		path = fieldpath.Key("metadata.annotations", emr.AnnotationRoleARN)
	}
	// A look-up that fails must not stand in the way of an administrator.
	users, all, err := r.Cluster.Users(ctx, r.Namespace, name)
	switch {
	case len(users) > 0:
		rep.Add(rule.Finding{Reason: &roleForUsed, Path: path, Args: rule.Args(name, id.Has(), listed(users))})
	case err != nil || !all:
		rep.Add(rule.Finding{Reason: &roleForUnknown, Path: path, Args: rule.Args(name, id.Has())})
	}
	return nil
}

// listed names the first of a list.
func listed(names []string) string {
	const first = 5
	text := strings.Join(names[:min(first, len(names))], ", ")
	if more := len(names) - first; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
