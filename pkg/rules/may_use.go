package rules

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/rule"
)

// mayUse reports whether the requester may let something run as the account, or
// have its token: EMR and administrators may, a job account where the role is its
// own, and every account for itself: it has that role already, and a driver starts
// its executors so. Workload controllers are judged by ownership. Where nobody asks,
// there is nobody to refuse.
func mayUse(r rule.Requester, id identity) bool {
	if r.User == "system:serviceaccount:"+id.account.Namespace+":"+id.account.Name {
		return true
	}
	switch r.Class {
	case rule.EMRService, rule.Administrator, rule.Nobody:
		return true
	case rule.JobAccount:
		return id.managed && r.Account.SameRole(id.name)
	case rule.Controller, rule.Submitter:
	}
	return false
}

// owners are the workload controllers of the kube-controller-manager with the
// kind whose objects they make.
var owners = map[string]metav1.TypeMeta{
	"cronjob-controller":     {APIVersion: "batch/v1", Kind: "CronJob"},
	"job-controller":         {APIVersion: "batch/v1", Kind: "Job"},
	"daemon-set-controller":  {APIVersion: "apps/v1", Kind: "DaemonSet"},
	"deployment-controller":  {APIVersion: "apps/v1", Kind: "Deployment"},
	"replicaset-controller":  {APIVersion: "apps/v1", Kind: "ReplicaSet"},
	"statefulset-controller": {APIVersion: "apps/v1", Kind: "StatefulSet"},
	"replication-controller": {APIVersion: "v1", Kind: "ReplicationController"},
}

// ownedByCreator reports whether a controller makes an object for a workload of
// the kind that it controls: the workload was judged when its author made it.
func ownedByCreator(r *rule.Request) bool {
	if r.Requester.Class != rule.Controller {
		return false
	}
	i := slices.IndexFunc(r.Object.Meta.OwnerReferences, func(o metav1.OwnerReference) bool { return o.Controller != nil && *o.Controller })
	if i < 0 {
		return false
	}
	owner := r.Object.Meta.OwnerReferences[i]
	name := r.Requester.User[strings.LastIndexByte(r.Requester.User, ':')+1:]
	if name == "kube-controller-manager" { // one user for all controllers
		for _, want := range owners {
			if want.APIVersion == owner.APIVersion && want.Kind == owner.Kind {
				return true
			}
		}
		return false
	}
	want, ok := owners[name]
	return ok && want.APIVersion == owner.APIVersion && want.Kind == owner.Kind
}
