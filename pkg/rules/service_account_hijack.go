package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

const hijackID = "service-account-hijack"

// service-account-hijack
//
// Guide: "Role-based access control (RBAC) permissions": no permission to create
// pods, which could use a ServiceAccount that is mapped to a role with more rights
// than the user has; and the ServiceAccount name of EMR's pods must not be changed.
//
// Fields: spec.serviceAccountName of Pods and of pod templates, the accounts and
// roles that custom resources and Spark and Flink settings name.
//
// Allowed: EMR and administrators; a workload controller for what it controls; a
// job account for accounts of its own role; every account for itself; for custom
// resources, who stands in emr.roleUsers.
func serviceAccountHijack() rule.Rule {
	return rule.Rule{
		ID:    hijackID,
		Title: "pods run as an account with a role by somebody who may not",
		Doc: "Whoever may create a pod, a workload or a Spark or Flink resource chooses its ServiceAccount, and with it an IAM role. " +
			"Only EMR (its operators too, once `emr.principals.operators` names them) and administrators choose freely; a job account only among the accounts of its own execution role, so that a driver cannot hop to a stronger one; every account may use itself; " +
			"a controller only for a workload that was judged when its author made it, and with the account that the workload names: the workload is looked up. So a pod whose account a mutating webhook changed is refused, whoever made it. " +
			"Custom resources are how the users of the operators submit jobs: `emr.roleUsers` says who may use which roles; while it is empty, a submitter is warned. " +
			"Whoever asks, a pod whose Spark role or EMR component contradicts the component of its account is refused.",
		Remediation: "submit the job through EMR, or run it as an account without a role",
		Guide:       guideRBAC,
		Default:     rule.Deny,
		Requester:   true,
		Targets: slices.Concat(
			[]rule.Target{target("", "v1", "pods", rule.Create)},
			workloadTargets(), customTargets(), sessionJobTargets(),
		),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode(hijackID, &struct{}{}); err != nil {
				return nil, err
			}
			return func(ctx context.Context, r *rule.Request, rep *rule.Report) error { return checkHijack(ctx, s, r, rep) }, nil
		},
	}
}

// sessionJobTargets are Flink jobs in a session cluster that exists.
func sessionJobTargets() []rule.Target {
	return []rule.Target{target("flink.apache.org", "v1beta1", "flinksessionjobs", rule.Create, rule.Update)}
}

func checkHijack(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	if r.Operation == rule.Update && r.Old != nil && object.SameWork(r.Old, r.Object) {
		return nil
	}
	contradictions(r, rep)
	if !mustBeAllowed(r.Requester) {
		return nil
	}
	owner := ownerOfMade(r)
	var errs []error
	seen := map[string]bool{}
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		name := pod.ServiceAccountName()
		if name == "" || seen[name] && owner == nil {
			continue
		}
		seen[name] = true
		sa, err := r.Account(ctx, pod)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		id := identify(sa)
		switch {
		case !id.bearsRole() && !id.managed:
		case owner != nil:
			errs = append(errs, judgeMade(ctx, r, rep, owner, id, pod))
		default:
			judgeUse(s, r, rep, id, pod.FieldPath("serviceAccountName"))
		}
	}
	if owner != nil {
		return errors.Join(errs...)
	}
	if arn := r.Object.ExecutionRole; arn != "" {
		judgeRole(s, r, rep, arn)
	}
	if r.Object.Flink != "" {
		errs = append(errs, judgeSession(ctx, s, r, rep))
	}
	return errors.Join(errs...)
}

// mustBeAllowed reports whether the requester may use only some of the accounts.
func mustBeAllowed(r rule.Requester) bool {
	switch r.Class {
	case rule.EMRService, rule.Administrator, rule.Nobody:
		return false
	case rule.JobAccount, rule.Controller, rule.Submitter:
	}
	return true
}

// judgeUse judges an account that bears a role.
func judgeUse(s rule.Settings, r *rule.Request, rep *rule.Report, id identity, path string) {
	if mayUse(r.Requester, id) {
		return
	}
	f := rule.Finding{
		Path: path, Act: true,
		Message: fmt.Sprintf("%s may not run anything as ServiceAccount %q, which %s", who(r.Requester), id.account.Name, id.describe()),
	}
	if !isCustomResource(r) || r.Requester.Class == rule.JobAccount {
		rep.Add(f)
		return
	}
	if s.MayUse(r.Requester, id.arns()...) {
		return
	}
	judgeCustom(s, rep, f)
}

