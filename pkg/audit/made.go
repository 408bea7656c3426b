package audit

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// made judges the Pods that a workload of a file will make, by the rules that read
// Pods and not the workload itself, such as those about what EKS injects: what they
// refuse would otherwise be seen only when the Pods are missing. What a template file
// lacks is added by somebody else, so its Pods are not known.
func (a *Auditor) made(ctx context.Context, res object.Resource, o *object.Object, place Place) {
	pods, ok := object.Find(schema.GroupResource{Resource: "pods"})
	if !ok || !res.Workload {
		return
	}
	for i := range o.Pods {
		template := &o.Pods[i]
		if template.Configured || template.Template || template.Role != "" {
			continue
		}
		meta := template.Meta.DeepCopy()
		meta.Namespace, meta.Name, meta.GenerateName = o.Meta.Namespace, "", o.Meta.Name+"-"
		pod := &object.Object{
			GVK: corev1.SchemeGroupVersion.WithKind("Pod"), Meta: meta,
			Pods: []podspec.Pod{{Meta: meta, Spec: template.Spec.DeepCopy(), MetaPath: template.MetaPath, SpecPath: template.SpecPath}},
		}
		a.world.inject(ctx, pod)
		r := a.request(pods, pod)
		r.File = true
		found := a.engine.Review(ctx, r, nil)
		var v engine.Verdict
		for _, x := range found.Denied {
			if asked, known := a.rules[x.Rule]; known && !x.Failed && !asked.Requester && !reads(&asked, res.GroupResource()) {
				x.Deferred, x.PodsDenied = true, true
				v.Denied = append(v.Denied, x)
			}
		}
		a.add(&v, o, place)
	}
}
