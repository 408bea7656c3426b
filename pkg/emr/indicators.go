package emr

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Keys and names by which EMR on EKS marks its objects and the AWS identity
// webhooks act. No label of a pod is proof of anything: whoever submits a job
// sets them.
const (
	// AnnotationRoleARN on a ServiceAccount names the IAM role that IRSA gives
	// to its pods.
	AnnotationRoleARN = "eks.amazonaws.com/role-arn"
	// AnnotationAudience on a ServiceAccount names the audience of the token that IRSA
	// gives to its pods.
	AnnotationAudience = "eks.amazonaws.com/audience"
	// AnnotationPrefix is shared by all annotations that the identity webhook
	// of EKS reads.
	AnnotationPrefix = "eks.amazonaws.com/"
	// LabelSkipPodIdentityWebhook on a pod keeps the identity webhook of EKS
	// from being called at all, whatever its value.
	LabelSkipPodIdentityWebhook = "eks.amazonaws.com/skip-pod-identity-webhook"
	// AnnotationSkipContainers on a pod lists containers that the identity
	// webhook leaves alone.
	AnnotationSkipContainers = "eks.amazonaws.com/skip-containers"
	// LabelJobConfiguration marks EMR's ConfigMaps; the values are
	// "spark-defaults", "pod-template" and "fluentd".
	LabelJobConfiguration = "emr-containers.amazonaws.com/job.configuration"
	// LabelType marks the Service of EMR's chart for Livy, with TypeLoadBalancer.
	LabelType        = "emr-containers.amazonaws.com/type"
	TypeLoadBalancer = "loadbalancer"
)

// What the identity webhooks inject into a pod.
const (
	EnvRoleARN              = "AWS_ROLE_ARN"
	EnvWebIdentityTokenFile = "AWS_WEB_IDENTITY_TOKEN_FILE"
	WebIdentityTokenFile    = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
	WebIdentityTokenPath    = "token"
	WebIdentityVolume       = "aws-iam-token"
	WebIdentityMountPath    = "/var/run/secrets/eks.amazonaws.com/serviceaccount"

	EnvContainerCredentialsFullURI     = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	EnvContainerAuthorizationTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
	PodIdentityURIv4                   = "http://169.254.170.23/v1/credentials"
	PodIdentityURIv6                   = "http://[fd00:ec2::23]/v1/credentials"
	PodIdentityTokenFile               = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token"
	PodIdentityTokenPath               = "eks-pod-identity-token"
	PodIdentityVolume                  = "eks-pod-identity-token"
	PodIdentityMountPath               = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"

	AudienceSTS         = "sts.amazonaws.com"
	AudienceSTSChina    = "sts.amazonaws.com.cn"
	AudiencePodIdentity = "pods.eks.amazonaws.com"
)

// stsAudiences are the audiences of a token for STS in the partitions of AWS.
var stsAudiences = []string{
	AudienceSTS, AudienceSTSChina, "sts.amazonaws.eu", "sts.c2s.ic.gov", "sts.sc2s.sgov.gov", "sts.cloud.adc-e.uk", "sts.csp.hci.ic.gov",
}

// IsAudienceSTS reports whether a token of that audience is for STS, in whatever
// partition of AWS.
func IsAudienceSTS(audience string) bool { return slices.Contains(stsAudiences, audience) }

// TokenFile is how EKS's identity webhooks write the path of a token file for a pod:
// for one that asks for nodes of Windows, as a path of Windows.
func TokenFile(spec *corev1.PodSpec, file string) string {
	if spec.NodeSelector[corev1.LabelOSStable] != windows && spec.NodeSelector["beta."+corev1.LabelOSStable] != windows {
		return file
	}
	return "C:" + strings.ReplaceAll(file, "/", `\`)
}

const windows = "windows"

// DefaultUsers are the Kubernetes users as which the EMR service acts, as
// patterns: the one of the aws-auth ConfigMap and of eksctl, the one of
// SageMaker Unified Studio, and the default name of an access entry for EMR's
// service-linked role.
func DefaultUsers() []string {
	return []string{
		"emr-containers",
		"EmrContainersUser",
		"arn:*:sts::*:assumed-role/AWSServiceRoleForAmazonEMRContainers/*",
	}
}

// IsSparkDefaultsName reports whether name is of the form `<job id>-spark-defaults`
// that EMR gives to the ConfigMap with a job's Spark properties.
func IsSparkDefaultsName(name string) bool {
	const tail = "-spark-defaults"
	n := len(name) - len(tail)
	return n >= 1 && name[n:] == tail && isJobID(name[:n])
}

// IsConfigMapName reports whether name is of a form that EMR gives to its
// ConfigMaps: `<job id>-spark-defaults`, `podtemplate-<job id>` or
// `fluentd-<virtual cluster id>-<job id>`.
func IsConfigMapName(name string) bool {
	if IsSparkDefaultsName(name) {
		return true
	}
	if id, ok := strings.CutPrefix(name, "podtemplate-"); ok {
		return isJobID(id)
	}
	if ids, ok := strings.CutPrefix(name, "fluentd-"); ok {
		cluster, job, _ := strings.Cut(ids, "-")
		return isJobID(cluster) && isJobID(job)
	}
	return false
}

// isJobID accepts EMR's job and virtual cluster ids, 15 or more of 0-9a-z.
func isJobID(s string) bool { return len(s) >= 15 && isBase36(s) }