// judgeMade judges what a controller makes for a workload.
func judgeMade(ctx context.Context, r *rule.Request, rep *rule.Report, owner *metav1.OwnerReference, id identity, pod *object.Pod) error {
	wrong, err := strayed(ctx, r, owner, pod)
	if err != nil || wrong == "" {
		return err
	}
	rep.Add(rule.Finding{
		Path: pod.FieldPath("serviceAccountName"), Act: true,
		Message:     fmt.Sprintf("it is to run as ServiceAccount %q, which %s, but %s", id.account.Name, id.describe(), wrong),
		Remediation: "find what changes the ServiceAccount of objects that controllers make; if the workload itself was just changed or deleted, nothing has to be done",
	})
	return nil
}

// judgeRole judges a role that a custom resource names itself.
func judgeRole(s rule.Settings, r *rule.Request, rep *rule.Report, arn string) {
	f := rule.Finding{
		Path: "spec", Act: true,
		Message: fmt.Sprintf("%s may not run jobs with the execution role %q", who(r.Requester), arn),
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
// names: whoever runs code there runs it as its account.
func judgeSession(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	session, err := r.Cluster.Object(ctx, schema.GroupResource{Group: "flink.apache.org", Resource: "flinkdeployments"}, r.Namespace, r.Object.Flink)
	switch {
	case errors.Is(err, rule.ErrNotFound):
		return nil // nothing runs, and the operator waits
	case err != nil:
		return fmt.Errorf("look up FlinkDeployment %s/%s: %w", r.Namespace, r.Object.Flink, err)
	}
	if session.ExecutionRole != "" {
		judgeRole(s, r, rep, session.ExecutionRole)
	}
	if session.RunsAs == "" {
		return nil
	}
	sa, err := r.Cluster.ServiceAccount(ctx, r.Namespace, session.RunsAs)
	if err != nil && !errors.Is(err, rule.ErrNotFound) {
		return fmt.Errorf("look up ServiceAccount %s/%s: %w", r.Namespace, session.RunsAs, err)
	}
	sa.Namespace, sa.Name = r.Namespace, session.RunsAs
	if id := identify(sa); id.bearsRole() || id.managed {
		judgeUse(s, r, rep, id, "spec.deploymentName")
	}
	return nil
}

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
	return slices.ContainsFunc(slices.Concat(customTargets(), sessionJobTargets()), func(t rule.Target) bool {
		return t.Group == r.Resource.Group && t.Resource == r.Resource.Resource
	})
}

// arns are the ways in which the role of the account may be written. A managed
// name has neither partition nor path, so each partition counts.
func (id identity) arns() []string {
	if id.account.RoleARN != "" {
		return []string{id.account.RoleARN}
	}
	var list []string
	if role := id.name.RoleName(); role != "" && id.name.AccountID != "" {
		for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
			list = append(list, "arn:"+partition+":iam::"+id.name.AccountID+":role/"+role)
		}
	}
	return list
}

// contradictions finds pods whose labels say that they are something else than
// their account is for, whoever made them. Executors may run as the driver's
// account: Spark falls back to it.
func contradictions(r *rule.Request, rep *rule.Report) {
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		id := identify(rule.ServiceAccount{Name: pod.ServiceAccountName()})
		for _, key := range []string{"spark-role", "emr-containers.amazonaws.com/component"} {
			says := pod.Meta.Labels[key]
			wrong := false
			switch id.name.Component {
			case "executor":
				wrong = says == "driver" || says == "job.submitter"
			case "driver":
				wrong = says == "job.submitter"
			case "client":
				wrong = says == "driver" || says == "executor"
			}
			if wrong {
				rep.Add(rule.Finding{
					Path:        object.MapPath(pod.MetaPath+".labels", key),
					Message:     fmt.Sprintf("the label says that the pod is a %s, but ServiceAccount %q is for the %s", says, id.account.Name, id.name.Component),
					Remediation: "find what changed the pod's ServiceAccount on its way, a mutating webhook for one",
					Key:         pod.Role,
				})
			}
		}
	}
}
