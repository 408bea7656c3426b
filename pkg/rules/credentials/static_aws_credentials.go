package credentials

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/accesskey"
	"github.com/emrguard/emrguard/pkg/rules/internal/envfrom"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

//go:embed static-aws-credentials.md
var staticAWSCredentialsDoc string

// StaticAWSCredentials is the rule static-aws-credentials.
//
// Guide, "Restrict pod credential access": "Amazon EMR on EKS uses IAM roles for
// service accounts (IRSA) as the standard credential provider in a registered
// namespace. Several providers make the security model complex."
//
// Fields: env, envFrom, command, args, lifecycle and probe commands and
// volumeMounts of every container; volumes of the pod; the Spark, Hadoop and
// Flink configuration; data of ConfigMaps.
//
// Allowed: AWS_ROLE_SESSION_NAME and AWS_EC2_METADATA_DISABLED (no
// credentials), AWS_REGION and its like.
func StaticAWSCredentials() rule.Rule {
	return rule.Rule{
		ID:      "static-aws-credentials",
		Title:   "AWS access keys, or files that hold them, handed to a pod",
		Doc:     staticAWSCredentialsDoc,
		Clauses: []guide.Clause{emr.ClausePodCredentials},
		Reasons: staticReasons,
		Targets: slices.Concat(targets.PodSpecs(), targets.PodMetadata()),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("static-aws-credentials", &struct{}{}); err != nil {
				return nil, err
			}
			return checkStaticCredentials, nil
		},
	}
}

func checkStaticCredentials(_ context.Context, r *rule.Request, rep *rule.Report) error {
	// Settings first: what they find in a command line says more.
	for i := range r.Object.Settings {
		staticInSetting(rep, &r.Object.Settings[i])
	}
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		for c := range pod.Containers() {
			staticInContainer(rep, pod, c)
		}
		for j := range pod.Spec.Volumes {
			staticInVolume(rep, pod, j)
		}
		for key, value := range pod.Meta.Annotations {
			for _, id := range accesskey.Find(value, key, false) {
				rep.Add(rule.Finding{Reason: &keyID, Path: pod.AnnotationPath(key), Args: rule.Args("the annotation " + key), Key: accesskey.Mark(id)})
			}
		}
		if pod.Unexpanded {
			return &limit.Exceeded{What: fmt.Sprintf("write out the variables in the containers of the pod, which come to more than %d MiB", limit.Expanded>>20)}
		}
	}
	if cm, ok := r.Object.Typed.(*corev1.ConfigMap); ok {
		staticInConfigMap(rep, cm)
	}
	return nil
}

// staticInConfigMap finds keys in the values of a ConfigMap, and names by which they
// become variables of a pod that takes the ConfigMap whole.
func staticInConfigMap(rep *rule.Report, cm *corev1.ConfigMap) {
	beside := false // a secret that makes a key id of what stands in another value
	for _, value := range cm.Data {
		beside = beside || accesskey.HoldsSecret(value)
	}
	judge := func(field, key, value string) {
		for _, id := range accesskey.Find(value, key, beside) {
			rep.Add(rule.Finding{Reason: &keyID, Path: fieldpath.Key(field, key), Args: rule.Args(fmt.Sprintf("the ConfigMap's key %q", key)), Key: accesskey.Mark(id)})
		}
	}
	for key, value := range cm.Data {
		if !accesskey.IsVariable(key) || strings.TrimSpace(value) == "" {
			judge("data", key, value)
			continue
		}
		reason := &keyInConfigMap
		if !accesskey.Mentioned(key) {
			reason = &profileInConfigMap
		}
		rep.Add(rule.Finding{Reason: reason, Path: fieldpath.Key("data", key), Args: rule.Args(key), Key: accesskey.Mark(value)})
	}
	for key, value := range cm.BinaryData {
		judge("binaryData", key, string(value))
	}
}

