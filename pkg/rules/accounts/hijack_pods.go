package accounts

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

// judgePodChange judges what somebody does to a pod that runs. Of its spec the API
// server lets nobody change what decides who it is or what code it runs but the images
// of its containers: the kubelet restarts a container whose image changed, with the
// token of the pod. Job accounts, which may delete and patch pods by the Role that EMR
// gives them, leave those of another role alone: its labels decide which Service and
// which job a pod belongs to, its owner when it is deleted.
//
// Deletions by people are ordinary, and controllers only carry out what others decided.
func judgePodChange(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	if !r.Requester.Untrusted() || len(r.Object.Pods) == 0 {
		return nil
	}
	list := podChanges(r)
	if len(list) == 0 {
		return nil
	}
	sa, err := r.Account(ctx, &r.Object.Pods[0])
	id := identity.Of(sa)
	if err != nil || !id.BearsRole() && !id.Managed || mayUse(r.Requester, id) {
		return err
	}
	for _, c := range list {
		rep.Add(rule.Finding{Reason: c.reason, Path: c.path, Args: rule.Args(wording.Requester(r.Requester), r.Object.Meta.Name, id.Account.Name, id.Has(), c.container)})
	}
	return nil
}

type podChange struct {
	reason          *rule.Reason
	path, container string
}

// podChanges are the changes that only who may use the pod's account may make.
func podChanges(r *rule.Request) []podChange {
	job := r.Requester.Class == rule.JobAccount
	switch {
	case r.Operation == rule.Delete && job:
		return []podChange{{reason: &podDeleted, path: "metadata.name"}}
	case r.Operation != rule.Update || r.Old == nil || len(r.Old.Pods) == 0:
		return nil
	}
	var list []podChange
	images := map[string]string{}
	for c := range r.Old.Pods[0].Containers() {
		images[c.Path()] = c.Image
	}
	for c := range r.Object.Pods[0].Containers() {
		// An ephemeral container comes by a subresource, and an addition is pod-exec's.
		if was, ok := images[c.Path()]; c.Type != podspec.EphemeralContainer && (!ok || was != c.Image) {
			list = append(list, podChange{&imageChanged, c.ImagePath(), c.Name})
		}
	}
	if !job {
		return list
	}
	if !maps.Equal(r.Old.Meta.Labels, r.Object.Meta.Labels) {
		list = append(list, podChange{reason: &labelsChanged, path: "metadata.labels"})
	}
	if !sameOwners(r.Old.Meta.OwnerReferences, r.Object.Meta.OwnerReferences) {
		list = append(list, podChange{reason: &ownersChanged, path: "metadata.ownerReferences"})
	}
	return list
}

func sameOwners(a, b []metav1.OwnerReference) bool {
	return slices.EqualFunc(a, b, func(x, y metav1.OwnerReference) bool { return equality.Semantic.DeepEqual(x, y) })
}
