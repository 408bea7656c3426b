package rules

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
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
// something changed the object on its way to here. Empty when all is well.
//
// The workload is asked for past every cache, and only for accounts with a role: this
// is the one look-up that tells a controller's own object from a changed one.
func strayed(ctx context.Context, r *rule.Request, ref *metav1.OwnerReference, pod *object.Pod) (string, error) {
	owner, err := ownerObject(ctx, r, ref)
	switch {
	case errors.Is(err, rule.ErrNotFound):
		return fmt.Sprintf("its %s %q does not exist any more", ref.Kind, ref.Name), nil
	case err != nil:
		return "", fmt.Errorf("look up %s %s/%s: %w", ref.Kind, r.Namespace, ref.Name, err)
	case owner.Meta.UID != ref.UID:
		return fmt.Sprintf("its %s %q is another one than it names as its owner", ref.Kind, ref.Name), nil
	}
	// The template itself, or the pods of that role that its arguments describe.
	var named []string
	for i := range owner.Pods {
		p := &owner.Pods[i]
		if p.Configured != pod.Configured || p.Role != pod.Role {
			continue
		}
		if p.ServiceAccountName() == pod.ServiceAccountName() {
			return "", nil
		}
		named = append(named, strconv.Quote(p.ServiceAccountName()))
	}
	if len(named) == 0 {
		named = []string{"none"}
	}
	return fmt.Sprintf("its %s %q names %s: something has changed the account on its way, a mutating webhook for one", ref.Kind, ref.Name, strings.Join(named, ", ")), nil
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
