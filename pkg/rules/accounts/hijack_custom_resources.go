package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

// judgePlace judges what stands in a namespace that is not EMR's: the engine asks
// again for each of EMR's in which it runs, so only what runs nobody knows where is
// left.
func judgePlace(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	if !mustBeAllowed(r.Requester) || r.Operation == rule.Update && r.Old != nil && object.SameWork(r.Old, r.Object) {
		return nil
	}
	place, err := s.PlaceOf(ctx, r)
	if err != nil || place.Unknown == "" || s.MayUse(r.Requester, r.Object.Job.ExecutionRole) {
		return err
	}
	rep.Add(rule.Finding{
		Action: rule.Warn, Path: "spec", Act: true,
		Message:     fmt.Sprintf("emrguard does not know in which namespace the virtual cluster %q runs its jobs, so nobody judges whether %s may run this one there", place.Unknown, wording.Requester(r.Requester)),
		Remediation: "have the platform team name the virtual cluster in emr.virtualClusters",
	})
	return nil
}

// judgeUnread refuses what may name an account, or a role, in a field that cannot be
// read. Who wrote it is lost once the operator has made the pods.
func judgeUnread(r *rule.Request, rep *rule.Report) {
	for _, path := range r.Object.UnreadAccounts() {
		rep.Add(rule.Finding{
			Path: path, Act: true,
			Message:     fmt.Sprintf("%s may not submit this: emrguard cannot read %s, which may decide as which ServiceAccount it runs", wording.Requester(r.Requester), path),
			Remediation: "give the field the type that the operator's documentation says",
		})
	}
}

// judgeRole judges a role that a custom resource names itself.
func judgeRole(s rule.Settings, r *rule.Request, rep *rule.Report, arn string) {
	f := rule.Finding{
		Path: "spec", Act: true,
		Message: fmt.Sprintf("%s may not run jobs with the execution role %q", wording.Requester(r.Requester), arn),
	}
	if r.Requester.Class == rule.JobAccount {
		rep.Add(f)
		return
	}
	if !s.MayUse(r.Requester, arn) {
		judgeCustom(s, rep, f)
	}
}

// judgeSession judges a job in a Flink session cluster by the cluster that it
// names: whoever runs code there runs it as its accounts.
func judgeSession(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	session, err := r.Cluster.Object(ctx, schema.GroupResource{Group: "flink.apache.org", Resource: "flinkdeployments"}, r.Namespace, r.Object.Job.Session)
	switch {
	case errors.Is(err, rule.ErrNotFound):
		rep.Add(rule.Finding{
			Action: rule.Warn, Path: sessionPath, Act: true,
			Message:     fmt.Sprintf("the session cluster %q does not exist yet: whoever makes it decides as which IAM role this job will run", r.Object.Job.Session),
			Remediation: "create the FlinkDeployment first, then the jobs in it",
		})
		return nil
	case err != nil:
		return fmt.Errorf("look up FlinkDeployment %s/%s: %w", r.Namespace, r.Object.Job.Session, err)
	}
	if job := session.Job; job != nil && job.ExecutionRole != "" {
		judgeRole(s, r, rep, job.ExecutionRole)
	}
	if unread := session.UnreadAccounts(); len(unread) > 0 {
		rep.Add(rule.Finding{
			Path: sessionPath, Act: true,
			Message:     fmt.Sprintf("%s may not run this job in the session cluster %q: emrguard cannot read its %s, which may decide as which ServiceAccount it runs", wording.Requester(r.Requester), r.Object.Job.Session, unread[0]),
			Remediation: "have the field of the FlinkDeployment put right",
		})
	}
	var errs []error
	seen := map[string]bool{}
	for _, a := range session.Accounts() {
		if seen[a.Name] {
			continue
		}
		seen[a.Name] = true
		sa, exists, err := r.AccountNamed(ctx, a.Name)
		id := identity.Of(sa)
		a.Path = sessionPath
		switch {
		case err != nil:
			errs = append(errs, err)
		case id.BearsRole() || id.Managed:
			judgeUse(s, r, rep, id, a.Path)
		case !exists:
			judgeMissing(r, rep, a)
		}
	}
	return errors.Join(errs...)
}

const sessionPath = "spec.deploymentName"

// judgeCustom adds a finding about a custom resource: denied when the
// configuration says who may use which roles, a warning while it does not.
func judgeCustom(s rule.Settings, rep *rule.Report, f rule.Finding) {
	f.Remediation = "have the platform team list you with that role in emr.roleUsers"
	if len(s.RoleUsers) == 0 {
		f.Action = rule.Warn
		f.Remediation = "let emr.roleUsers say who may use which roles"
	}
	rep.Add(f)
}

func isCustomResource(r *rule.Request) bool {
	return slices.ContainsFunc(slices.Concat(targets.CustomResources(), targets.SessionJobs()), func(t rule.Target) bool {
		return t.Group == r.Resource.Group && t.Resource == r.Resource.Resource
	})
}