func staticInContainer(rep *rule.Report, pod *podspec.Pod, c podspec.Container) {
	beside := slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return accesskey.HoldsSecret(e.Value) })
	for i := range c.Env {
		staticInEnv(rep, pod, c, i, beside)
	}
	envfrom.Judge(rep, &keyPrefix, pod, c, accesskey.Variables, nil)
	for at, s := range c.Strings() {
		ids := accesskey.Find(s, "", false)
		if len(ids) == 0 || rep.Has(at()) {
			continue
		}
		for _, id := range ids {
			rep.Add(rule.Finding{Reason: &keyID, Path: at(), Args: rule.Args(fmt.Sprintf("the command line of container %q", c.Name)), Key: pod.Role + "/" + accesskey.Mark(id)})
		}
	}
	for i := range c.VolumeMounts {
		m := &c.VolumeMounts[i]
		if holdsCredentials(m.MountPath) || inDotAWS(m.SubPath) || inDotAWS(m.SubPathExpr) {
			rep.Add(rule.Finding{Reason: &credentialsMount, Path: c.MountPath(i), Args: rule.Args(c.Name, m.Name, m.MountPath), Key: pod.Role})
		}
	}
}

// staticInEnv finds keys in a variable. beside says that another variable of the
// container holds a secret.
func staticInEnv(rep *rule.Report, pod *podspec.Pod, c podspec.Container, i int, beside bool) {
	e := &c.Env[i]
	add := func(secret string, reason *rule.Reason, args ...string) {
		rep.Add(rule.Finding{Reason: reason, Path: c.EnvPath(i), Args: args, Key: pod.Role + "/" + accesskey.Mark(secret)})
	}
	var secret, config string
	if from := e.ValueFrom; from != nil && from.SecretKeyRef != nil {
		secret = from.SecretKeyRef.Key
	} else if from != nil && from.ConfigMapKeyRef != nil {
		config = from.ConfigMapKeyRef.Key
	}
	switch {
	case accesskey.IsVariable(e.Name):
		add(e.Value, &keyVariable, c.Name, e.Name)
	case accesskey.IsVariable(secret):
		add("", &keyReference, c.Name, secret, "Secret", e.Name)
	case accesskey.IsVariable(config):
		add("", &keyReference, c.Name, config, "ConfigMap", e.Name)
	default:
		for _, id := range accesskey.Find(e.Value, e.Name, beside) {
			add(id, &keyID, fmt.Sprintf("the variable %s of container %q", e.Name, c.Name))
		}
	}
}

// staticInVolume finds files that a volume puts into a directory .aws of
// wherever it is mounted.
func staticInVolume(rep *rule.Report, pod *podspec.Pod, i int) {
	v := &pod.Spec.Volumes[i]
	items := func(list []corev1.KeyToPath) bool {
		return slices.ContainsFunc(list, func(k corev1.KeyToPath) bool { return inDotAWS(k.Path) })
	}
	fields := func(list []corev1.DownwardAPIVolumeFile) bool {
		return slices.ContainsFunc(list, func(f corev1.DownwardAPIVolumeFile) bool { return inDotAWS(f.Path) })
	}
	found := v.Secret != nil && items(v.Secret.Items) || v.ConfigMap != nil && items(v.ConfigMap.Items) || v.DownwardAPI != nil && fields(v.DownwardAPI.Items)
	if v.Projected != nil {
		for _, source := range v.Projected.Sources {
			found = found || source.Secret != nil && items(source.Secret.Items) || source.ConfigMap != nil && items(source.ConfigMap.Items) ||
				source.DownwardAPI != nil && fields(source.DownwardAPI.Items) ||
				source.ServiceAccountToken != nil && inDotAWS(source.ServiceAccountToken.Path) ||
				source.ClusterTrustBundle != nil && inDotAWS(source.ClusterTrustBundle.Path)
		}
	}
	if found {
		rep.Add(rule.Finding{Reason: &credentialsVolume, Path: pod.VolumePath(i), Args: rule.Args(v.Name), Key: pod.Role})
	}
}

// inDotAWS reports whether a path is a directory named .aws or lies below one.
func inDotAWS(p string) bool {
	if !strings.Contains(p, ".aws") {
		return false
	}
	return slices.Contains(strings.Split(path.Clean(p), "/"), ".aws")
}

// holdsCredentials reports whether something mounted there is read as
// credentials: below .aws, or where kube-aws-iam-controller has its Secrets.
func holdsCredentials(p string) bool {
	if inDotAWS(p) {
		return true
	}
	const zalando = "/meta/aws-iam"
	if !strings.Contains(p, "aws-iam") {
		return false
	}
	clean := path.Clean(p)
	return clean == zalando || strings.HasPrefix(clean, zalando+"/")
}
