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
	rep.Add(rule.Finding{Reason: &placeUnknown, Path: "spec", Args: rule.Args(place.Unknown, wording.Requester(r.Requester))})
	return nil
}

// judgeUnread refuses what may name an account, or a role, in a field that cannot be
// read. Who wrote it is lost once the operator has made the pods.
func judgeUnread(r *rule.Request, rep *rule.Report) {
	for _, path := range r.Object.UnreadAccounts() {
		rep.Add(rule.Finding{Reason: &accountUnread, Path: path, Args: rule.Args(wording.Requester(r.Requester), path)})
	}
}

// judgeRole judges a role that a custom resource names itself.
func judgeRole(s rule.Settings, r *rule.Request, rep *rule.Report, arn string) {
	f := rule.Finding{Reason: &roleUsed, Path: "spec", Args: rule.Args(wording.Requester(r.Requester), arn)}
	switch {
	case r.Requester.Class == rule.JobAccount:
	case s.MayUse(r.Requester, arn):
		return
	default:
		f.Reason = custom(s, &customRoleForbidden, &customRoleOpen)
	}
	rep.Add(f)
}

// judgeSession judges a job in a Flink session cluster by the cluster that it
// names: whoever runs code there runs it as its accounts.
func judgeSession(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	session, err := r.Cluster.Object(ctx, schema.GroupResource{Group: "flink.apache.org", Resource: "flinkdeployments"}, r.Namespace, r.Object.Job.Session)
	switch {
	case errors.Is(err, rule.ErrNotFound):
		rep.Add(rule.Finding{Reason: &sessionMissing, Path: sessionPath, Args: rule.Args(r.Object.Job.Session)})
		return nil
	case err != nil:
		return fmt.Errorf("look up FlinkDeployment %s/%s: %w", r.Namespace, r.Object.Job.Session, err)
	}
	if job := session.Job; job != nil && job.ExecutionRole != "" {
		judgeRole(s, r, rep, job.ExecutionRole)
	}
	if unread := session.UnreadAccounts(); len(unread) > 0 {
		rep.Add(rule.Finding{Reason: &sessionUnread, Path: sessionPath, Args: rule.Args(wording.Requester(r.Requester), r.Object.Job.Session, unread[0])})
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

// custom is the reason of a finding about a custom resource: the graver one when the
// configuration says who may use which roles, the milder while it does not.
func custom(s rule.Settings, forbidden, open *rule.Reason) *rule.Reason {
	if len(s.RoleUsers) == 0 {
		return open
	}
	return forbidden
}

func isCustomResource(r *rule.Request) bool {
	return slices.ContainsFunc(slices.Concat(targets.CustomResources(), targets.SessionJobs()), func(t rule.Target) bool {
		return t.Group == r.Resource.Group && t.Resource == r.Resource.Resource
	})
}
