// Package object turns the raw objects of the Kubernetes API into the typed
// facts that rules read: metadata, the pod specs that an object carries, and
// the Spark or Flink configuration that it carries. It is the one place that
// knows where each kind keeps them. Its parts are packages of their own: podspec (pods and
// their containers), jobconf (settings), decode (JSON) and fieldpath.
package object

import (
	"errors"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	// ConfigMap is set for a ConfigMap, and for nothing else.
	ConfigMap *corev1.ConfigMap
	// SecretType is the type of a Secret. Its data is never decoded.
	SecretType corev1.SecretType
	// Token is what a request for a token asks for.
	Token *authenticationv1.TokenRequest
	// RBAC is the *Role, *ClusterRole, *RoleBinding or *ClusterRoleBinding of
	// rbac.authorization.k8s.io/v1 that the object is.
	RBAC any
	// Flink is the name of the FlinkDeployment that a FlinkSessionJob runs in.
	Flink string
	// ExecutionRole is the IAM role that a custom resource names itself, in the
	// field of that path.
	ExecutionRole, ExecutionRolePath string
	// ReleaseLabel is the release of EMR that a custom resource asks for, in the
	// field of that path.
	ReleaseLabel, ReleaseLabelPath string
	// RunsIn is the namespace in which a custom resource says that its pods run,
	// empty when it says nothing.
	RunsIn string
	// VirtualCluster is where a JobRun runs; nil for all other kinds.
	VirtualCluster *VirtualClusterRef
	// Typed is the object itself, for the kinds of which rules read more than
	// metadata, pods and settings: a pointer to a type of k8s.io/api or of this
	// package. Nil for all others.
	Typed any
	raw   []byte
	// accounts are declared by runAs, accountFields are where they may stand.
	accounts      []Account
	accountFields []string
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

func (o *Object) set(t metav1.TypeMeta, m *metav1.ObjectMeta) {
	o.GVK, o.Meta = t.GroupVersionKind(), m
}

func decodeMeta(o *Object, raw []byte) error {
	var x metav1.PartialObjectMetadata
	err := decode.JSON(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	return err
}

func decodePod(o *Object, raw []byte) error {
	var x corev1.Pod
	err := decode.JSON(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addPod(podspec.Pod{Meta: &x.ObjectMeta, Spec: &x.Spec, MetaPath: "metadata", SpecPath: "spec"})
	return err
}

func decodeConfigMap(o *Object, raw []byte) error {
	x := &corev1.ConfigMap{}
	err := decode.JSON(raw, x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.ConfigMap = x
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
