// Package object turns the raw objects of the Kubernetes API into the typed
// facts that rules read: metadata, the pod specs that an object carries, and
// the Spark or Flink configuration that it carries. It is the one place that
// knows where each kind keeps them, and the one definition of "all containers".
package object

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/json"
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
	Pods []Pod
	// Settings is the Spark, Hadoop or Flink configuration that the object
	// carries, every key as it is written there.
	Settings []Setting
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
	if unread := (*UnreadError)(nil); errors.As(o.Unreadable, &unread) {
		for i := range unread.Fields {
			paths = append(paths, unread.Fields[i].Field)
		}
	}
	return paths
}

var errEmpty = errors.New("the object is empty")

// ErrUnknownKind says that no rule reads objects of this kind.
var ErrUnknownKind = errors.New("no rule reads this kind")

// Resource is an API resource that rules read.
type Resource struct {
	// GroupVersionResource names the resource, with its subresource where it is
	// one: "pods/exec".
	schema.GroupVersionResource
	// Kind of the objects, in the group of the resource.
	Kind string
	// Cluster is true for a resource without namespace.
	Cluster bool
	// Carrier is true for objects from which somebody else makes Pods later:
	// the workload kinds and the custom resources.
	Carrier bool
	// Unsent is true for kinds that the API server never sends to a webhook:
	// only policies, audits and files know them.
	Unsent bool
	decode func(*Object, []byte) error
}

