package accounts

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
)

// mayUse reports whether the requester may let something run as the account, or
// have its token: EMR and administrators may, a job account where the role is its
// own, and every account for itself: it has that role already, and a driver starts
// its executors so. Workload controllers are judged by ownership. Where nobody asks,
// there is nobody to refuse.
func mayUse(r rule.Requester, id identity.Identity) bool {
	if r.User == "system:serviceaccount:"+id.Account.Namespace+":"+id.Account.Name {
		return true
	}
	switch r.Class {
	case rule.EMRService, rule.Administrator, rule.Nobody:
		return true
	case rule.JobAccount:
		return id.Managed && r.Account.SameRole(id.Name)
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

// ownerOfMade returns the owner of an object that a controller makes for a workload
// of the kind that it controls, or nil.
func ownerOfMade(r *rule.Request) *metav1.OwnerReference {
	if r.Requester.Class != rule.Controller {
		return nil
	}
	owner := metav1.GetControllerOfNoCopy(r.Object.Meta)
	if owner == nil {
		return nil
	}
	controls := func(want metav1.TypeMeta) bool { return want.APIVersion == owner.APIVersion && want.Kind == owner.Kind }
	name := r.Requester.User[strings.LastIndexByte(r.Requester.User, ':')+1:]
	if name == "kube-controller-manager" { // one user for all controllers
		for _, want := range owners {
			if controls(want) {
				return owner
			}
		}
		return nil
	}
	if want, ok := owners[name]; ok && controls(want) {
		return owner
	}
	return nil
}

// strayed says what is wrong with a pod of an object that a controller makes for a
// workload, by the account that it is to run as: the workload, which was judged when
// its author made it, has to exist and to name the same account for that pod. Otherwise
// something changed the object on its way to here. The reason is nil when all is well; named
// are the accounts that the workload names instead.
//
// The workload is asked for past every cache, and only for accounts with a role: this
// is the one look-up that tells a controller's own object from a changed one.
func strayed(ctx context.Context, r *rule.Request, ref *metav1.OwnerReference, pod *podspec.Pod) (reason *rule.Reason, named string, err error) {
	owner, err := ownerObject(ctx, r, ref)
	switch {
	case errors.Is(err, rule.ErrNotFound):
		return &ownerGone, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("look up %s %s/%s: %w", ref.Kind, r.Namespace, ref.Name, err)
	case owner.Meta.UID != ref.UID:
		return &ownerOther, "", nil
	}
	list, ok := names(owner, pod)
	if ok {
		return nil, "", nil
	}
	switch revision, err := revisionOf(ctx, r, ref); {
	case err != nil:
		return nil, "", err
	case revision != nil:
		if _, ok := names(revision, pod); ok {
			return nil, "", nil
		}
	}
	if len(list) == 0 {
		list = []string{"none"}
	}
	return &accountChanged, strings.Join(list, ", "), nil
}

// ownerObject looks up an owner, once for all pods of an object.
func ownerObject(ctx context.Context, r *rule.Request, ref *metav1.OwnerReference) (*object.Object, error) {
	res, ok := object.FindKind(schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind())
	if !ok {
		return nil, fmt.Errorf("emrguard does not read %s", ref.Kind) // those of owners it reads
	}
	o, err := r.Once("owner", func() (any, error) { return r.Cluster.Object(ctx, res.GroupResource(), r.Namespace, ref.Name) })
	if err != nil {
		return nil, err
	}
	owner, _ := o.(*object.Object)
	return owner, nil
}

// names reports whether a workload names the account of a pod for pods of that kind:
// its template itself, or the pods of that role that its arguments describe. It
// returns the accounts that it names instead, quoted.
func names(owner *object.Object, pod *podspec.Pod) (list []string, ok bool) {
	for i := range owner.Pods {
		p := &owner.Pods[i]
		if p.Configured != pod.Configured || p.Role != pod.Role {
			continue
		}
		if p.ServiceAccountName() == pod.ServiceAccountName() {
			return nil, true
		}
		list = append(list, strconv.Quote(p.ServiceAccountName()))
	}
	return list, false
}

// revisionOf returns the ControllerRevision of which a pod of a StatefulSet or
// DaemonSet says that it is, or nil. Below the partition of a rolling update, and while
// one goes on, the controller makes pods of an older template than the one that the
// workload has now. Revisions never change, and who makes one by hand is judged then.
func revisionOf(ctx context.Context, r *rule.Request, ref *metav1.OwnerReference) (*object.Object, error) {
	name := r.Object.Meta.Labels[appsv1.ControllerRevisionHashLabelKey]
	if !r.IsPod() || name == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	switch ref.Kind {
	case "StatefulSet":
	case "DaemonSet": // its pods bear the hash alone
		name = ref.Name + "-" + name
	default:
		return nil, nil //nolint:nilnil // their pods have no revision
	}
	o, err := r.Once("revision", func() (any, error) {
		return r.Cluster.Object(ctx, schema.GroupResource{Group: "apps", Resource: "controllerrevisions"}, r.Namespace, name)
	})
	switch {
	case errors.Is(err, rule.ErrNotFound):
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, fmt.Errorf("look up ControllerRevision %s/%s: %w", r.Namespace, name, err)
	}
	revision, _ := o.(*object.Object)
	if owner := metav1.GetControllerOfNoCopy(revision.Meta); owner == nil || owner.UID != ref.UID {
		return nil, nil //nolint:nilnil // somebody else's
	}
	return revision, nil
}
