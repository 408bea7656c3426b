package accounts

import (
	"context"
	_ "embed" // the documentation of the rule
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

const hijackID = "service-account-hijack"

//go:embed service-account-hijack.md
var serviceAccountHijackDoc string

// ServiceAccountHijack is the rule service-account-hijack.
//
// Guide, "Role-based access control (RBAC) permissions": keep submitters from "creating
// pods with a Kubernetes ServiceAccount that may be mapped to an IAM role with more AWS
// permissions than the user has", and from changing "the Kubernetes ServiceAccount name
// of pods that Amazon EMR on EKS creates".
//
// Fields: spec.serviceAccountName of Pods and of pod templates, the accounts and
// roles that custom resources and Spark and Flink settings name; the images of Pods
// that run; the labels and owners of Pods, and their deletion, by job accounts.
//
// Allowed: EMR and administrators; a workload controller for what it controls; a
// job account for accounts of its own role; every account for itself; for custom
// resources, who stands in emr.roleUsers.
func ServiceAccountHijack() rule.Rule {
	return rule.Rule{
		ID:      hijackID,
		Title:   "pods run as an account with a role by somebody who may not",
		Doc:     serviceAccountHijackDoc,
		Clauses: []guide.Clause{emr.ClauseRBAC},
		Reasons: hijackReasons(),
		Reads: slices.Concat(rule.ReadsAccounts(), rule.ReadsPlaces(), rule.Reads(rule.Got, "flinkdeployments.flink.apache.org"),
			rule.ReadsWorkloads(rule.ListedOfRequester),
			rule.Reads(rule.GotOfRequester, "replicationcontrollers", "replicasets.apps", "deployments.apps", "statefulsets.apps", "daemonsets.apps",
				"controllerrevisions.apps", "jobs.batch", "cronjobs.batch")),
		Requester: true,
		Targets: slices.Concat(
			[]rule.Target{
				targets.New("pods", rule.Create, rule.Update, rule.Delete),
				targets.Metadata("pods/status", rule.Update), // by which a job account relabels, too
				targets.New("serviceaccounts", rule.Create, rule.Update),
				targets.New("controllerrevisions.apps", rule.Create),
			},
			targets.Workloads(), everywhere(targets.CustomResources()), targets.SessionJobs(),
		),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode(hijackID, &struct{}{}); err != nil {
				return nil, err
			}
			return func(ctx context.Context, r *rule.Request, rep *rule.Report) error { return checkHijack(ctx, s, r, rep) }, nil
		},
	}
}

// everywhere marks the targets whose pods may run in another namespace than their own:
// other operators than Kubeflow's write their own over what the resource says.
func everywhere(targets []rule.Target) []rule.Target {
	for i := range targets {
		switch targets[i].Resource + "." + targets[i].Group {
		case "sparkapplications.sparkoperator.k8s.io", "scheduledsparkapplications.sparkoperator.k8s.io", "jobruns.emrcontainers.services.k8s.aws":
			targets[i].Everywhere = true
		}
	}
	return targets
}

