package accounts

import (
	"context"
	"fmt"
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
		rep.Add(rule.Finding{
			Path: c.path, Act: true,
			Message:     fmt.Sprintf("%s may not %s, which runs as ServiceAccount %q, which %s", wording.Requester(r.Requester), c.what, id.Account.Name, id.Describe()),
			Remediation: "leave the pod to whoever runs it; run another one as an account without a role",
		})
	}
	return nil
}

type podChange struct{ path, what string }

// podChanges are the changes that only who may use the pod's account may make.
func podChanges(r *rule.Request) []podChange {
	job := r.Requester.Class == rule.JobAccount
	name := r.Object.Meta.Name
	switch {
	case r.Operation == rule.Delete && job:
		return []podChange{{"metadata.name", fmt.Sprintf("delete the pod %q", name)}}
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
			list = append(list, podChange{c.ImagePath(), fmt.Sprintf("change the image of container %q of the pod %q", c.Name, name)})
		}
	}
	if !job {
		return list
	}
	if !maps.Equal(r.Old.Meta.Labels, r.Object.Meta.Labels) {
		list = append(list, podChange{"metadata.labels", fmt.Sprintf("change the labels of the pod %q", name)})
	}
	if !sameOwners(r.Old.Meta.OwnerReferences, r.Object.Meta.OwnerReferences) {
		list = append(list, podChange{"metadata.ownerReferences", fmt.Sprintf("change the owners of the pod %q", name)})
	}
	return list
}

func sameOwners(a, b []metav1.OwnerReference) bool {
	return slices.EqualFunc(a, b, func(x, y metav1.OwnerReference) bool { return equality.Semantic.DeepEqual(x, y) })
}
