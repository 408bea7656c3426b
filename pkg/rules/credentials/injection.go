package credentials

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/paths"
)

// injection is what a container has of the forms that EKS's identity webhook
// injects.
type injection struct {
	irsa        bool   // both variables, and the token for STS mounted where they say
	podIdentity bool   // likewise, for the agent of Pod Identity
	roleARN     string // value of AWS_ROLE_ARN in the injected form
}

// injected reads the injected forms of a container of a pod that runs as the
// account. A variable that is set twice counts as it does for the container: the
// last one wins.
func injected(pod *podspec.Pod, c podspec.Container, sa rule.ServiceAccount) injection {
	var in injection
	var tokenFile, uri, authorization string
	for i := range c.Env {
		switch e := &c.Env[i]; e.Name {
		case emr.EnvRoleARN:
			in.roleARN = e.Value
		case emr.EnvWebIdentityTokenFile:
			tokenFile = e.Value
		case emr.EnvContainerCredentialsFullURI:
			uri = e.Value
		case emr.EnvContainerAuthorizationTokenFile:
			authorization = e.Value
		}
	}
	in.irsa = in.roleARN != "" && tokenFile == emr.TokenFile(pod.Spec, emr.WebIdentityTokenFile) &&
		mountsToken(pod, c, sa, emr.WebIdentityMountPath, emr.WebIdentityVolume)
	in.podIdentity = isPodIdentityURI(uri) && authorization == emr.TokenFile(pod.Spec, emr.PodIdentityTokenFile) &&
		mountsToken(pod, c, sa, emr.PodIdentityMountPath, emr.PodIdentityVolume)
	return in
}

func isPodIdentityURI(s string) bool { return s == emr.PodIdentityURIv4 || s == emr.PodIdentityURIv6 }

// mountsToken reports whether the container has the token volume of that name
// where EKS mounts it, and nothing over it.
func mountsToken(pod *podspec.Pod, c podspec.Container, sa rule.ServiceAccount, at, volume string) bool {
	mounted := slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.Name == volume && m.MountPath == at && m.SubPath == "" && m.SubPathExpr == ""
	})
	if !mounted || overToken(c, at, volume) != "" {
		return false
	}
	for i := range pod.Spec.Volumes {
		if v := &pod.Spec.Volumes[i]; v.Name == volume && isInjectedVolume(v, sa) {
			return true
		}
	}
	return false
}

// overToken returns the first volume that is mounted over a token or over the
// directory that it is in, or nothing. Runtimes mount what lies deeper later, so only
// the same directory and what lies below it can hide the token. The API server tells
// paths apart that a runtime does not, such as those with a slash at the end, and
// /var/run is a link to /run in most images.
func overToken(c podspec.Container, at, volume string) string {
	for i := range c.VolumeMounts {
		m := &c.VolumeMounts[i]
		if m.Name == volume && m.MountPath == at {
			continue
		}
		clean := paths.Clean(m.MountPath)
		if paths.Below(clean, "/run") {
			clean = "/var" + clean
		}
		if paths.Below(clean, at) {
			return m.Name
		}
	}
	return ""
}

// isInjectedVolume reports whether a volume has the very form that EKS's identity
// webhook injects: one projected token in a file of a known name, for STS or for
// whom the annotation of the account says. With a token for somebody else the SDKs
// fail, and go on to the role of the node.
func isInjectedVolume(v *corev1.Volume, sa rule.ServiceAccount) bool {
	token := projectedToken(v)
	if token == nil {
		return false
	}
	switch v.Name {
	case emr.WebIdentityVolume:
		return token.Path == emr.WebIdentityTokenPath && (emr.IsAudienceSTS(token.Audience) || token.Audience == sa.Audience && sa.Audience != "")
	case emr.PodIdentityVolume:
		return token.Path == emr.PodIdentityTokenPath && token.Audience == emr.AudiencePodIdentity
	}
	return false
}

// projectedToken returns the token of a volume that holds one and nothing else, or
// nil.
func projectedToken(v *corev1.Volume) *corev1.ServiceAccountTokenProjection {
	if v.Projected == nil || len(v.Projected.Sources) != 1 {
		return nil
	}
	return v.Projected.Sources[0].ServiceAccountToken
}