func checkHijack(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	switch {
	case !r.Managed:
		return judgePlace(ctx, s, r, rep)
	case r.Resource.Resource == "serviceaccounts":
		return judgeNewRole(ctx, r, rep)
	case r.IsPod() && r.Operation != rule.Create:
		return judgePodChange(ctx, r, rep)
	case r.Operation == rule.Update && r.Old != nil && object.SameWork(r.Old, r.Object):
		return nil
	}
	contradictions(r, rep)
	if !mustBeAllowed(r.Requester) {
		return nil
	}
	if owner := ownerOfMade(r); owner != nil {
		return judgeMade(ctx, r, rep, owner)
	}
	err := judgeAccounts(ctx, s, r, rep)
	judgeUnread(r, rep)
	job := r.Object.Job
	if job != nil && job.ExecutionRole != "" {
		judgeRole(s, r, rep, job.ExecutionRole)
	}
	if job != nil && job.Session != "" {
		err = errors.Join(err, judgeSession(ctx, s, r, rep))
	}
	return err
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

// judgeAccounts judges the accounts that an object runs as, each once.
func judgeAccounts(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	var errs []error
	seen := map[string]bool{}
	for _, a := range r.Object.Accounts() {
		if seen[a.Name] {
			continue
		}
		seen[a.Name] = true
		sa, exists, err := r.AccountNamed(ctx, a.Name)
		id := identity.Of(sa)
		switch {
		case err != nil:
			errs = append(errs, err)
		case harmlessOperator(s, id):
		case id.BearsRole() || id.Managed:
			judgeUse(s, r, rep, id, a.Path)
		case !exists && !a.Setting:
			judgeMissing(r, rep, a)
		}
	}
	return errors.Join(errs...)
}

// judgeUse judges an account that bears a role, or whose name is EMR's.
func judgeUse(s rule.Settings, r *rule.Request, rep *rule.Report, id identity.Identity, path string) {
	if mayUse(r.Requester, id) {
		return
	}
	f := rule.Finding{Reason: &accountUsed, Path: path, Args: rule.Args(wording.Requester(r.Requester), id.Account.Name, id.Has())}
	if !id.BearsRole() {
		f.Reason = &nameUsed
	}
	switch {
	case !isCustomResource(r) || r.Requester.Class == rule.JobAccount:
	case s.MayUse(r.Requester, id.ARNs()...):
		return
	case id.BearsRole():
		f.Reason = custom(s, &customAccountForbidden, &customAccountOpen)
	default:
		f.Reason = custom(s, &customNameForbidden, &customNameOpen)
	}
	rep.Add(f)
}

// operatorAccounts are the managed names as which EMR's charts install the operators
// and Livy's server, which run nobody's code.
var operatorAccounts = []string{"emr-containers-sa-spark-operator", "emr-containers-sa-flink-operator", "emr-containers-sa-livy"}

// harmlessOperator reports whether the account is an operator's or Livy's that bears no
// role and that the configuration does not list: what it makes is judged as anybody's,
// so nobody wins by running as it. Its name alone makes a namespace EMR's, and charts
// install it by whatever hand.
func harmlessOperator(s rule.Settings, id identity.Identity) bool {
	user := "system:serviceaccount:" + id.Account.Namespace + ":" + id.Account.Name
	return !id.BearsRole() && slices.Contains(operatorAccounts, id.Account.Name) && !slices.Contains(s.Operators, user) && !s.Trusted.Match(user)
}

// judgeMissing warns of an account that does not exist: its role comes later, and
// nobody judges then who may use it. The API server refuses Pods of such an account
// itself, and makes the account "default" of every namespace.
func judgeMissing(r *rule.Request, rep *rule.Report, a object.Account) {
	if r.IsPod() || a.Name == "default" || r.Object.GVK.Kind == "ControllerRevision" {
		return
	}
	rep.Add(rule.Finding{Reason: &accountMissing, Path: a.Path, Args: rule.Args(a.Name)})
}

// judgeMade judges what a controller makes for a workload: the accounts have to be
// those that the workload names.
func judgeMade(ctx context.Context, r *rule.Request, rep *rule.Report, owner *metav1.OwnerReference) error {
	var errs []error
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		if pod.ServiceAccountName() == "" {
			continue
		}
		sa, err := r.Account(ctx, pod)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		id := identity.Of(sa)
		if !id.BearsRole() && !id.Managed {
			continue
		}
		reason, named, err := strayed(ctx, r, owner, pod)
		if err != nil {
			errs = append(errs, err)
		}
		if err != nil || reason == nil {
			continue
		}
		rep.Add(rule.Finding{Reason: reason, Path: pod.FieldPath("serviceAccountName"), Args: rule.Args(id.Account.Name, id.Has(), owner.Kind, owner.Name, named)})
	}
	return errors.Join(errs...)
}

// contradictions finds pods whose labels say that they are something else than
// their account is for, whoever made them. Executors may run as the driver's
// account: Spark falls back to it.
func contradictions(r *rule.Request, rep *rule.Report) {
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		id := identity.Of(rule.ServiceAccount{Name: pod.ServiceAccountName()})
		for _, key := range []string{"spark-role", "emr-containers.amazonaws.com/component"} {
			says := pod.Meta.Labels[key]
			wrong := false
			switch id.Name.Component {
			case "executor":
				wrong = says == "driver" || says == "job.submitter"
			case "driver":
				wrong = says == "job.submitter"
			case "client":
				wrong = says == "driver" || says == "executor"
			}
			if wrong {
				rep.Add(rule.Finding{
					Reason: &contradiction, Path: fieldpath.Key(pod.MetaPath+".labels", key),
					Args: rule.Args(says, id.Account.Name, id.Name.Component), Key: pod.Role,
				})
			}
		}
	}
}
