package audit

import (
	"context"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object"
)

// inject gives a Pod of a file the credentials that EKS will inject when it is
// created, so that it is judged as admission will see it. An account that the files
// do not hold has the role that a managed name encodes.
func (w *World) inject(ctx context.Context, o *object.Object) {
	if o.GVK.Kind != "Pod" || len(o.Pods) == 0 {
		return
	}
	pod := &o.Pods[0]
	if _, skips := pod.Meta.Labels[emr.LabelSkipPodIdentityWebhook]; skips {
		return
	}
	name := pod.ServiceAccountName()
	account, err := w.snapshot.ServiceAccount(ctx, o.Meta.Namespace, name)
	arn := account.RoleARN
	if managed, _ := emr.ParseAccount(name); err != nil && managed.HasRole() && managed.AccountID != "" {
		arn = "arn:aws:iam::" + managed.AccountID + ":role/" + managed.RoleName()
	}
	emr.Inject(pod.Meta, pod.Spec, emr.Injection{Annotations: map[string]string{emr.AnnotationRoleARN: arn, emr.AnnotationAudience: account.Audience}})
}