// resources is what the extractor can read. The webhook configuration names no
// other resource.
var resources = []Resource{
	{core("pods"), "Pod", false, false, false, decodePod},
	{core("pods/ephemeralcontainers"), "Pod", false, false, false, decodePod},
	{core("pods/status"), "Pod", false, false, false, decodePod},
	{core("bindings"), "Binding", false, false, false, decodeBinding},
	{core("pods/binding"), "Binding", false, false, false, decodeBinding},
	{core("serviceaccounts"), "ServiceAccount", false, false, false, decodeMeta},
	{core("configmaps"), "ConfigMap", false, false, false, decodeConfigMap},
	{core("secrets"), "Secret", false, false, false, decodeSecret},
	{core("namespaces"), "Namespace", true, false, false, decodeMeta},
	{core("namespaces/status"), "Namespace", true, false, false, decodeMeta},
	{core("namespaces/finalize"), "Namespace", true, false, false, decodeMeta},

	{core("serviceaccounts/token"), "TokenRequest", false, false, false, decodeTokenRequest},
	{core("pods/exec"), "PodExecOptions", false, false, false, decodeOptions},
	{core("pods/attach"), "PodAttachOptions", false, false, false, decodeOptions},
	{core("pods/portforward"), "PodPortForwardOptions", false, false, false, decodeOptions},
	{core("pods/proxy"), "PodProxyOptions", false, false, false, decodeOptions},
	{core("services/proxy"), "ServiceProxyOptions", false, false, false, decodeOptions},
	{core("nodes/proxy"), "NodeProxyOptions", true, false, false, decodeOptions},

	{rbac("roles"), "Role", false, false, false, rbacKind[rbacv1.Role]()},
	{rbac("rolebindings"), "RoleBinding", false, false, false, rbacKind[rbacv1.RoleBinding]()},
	{rbac("clusterroles"), "ClusterRole", true, false, false, rbacKind[rbacv1.ClusterRole]()},
	{rbac("clusterrolebindings"), "ClusterRoleBinding", true, false, false, rbacKind[rbacv1.ClusterRoleBinding]()},

	{core("podtemplates"), "PodTemplate", false, true, false, workload("template", func(x *corev1.PodTemplate) *corev1.PodTemplateSpec { return &x.Template })},
	{core("replicationcontrollers"), "ReplicationController", false, true, false, workload("spec.template", func(x *corev1.ReplicationController) *corev1.PodTemplateSpec { return x.Spec.Template })},
	{apps("replicasets"), "ReplicaSet", false, true, false, workload("spec.template", func(x *appsv1.ReplicaSet) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{apps("deployments"), "Deployment", false, true, false, workload("spec.template", func(x *appsv1.Deployment) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{apps("statefulsets"), "StatefulSet", false, true, false, workload("spec.template", func(x *appsv1.StatefulSet) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{apps("daemonsets"), "DaemonSet", false, true, false, workload("spec.template", func(x *appsv1.DaemonSet) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{batch("jobs"), "Job", false, true, false, workload("spec.template", func(x *batchv1.Job) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{batch("cronjobs"), "CronJob", false, true, false, workload("spec.jobTemplate.spec.template", func(x *batchv1.CronJob) *corev1.PodTemplateSpec { return &x.Spec.JobTemplate.Spec.Template })},

	{custom("sparkoperator.k8s.io", "v1beta2", "sparkapplications"), "SparkApplication", false, true, false, decodeSparkApplication},
	{custom("sparkoperator.k8s.io", "v1beta2", "scheduledsparkapplications"), "ScheduledSparkApplication", false, true, false, decodeScheduledSparkApplication},
	{custom("sparkoperator.k8s.io", "v1alpha1", "sparkconnects"), "SparkConnect", false, true, false, decodeSparkConnect},
	{custom("spark.apache.org", "v1", "sparkapplications"), "SparkApplication", false, true, false, decodeApacheSparkApplication},
	{custom("spark.apache.org", "v1", "sparkclusters"), "SparkCluster", false, true, false, decodeApacheSparkCluster},
	{custom("flink.apache.org", "v1beta1", "flinkdeployments"), "FlinkDeployment", false, true, false, decodeFlinkDeployment},
	{custom("flink.apache.org", "v1beta1", "flinkbluegreendeployments"), "FlinkBlueGreenDeployment", false, true, false, decodeFlinkBlueGreenDeployment},
	{custom("flink.apache.org", "v1beta1", "flinksessionjobs"), "FlinkSessionJob", false, true, false, decodeFlinkSessionJob},
	{custom("emrcontainers.services.k8s.aws", "v1alpha1", "jobruns"), "JobRun", false, true, false, decodeJobRun},

	{custom("emrcontainers.services.k8s.aws", "v1alpha1", "virtualclusters"), "VirtualCluster", false, false, false, typed[VirtualCluster]()},
	{apps("controllerrevisions"), "ControllerRevision", false, false, false, decodeControllerRevision},

	{core("services"), "Service", false, false, false, typed[corev1.Service]()},
	{core("services/status"), "Service", false, false, false, typed[corev1.Service]()},
	{networking("ingresses"), "Ingress", false, false, false, typed[networkingv1.Ingress]()},
	{networking("ingresses/status"), "Ingress", false, false, false, typed[networkingv1.Ingress]()},
	{networking("ingressclasses"), "IngressClass", true, false, false, typed[networkingv1.IngressClass]()},
	{networking("networkpolicies"), "NetworkPolicy", false, false, false, typed[networkingv1.NetworkPolicy]()},

	{custom("karpenter.k8s.aws", "v1", "ec2nodeclasses"), "EC2NodeClass", true, false, false, typed[EC2NodeClass]()},
	{custom("iam.services.k8s.aws", "v1alpha1", "roles"), "Role", false, false, false, typed[IAMRole]()},
	{custom("iam.services.k8s.aws", "v1alpha1", "policies"), "Policy", false, false, false, typed[IAMPolicy]()},
	{custom("eks.services.k8s.aws", "v1alpha1", "podidentityassociations"), "PodIdentityAssociation", false, false, false, typed[PodIdentityAssociation]()},
	{custom("elbv2.k8s.aws", "v1beta1", "ingressclassparams"), "IngressClassParams", true, false, false, typed[IngressClassParams]()},
	{custom("eks.amazonaws.com", "v1", "ingressclassparams"), "IngressClassParams", true, false, false, typed[IngressClassParams]()},
	{custom("gateway.networking.k8s.io", "v1", "gatewayclasses"), "GatewayClass", true, false, false, typed[GatewayClass]()},
	{custom("gateway.networking.k8s.io", "v1", "gateways"), "Gateway", false, false, false, typed[Gateway]()},
	{custom("gateway.k8s.aws", "v1beta1", "loadbalancerconfigurations"), "LoadBalancerConfiguration", false, false, false, typed[LoadBalancerConfiguration]()},

	{admission("mutatingwebhookconfigurations"), "MutatingWebhookConfiguration", true, false, true, typed[admissionregistrationv1.MutatingWebhookConfiguration]()},
	{admission("validatingwebhookconfigurations"), "ValidatingWebhookConfiguration", true, false, true, typed[admissionregistrationv1.ValidatingWebhookConfiguration]()},
	{admission("mutatingadmissionpolicies"), "MutatingAdmissionPolicy", true, false, true, typed[admissionregistrationv1.MutatingAdmissionPolicy]()},
	{admission("mutatingadmissionpolicybindings"), "MutatingAdmissionPolicyBinding", true, false, true, typed[admissionregistrationv1.MutatingAdmissionPolicyBinding]()},
}

func core(resource string) schema.GroupVersionResource { return custom("", "v1", resource) }

func apps(resource string) schema.GroupVersionResource { return custom("apps", "v1", resource) }

func rbac(resource string) schema.GroupVersionResource {
	return custom(rbacv1.GroupName, "v1", resource)
}

func networking(resource string) schema.GroupVersionResource {
	return custom(networkingv1.GroupName, "v1", resource)
}

func admission(resource string) schema.GroupVersionResource {
	return custom(admissionregistrationv1.GroupName, "v1", resource)
}

func batch(resource string) schema.GroupVersionResource { return custom("batch", "v1", resource) }

func custom(group, version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

// byName finds a resource without a search.
var byName = func() map[schema.GroupResource]*Resource {
	m := make(map[schema.GroupResource]*Resource, len(resources))
	for i := range resources {
		m[resources[i].GroupResource()] = &resources[i]
	}
	return m
}()

// Find returns the resource of that API group and name, with its subresource
// ("pods/exec"). Versions do not count: the API server converts to the one that
// the webhook configuration names.
func Find(gr schema.GroupResource) (Resource, bool) {
	if r := byName[gr]; r != nil {
		return *r, true
	}
	return Resource{}, false
}

// IsSubresource reports whether objects are only posted, to a subresource or, for a
// Binding, to the resource from the time before there were any.
func (r Resource) IsSubresource() bool {
	return strings.Contains(r.Resource, "/") || r.Kind == "Binding"
}

// Resources returns all resources that can be read, in a stable order: what others
// refer to comes first.
func Resources() []Resource { return slices.Clone(resources) }

// KindGroup is the API group of the objects' kind, which for a subresource may be
// another one than the resource's.
func (r Resource) KindGroup() string {
	if r.Kind == "TokenRequest" {
		return authenticationv1.GroupName
	}
	return r.Group
}

// Definitions returns the names of the CustomResourceDefinitions of all custom resources
// that can be read, sorted.
func Definitions() []string {
	var names []string
	for i := range resources {
		if r := &resources[i]; r.isCustom() && !r.IsSubresource() {
			names = append(names, r.GroupResource().String())
		}
	}
	slices.Sort(names)
	return names
}

// FindKind returns the resource of the objects of that kind.
func FindKind(gk schema.GroupKind) (Resource, bool) {
	for _, r := range resources {
		if r.KindGroup() == gk.Group && r.Kind == gk.Kind {
			return r, true
		}
	}
	return Resource{}, false
}

// Decode reads one object of the given resource from its JSON. The error says
// what does not fit: another kind than the resource's, or a field that has not
// the type that the API gives it.
func Decode(r Resource, raw []byte) (*Object, error) {
	if r.decode == nil {
		return nil, ErrUnknownKind
	}
	// The kind is read by the decoders with everything else: one pass.
	o := &Object{raw: raw}
	err := describe(r.decode(o, raw))
	switch {
	case err != nil && (o.Meta == nil || !r.isCustom() || isBroken(err)):
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
	err := describe(r.decode(o, raw))
	if o.Meta == nil || err != nil && (!r.isCustom() || isBroken(err)) {
		return nil, fmt.Errorf("decode %s: %w", r.Kind, err)
	}
	if o.GVK.Kind == "" {
		o.GVK = schema.GroupVersionKind{Group: r.KindGroup(), Version: r.Version, Kind: r.Kind}
	}
	o.Unreadable = err
	return o, nil
}

// isCustom reports whether somebody else than Kubernetes defines the kind, and
// so may change the type of a field between two releases of emrguard.
func (r Resource) isCustom() bool {
	switch r.Group {
	case "sparkoperator.k8s.io", "gateway.networking.k8s.io":
		return true
	}
	return strings.Contains(r.Group, ".") && !strings.HasSuffix(r.Group, ".k8s.io")
}

// isBroken reports whether err says that there is no JSON to read at all, in
// contrast to a field of another type than expected.
func isBroken(err error) bool {
	syntax, _ := json.SyntaxErrorOffset(err)
	return syntax || errors.Is(err, errEmpty)
}

func unmarshal(raw []byte, into any) error {
	if len(raw) == 0 {
		return errEmpty
	}
	return json.UnmarshalCaseSensitivePreserveInts(raw, into)
}

func (o *Object) set(t metav1.TypeMeta, m *metav1.ObjectMeta) {
	o.GVK, o.Meta = t.GroupVersionKind(), m
}

func decodeMeta(o *Object, raw []byte) error {
	var x metav1.PartialObjectMetadata
	err := unmarshal(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	return err
}

func decodePod(o *Object, raw []byte) error {
	var x corev1.Pod
	err := unmarshal(raw, &x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.addPod(Pod{Meta: &x.ObjectMeta, Spec: &x.Spec, MetaPath: "metadata", SpecPath: "spec"})
	return err
}

func decodeConfigMap(o *Object, raw []byte) error {
	x := &corev1.ConfigMap{}
	err := unmarshal(raw, x)
	o.set(x.TypeMeta, &x.ObjectMeta)
	o.ConfigMap = x
	o.addConfigMapSettings(x)
	return err
}

func (o *Object) addTemplate(t *corev1.PodTemplateSpec, path string) {
	if t == nil {
		return
	}
	o.addPod(Pod{Meta: &t.ObjectMeta, Spec: &t.Spec, MetaPath: path + ".metadata", SpecPath: path + ".spec"})
}

// addPod appends a pod spec, and the pods that the arguments of its containers
// configure (`spark-submit --conf …`).
func (o *Object) addPod(p Pod) {
	expandPod(&p)
	o.Pods = append(o.Pods, p)
	from := len(o.Settings)
	o.Settings = appendContainerSettings(o.Settings, &o.Pods[len(o.Pods)-1])
	o.addConfigured(o.Settings[from:])
}
