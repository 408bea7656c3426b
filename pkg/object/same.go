package object

import (
	"encoding/json"
	"maps"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// restartedAt is what `kubectl rollout restart` writes into a pod template.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// SameWork reports whether an update leaves what runs as it was: the pod
// templates of a workload but for a rollout's restart mark, or the spec of a
// custom resource. Metadata, status and scale are not what runs.
func SameWork(a, b *Object) bool {
	if a.isCustom() {
		return sameSpec(a.raw, b.raw)
	}
	if len(a.Pods) != len(b.Pods) {
		return false
	}
	for i := range a.Pods {
		p, q := &a.Pods[i], &b.Pods[i]
		if !equality.Semantic.DeepEqual(p.Spec, q.Spec) || !maps.Equal(p.Meta.Labels, q.Meta.Labels) || !sameAnnotations(p.Meta, q.Meta) {
			return false
		}
	}
	return true
}

func (o *Object) isCustom() bool {
	r, ok := FindKind(o.GVK.GroupKind())
	return ok && r.isCustom()
}

func sameAnnotations(a, b *metav1.ObjectMeta) bool {
	return maps.Equal(withoutRestart(a.Annotations), withoutRestart(b.Annotations))
}

func withoutRestart(annotations map[string]string) map[string]string {
	if _, ok := annotations[restartedAt]; !ok {
		return annotations
	}
	rest := maps.Clone(annotations)
	delete(rest, restartedAt)
	return rest
}

// sameSpec compares the specs of two custom resources value by value: the order
// of keys and blanks do not count. What cannot be read is not the same.
func sameSpec(a, b []byte) bool {
	var x, y struct {
		Spec any `json:"spec"`
	}
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return reflect.DeepEqual(x.Spec, y.Spec)
}
