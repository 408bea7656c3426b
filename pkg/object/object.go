// Package object turns the raw objects of the Kubernetes API into the typed
// facts that rules read: metadata, the pod specs that an object carries, and
// the Spark or Flink configuration that it carries. It is the one place that
// knows where each kind keeps them. Its parts are packages of their own: podspec (pods and
// their containers), jobconf (settings), decode (JSON) and fieldpath.
package object

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object/decode"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// Object is one API object as rules see it.
type Object struct {
	// GVK is the object's group, version and kind.
	GVK schema.GroupVersionKind
	// Meta is the object's metadata; never nil.
	Meta *metav1.ObjectMeta
	// Pods are the pod specs that the object carries: the Pod itself, the
	// template of a workload, the pods that a custom resource or a Spark or
	// Flink configuration describes.
	Pods []podspec.Pod
	// Settings is the Spark, Hadoop or Flink configuration that the object
	// carries, every key as it is written there.
	Settings []jobconf.Setting
	// Unreadable says which field of a custom resource has a type that this
	// version does not know; the facts then lack that field. Nil otherwise.
	Unreadable error
	// Typed is the object itself: a pointer to a type of k8s.io/api, of pkg/apis or of
	// this package, such as *corev1.Service. Nil for options of a connection.
	Typed any
	// Job is what a custom resource says of the job that it runs; nil for all others.
	Job *Job
	raw []byte
}

// RBAC is the Role, ClusterRole, RoleBinding or ClusterRoleBinding of
// rbac.authorization.k8s.io/v1 that the object is; nil for all others.
func (o *Object) RBAC() runtime.Object {
	switch x := o.Typed.(type) {
	case *rbacv1.Role:
		return x
	case *rbacv1.ClusterRole:
		return x
	case *rbacv1.RoleBinding:
		return x
	case *rbacv1.ClusterRoleBinding:
		return x
	}
	return nil
}

// Unread are the paths of the fields of a custom resource that cannot be read.
func (o *Object) Unread() []string {
	var paths []string
	if unread := (*decode.UnreadError)(nil); errors.As(o.Unreadable, &unread) {
		for i := range unread.Fields {
			paths = append(paths, unread.Fields[i].Field)
		}
	}
	return paths
}

// ErrUnknownKind says that no rule reads objects of this kind.
var ErrUnknownKind = errors.New("no rule reads this kind")

// Decode reads one object of the given resource from its JSON. The error says
// what does not fit: another kind than the resource's, or a field that has not
// the type that the API gives it.
func Decode(r Resource, raw []byte) (*Object, error) {
	if r.decode == nil {
		return nil, ErrUnknownKind
	}
	// The kind is read by the decoders with everything else: one pass.
	o := &Object{raw: raw}
	err := decode.Describe(r.decode(o, raw))
	switch {
	case err != nil && (o.Meta == nil || !r.isCustom() || decode.IsBroken(err)):
		return nil, fmt.Errorf("decode %s: %w", r.Kind, err)
	case o.GVK.Kind != r.Kind || o.GVK.Group != r.KindGroup():
		return nil, fmt.Errorf("decode %s: the object says that it is %q", r.Kind, o.GVK.String())
	}
	o.Unreadable = err
	return o, nil
}

// DecodeListed reads one item of a list. Kubernetes leaves out the kind of its own
// items, and nobody compares them with a later state.
func DecodeListed(r Resource, raw []byte) (*Object, error) {
	o := &Object{}
	err := decode.Describe(r.decode(o, raw))
	if o.Meta == nil || err != nil && (!r.isCustom() || decode.IsBroken(err)) {
		return nil, fmt.Errorf("decode %s: %w", r.Kind, err)
	}
	if o.GVK.Kind == "" {
		o.GVK = schema.GroupVersionKind{Group: r.KindGroup(), Version: r.Version, Kind: r.Kind}
	}
	o.Unreadable = err
	return o, nil
}

func decodePod(o *Object, raw []byte) error {
	x, err := decodeAs[corev1.Pod](o, raw)
	o.addPod(podspec.Pod{Meta: &x.ObjectMeta, Spec: &x.Spec, MetaPath: "metadata", SpecPath: "spec"})
	return err
}

func decodeConfigMap(o *Object, raw []byte) error {
	x, err := decodeAs[corev1.ConfigMap](o, raw)
	o.Settings = jobconf.OfConfigMap(x)
	o.addConfigured(o.Settings)
	return err
}

func (o *Object) addTemplate(t *corev1.PodTemplateSpec, path string) {
	if t == nil {
		return
	}
	o.addPod(podspec.Pod{Meta: &t.ObjectMeta, Spec: &t.Spec, MetaPath: path + ".metadata", SpecPath: path + ".spec"})
}

// addPod appends a pod spec, and the pods that the arguments of its containers
// configure (`spark-submit --conf …`).
func (o *Object) addPod(p podspec.Pod) {
	p.Expand()
	o.Pods = append(o.Pods, p)
	from := len(o.Settings)
	o.Settings = jobconf.AppendContainers(o.Settings, &o.Pods[len(o.Pods)-1])
	o.addConfigured(o.Settings[from:])
}

// addConfigured adds the pods that settings describe.
func (o *Object) addConfigured(settings []jobconf.Setting) {
	o.Pods = append(o.Pods, jobconf.Pods(settings)...)
}
