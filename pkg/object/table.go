package object

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/apis/elbv2"
	"github.com/emrguard/emrguard/pkg/apis/gateway"
	"github.com/emrguard/emrguard/pkg/apis/karpenter"
)

// resources is the table of what can be read. The webhook configuration names no
// other resource.
var resources = []Resource{
	{GroupVersionResource: core("pods"), Kind: "Pod", decode: decodePod},
	{GroupVersionResource: core("pods/ephemeralcontainers"), Kind: "Pod", decode: decodePod},
	{GroupVersionResource: core("pods/status"), Kind: "Pod", decode: decodePod},
	{GroupVersionResource: core("bindings"), Kind: "Binding", decode: decodeBinding},
	{GroupVersionResource: core("pods/binding"), Kind: "Binding", decode: decodeBinding},
	{GroupVersionResource: core("serviceaccounts"), Kind: "ServiceAccount", decode: typed[metav1.PartialObjectMetadata]()},
	{GroupVersionResource: core("configmaps"), Kind: "ConfigMap", decode: decodeConfigMap},
	{GroupVersionResource: core("secrets"), Kind: "Secret", decode: decodeSecret},
	{GroupVersionResource: core("namespaces"), Kind: "Namespace", Cluster: true, decode: typed[metav1.PartialObjectMetadata]()},
	{GroupVersionResource: core("namespaces/status"), Kind: "Namespace", Cluster: true, decode: typed[metav1.PartialObjectMetadata]()},
	{GroupVersionResource: core("namespaces/finalize"), Kind: "Namespace", Cluster: true, decode: typed[metav1.PartialObjectMetadata]()},

	{GroupVersionResource: core("serviceaccounts/token"), Kind: "TokenRequest", decode: typed[authenticationv1.TokenRequest]()},
	{GroupVersionResource: core("pods/exec"), Kind: "PodExecOptions", decode: decodeOptions},
	{GroupVersionResource: core("pods/attach"), Kind: "PodAttachOptions", decode: decodeOptions},
	{GroupVersionResource: core("pods/portforward"), Kind: "PodPortForwardOptions", decode: decodeOptions},
	{GroupVersionResource: core("pods/proxy"), Kind: "PodProxyOptions", decode: decodeOptions},
	{GroupVersionResource: core("services/proxy"), Kind: "ServiceProxyOptions", decode: decodeOptions},
	{GroupVersionResource: core("nodes/proxy"), Kind: "NodeProxyOptions", Cluster: true, decode: decodeOptions},

	{GroupVersionResource: rbac("roles"), Kind: "Role", decode: typed[rbacv1.Role]()},
	{GroupVersionResource: rbac("rolebindings"), Kind: "RoleBinding", decode: typed[rbacv1.RoleBinding]()},
	{GroupVersionResource: rbac("clusterroles"), Kind: "ClusterRole", Cluster: true, decode: typed[rbacv1.ClusterRole]()},
	{GroupVersionResource: rbac("clusterrolebindings"), Kind: "ClusterRoleBinding", Cluster: true, decode: typed[rbacv1.ClusterRoleBinding]()},

	{GroupVersionResource: core("podtemplates"), Kind: "PodTemplate", Workload: true, decode: workload("template", func(x *corev1.PodTemplate) *corev1.PodTemplateSpec { return &x.Template })},
	{GroupVersionResource: core("replicationcontrollers"), Kind: "ReplicationController", Workload: true, decode: workload("spec.template", func(x *corev1.ReplicationController) *corev1.PodTemplateSpec { return x.Spec.Template })},
	{GroupVersionResource: apps("replicasets"), Kind: "ReplicaSet", Workload: true, decode: workload("spec.template", func(x *appsv1.ReplicaSet) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{GroupVersionResource: apps("deployments"), Kind: "Deployment", Workload: true, decode: workload("spec.template", func(x *appsv1.Deployment) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{GroupVersionResource: apps("statefulsets"), Kind: "StatefulSet", Workload: true, decode: workload("spec.template", func(x *appsv1.StatefulSet) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{GroupVersionResource: apps("daemonsets"), Kind: "DaemonSet", Workload: true, decode: workload("spec.template", func(x *appsv1.DaemonSet) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{GroupVersionResource: batch("jobs"), Kind: "Job", Workload: true, decode: workload("spec.template", func(x *batchv1.Job) *corev1.PodTemplateSpec { return &x.Spec.Template })},
	{GroupVersionResource: batch("cronjobs"), Kind: "CronJob", Workload: true, decode: workload("spec.jobTemplate.spec.template", func(x *batchv1.CronJob) *corev1.PodTemplateSpec { return &x.Spec.JobTemplate.Spec.Template })},

	{GroupVersionResource: custom("sparkoperator.k8s.io", "v1beta2", "sparkapplications"), Kind: "SparkApplication", Workload: true, decode: decodeSparkApplication},
	{GroupVersionResource: custom("sparkoperator.k8s.io", "v1beta2", "scheduledsparkapplications"), Kind: "ScheduledSparkApplication", Workload: true, decode: decodeScheduledSparkApplication},
	{GroupVersionResource: custom("sparkoperator.k8s.io", "v1alpha1", "sparkconnects"), Kind: "SparkConnect", Workload: true, decode: decodeSparkConnect},
	{GroupVersionResource: custom("spark.apache.org", "v1", "sparkapplications"), Kind: "SparkApplication", Workload: true, decode: decodeApacheSparkApplication},
	{GroupVersionResource: custom("spark.apache.org", "v1", "sparkclusters"), Kind: "SparkCluster", Workload: true, decode: decodeApacheSparkCluster},
	{GroupVersionResource: custom("flink.apache.org", "v1beta1", "flinkdeployments"), Kind: "FlinkDeployment", Workload: true, decode: decodeFlinkDeployment},
	{GroupVersionResource: custom("flink.apache.org", "v1beta1", "flinkbluegreendeployments"), Kind: "FlinkBlueGreenDeployment", Workload: true, decode: decodeFlinkBlueGreenDeployment},
	{GroupVersionResource: custom("flink.apache.org", "v1beta1", "flinksessionjobs"), Kind: "FlinkSessionJob", Workload: true, decode: decodeFlinkSessionJob},
	{GroupVersionResource: custom("emrcontainers.services.k8s.aws", "v1alpha1", "jobruns"), Kind: "JobRun", Workload: true, decode: decodeJobRun},

	{GroupVersionResource: custom("emrcontainers.services.k8s.aws", "v1alpha1", "virtualclusters"), Kind: "VirtualCluster", decode: typed[ack.VirtualCluster]()},
	{GroupVersionResource: apps("controllerrevisions"), Kind: "ControllerRevision", decode: decodeControllerRevision},

	{GroupVersionResource: core("services"), Kind: "Service", decode: typed[corev1.Service]()},
	{GroupVersionResource: core("services/status"), Kind: "Service", decode: typed[corev1.Service]()},
	{GroupVersionResource: networking("ingresses"), Kind: "Ingress", decode: typed[networkingv1.Ingress]()},
	{GroupVersionResource: networking("ingresses/status"), Kind: "Ingress", decode: typed[networkingv1.Ingress]()},
	{GroupVersionResource: networking("ingressclasses"), Kind: "IngressClass", Cluster: true, decode: typed[networkingv1.IngressClass]()},
	{GroupVersionResource: networking("networkpolicies"), Kind: "NetworkPolicy", decode: typed[networkingv1.NetworkPolicy]()},

	{GroupVersionResource: custom("karpenter.k8s.aws", "v1", "ec2nodeclasses"), Kind: "EC2NodeClass", Cluster: true, decode: typed[karpenter.EC2NodeClass]()},
	{GroupVersionResource: custom("iam.services.k8s.aws", "v1alpha1", "roles"), Kind: "Role", decode: typed[ack.Role]()},
	{GroupVersionResource: custom("iam.services.k8s.aws", "v1alpha1", "policies"), Kind: "Policy", decode: typed[ack.Policy]()},
	{GroupVersionResource: custom("eks.services.k8s.aws", "v1alpha1", "podidentityassociations"), Kind: "PodIdentityAssociation", decode: typed[ack.PodIdentityAssociation]()},
	{GroupVersionResource: custom("elbv2.k8s.aws", "v1beta1", "ingressclassparams"), Kind: "IngressClassParams", Cluster: true, decode: typed[elbv2.IngressClassParams]()},
	{GroupVersionResource: custom("eks.amazonaws.com", "v1", "ingressclassparams"), Kind: "IngressClassParams", Cluster: true, decode: typed[elbv2.IngressClassParams]()},
	{GroupVersionResource: custom("gateway.networking.k8s.io", "v1", "gatewayclasses"), Kind: "GatewayClass", Cluster: true, decode: typed[gateway.Class]()},
	{GroupVersionResource: custom("gateway.networking.k8s.io", "v1", "gateways"), Kind: "Gateway", decode: typed[gateway.Gateway]()},
	{GroupVersionResource: custom("gateway.k8s.aws", "v1beta1", "loadbalancerconfigurations"), Kind: "LoadBalancerConfiguration", decode: typed[elbv2.LoadBalancerConfiguration]()},

	{GroupVersionResource: admission("mutatingwebhookconfigurations"), Kind: "MutatingWebhookConfiguration", Cluster: true, NotSentToWebhooks: true, decode: typed[admissionregistrationv1.MutatingWebhookConfiguration]()},
	{GroupVersionResource: admission("validatingwebhookconfigurations"), Kind: "ValidatingWebhookConfiguration", Cluster: true, NotSentToWebhooks: true, decode: typed[admissionregistrationv1.ValidatingWebhookConfiguration]()},
	{GroupVersionResource: admission("mutatingadmissionpolicies"), Kind: "MutatingAdmissionPolicy", Cluster: true, NotSentToWebhooks: true, decode: typed[admissionregistrationv1.MutatingAdmissionPolicy]()},
	{GroupVersionResource: admission("mutatingadmissionpolicybindings"), Kind: "MutatingAdmissionPolicyBinding", Cluster: true, NotSentToWebhooks: true, decode: typed[admissionregistrationv1.MutatingAdmissionPolicyBinding]()},
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
