package emr

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Injection is what EKS's pod identity webhook goes by.
type Injection struct {
	// Annotations of the pod's ServiceAccount.
	Annotations map[string]string
	// Region that the webhook was started with; empty for none.
	Region string
}

// What the webhook reads besides the annotations that rules read.
const (
	annotationRegionalSTS     = AnnotationPrefix + "sts-regional-endpoints"
	annotationTokenExpiration = AnnotationPrefix + "token-expiration"

	minTokenSeconds = 600
	maxTokenSeconds = 86400
)

// Inject changes a new pod as EKS's pod identity webhook does for IAM roles for
// service accounts (github.com/aws/amazon-eks-pod-identity-webhook), and reports
// whether it changed anything. Init and regular containers get the environment and
// the token's mount; ephemeral ones, which no new pod has, do not. What a container
// sets itself is not overridden: with either AWS_ROLE_ARN or
// AWS_WEB_IDENTITY_TOKEN_FILE in its env it gets neither.
func Inject(meta *metav1.ObjectMeta, spec *corev1.PodSpec, in Injection) bool {
	role := in.Annotations[AnnotationRoleARN]
	if role == "" {
		return false
	}
	var skip []string
	for name := range strings.SplitSeq(meta.Annotations[AnnotationSkipContainers], ",") {
		skip = append(skip, strings.TrimSpace(name))
	}
	regional := true
	if value, err := strconv.ParseBool(in.Annotations[annotationRegionalSTS]); err == nil {
		regional = value
	}
	changed := false
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			if !slices.Contains(skip, containers[i].Name) && injectContainer(&containers[i], role, TokenFile(spec, WebIdentityTokenFile), in.Region, regional) {
				changed = true
			}
		}
	}
	hasVolume := slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == WebIdentityVolume })
	if changed && !hasVolume {
		spec.Volumes = append(spec.Volumes, tokenVolume(meta.Annotations, in.Annotations))
	}
	return changed
}

func injectContainer(c *corev1.Container, role, tokenFile, region string, regional bool) bool {
	has := func(names ...string) bool {
		return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return slices.Contains(names, e.Name) })
	}
	before := len(c.Env) + len(c.VolumeMounts)
	add := func(name, value string) { c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value}) }
	if regional && !has("AWS_STS_REGIONAL_ENDPOINTS") {
		add("AWS_STS_REGIONAL_ENDPOINTS", "regional")
	}
	if region != "" && !has("AWS_REGION", "AWS_DEFAULT_REGION") {
		add("AWS_DEFAULT_REGION", region)
		add("AWS_REGION", region)
	}
	if !has(EnvRoleARN, EnvWebIdentityTokenFile) {
		add(EnvRoleARN, role)
		add(EnvWebIdentityTokenFile, tokenFile)
	}
	if !slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == WebIdentityVolume }) {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: WebIdentityVolume, ReadOnly: true, MountPath: WebIdentityMountPath})
	}
	return len(c.Env)+len(c.VolumeMounts) != before
}

// tokenVolume is the projected token. The pod's expiration goes before the
// account's.
func tokenVolume(pod, account map[string]string) corev1.Volume {
	audience := account[AnnotationAudience]
	if audience == "" {
		audience = AudienceSTS
	}
	expiration := int64(maxTokenSeconds)
	for _, annotations := range []map[string]string{account, pod} {
		if seconds, err := strconv.ParseInt(annotations[annotationTokenExpiration], 10, 64); err == nil {
			expiration = min(max(seconds, minTokenSeconds), maxTokenSeconds)
		}
	}
	return corev1.Volume{
		Name: WebIdentityVolume,
		VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{
				ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
					Audience: audience, ExpirationSeconds: &expiration, Path: WebIdentityTokenPath,
				},
			}},
		}},
	}
}
