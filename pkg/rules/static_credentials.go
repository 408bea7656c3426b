package rules

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// static-aws-credentials
//
// Guide: "Restrict pod credential access": IRSA is the standard credential
// provider of a managed namespace.
//
// Fields: env, envFrom, command, args, lifecycle and probe commands and
// volumeMounts of every container; volumes of the pod; the Spark, Hadoop and
// Flink configuration; data of ConfigMaps.
//
// Allowed: AWS_ROLE_SESSION_NAME and AWS_EC2_METADATA_DISABLED (no
// credentials), AWS_REGION and its like.
func staticCredentials() rule.Rule {
	return rule.Rule{
		ID:    "static-aws-credentials",
		Title: "AWS access keys, or files that hold them, handed to a pod",
		Doc: "An access key in the environment comes before IRSA in the credential chain of every AWS SDK, so the pod acts as somebody else than its execution role; " +
			"a credentials file or profile does the same or comes right after. Such keys do not expire, and they stand readable in the API. " +
			"The rule reads variables, sources of variables, commands, mounts at or below `.aws`, and the settings of Spark, Hadoop and Flink. " +
			"A finding names the place and never prints the value.",
		Remediation: "remove it and use the execution role of the pod's ServiceAccount (IRSA)",
		Guide:       guidePodCredentials,
		Default:     rule.Deny,
		Targets:     slices.Concat(specTargets(), podMetadataTargets()),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("static-aws-credentials", &struct{}{}); err != nil {
				return nil, err
			}
			return checkStaticCredentials, nil
		},
	}
}

// staticNames are the variables with which the AWS SDKs take a key, or a file
// that holds one. Sources: botocore, the SDK for Java 1 and 2, and EMR-FACTS.
var staticNames = []string{
	"AWS_ACCESS_KEY", // SDK for Java 1
	"AWS_ACCESS_KEY_ID",
	"AWS_CONFIG_FILE",
	"AWS_CREDENTIAL_FILE", // boto 2
	"AWS_CREDENTIAL_PROFILES_FILE",
	"AWS_DEFAULT_PROFILE",
	"AWS_PROFILE",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SECRET_KEY", // SDK for Java 1
	"AWS_SECURITY_TOKEN",
	"AWS_SESSION_TOKEN",
	"AWS_SHARED_CREDENTIALS_FILE",
}

func isStaticName(name string) bool {
	if !strings.HasPrefix(name, "AWS_") {
		return false
	}
	_, ok := slices.BinarySearch(staticNames, name)
	return ok
}

// makes returns the first of the variables that an envFrom with this prefix can
// make out of the keys of a Secret or ConfigMap. Without a prefix nothing can be
// said: the keys are not in the request.
func makes(prefix string, names []string) string {
	if prefix == "" {
		return ""
	}
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) })
	if i < 0 {
		return ""
	}
	return names[i]
}

// judgePrefixes reports the sources of variables that can make one of the names,
// but for those that can make a graver one, which is a finding of another rule.
func judgePrefixes(rep *rule.Report, pod *object.Pod, c object.Container, names, graver []string) {
	for i := range c.EnvFrom {
		prefix := c.EnvFrom[i].Prefix
		name := makes(prefix, names)
		if name == "" || makes(prefix, graver) != "" {
			continue
		}
		rep.Add(rule.Finding{
			Path:        c.EnvFromPath(i),
			Message:     fmt.Sprintf("container %q takes variables with the prefix %q, which can make %s", c.Name, prefix, name),
			Remediation: "name the variables one by one under env, or use another prefix",
			Key:         pod.Role,
		})
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
			if hasAccessKey(value) {
				rep.Add(rule.Finding{Path: pod.AnnotationPath(key), Message: fmt.Sprintf("the annotation %s holds an AWS access key id", key)})
			}
		}
	}
	if cm := r.Object.ConfigMap; cm != nil {
		for key, value := range cm.Data {
			if hasAccessKey(value) {
				rep.Add(rule.Finding{Path: object.MapPath("data", key), Message: fmt.Sprintf("the ConfigMap's key %q holds an AWS access key id", key)})
			}
		}
		for key, value := range cm.BinaryData {
			if hasAccessKey(string(value)) {
				rep.Add(rule.Finding{Path: object.MapPath("binaryData", key), Message: fmt.Sprintf("the ConfigMap's key %q holds an AWS access key id", key)})
			}
		}
	}
	return nil
}

func staticInContainer(rep *rule.Report, pod *object.Pod, c object.Container) {
	for i := range c.Env {
		if what := staticInEnv(&c.Env[i]); what != "" {
			rep.Add(rule.Finding{Path: c.EnvPath(i), Message: fmt.Sprintf("container %q %s", c.Name, what), Key: pod.Role})
		}
	}
	judgePrefixes(rep, pod, c, staticNames, nil)
	for at, s := range c.Strings() {
		if hasAccessKey(s) && !rep.Has(at()) {
			rep.Add(rule.Finding{Path: at(), Message: fmt.Sprintf("container %q is started with an AWS access key id in its command line", c.Name), Key: pod.Role})
		}
	}
	for i := range c.VolumeMounts {
		m := &c.VolumeMounts[i]
		if holdsCredentials(m.MountPath) || inDotAWS(m.SubPath) || inDotAWS(m.SubPathExpr) {
			rep.Add(rule.Finding{
				Path:    c.MountPath(i),
				Message: fmt.Sprintf("container %q mounts AWS credentials or profiles: volume %q at %q", c.Name, m.Name, m.MountPath),
				Key:     pod.Role,
			})
		}
	}
}

// staticInEnv says what is wrong with a variable, or nothing.
func staticInEnv(e *corev1.EnvVar) string {
	switch from := e.ValueFrom; {
	case isStaticName(e.Name):
		return "sets " + e.Name
	case from != nil && from.SecretKeyRef != nil && isStaticName(from.SecretKeyRef.Key):
		return fmt.Sprintf("takes %s from a Secret into %s", from.SecretKeyRef.Key, e.Name)
	case from != nil && from.ConfigMapKeyRef != nil && isStaticName(from.ConfigMapKeyRef.Key):
		return fmt.Sprintf("takes %s from a ConfigMap into %s", from.ConfigMapKeyRef.Key, e.Name)
	case hasAccessKey(e.Value):
		return "has an AWS access key id in " + e.Name
	}
	return ""
}

// staticInVolume finds files that a volume puts into a directory .aws of
// wherever it is mounted.
func staticInVolume(rep *rule.Report, pod *object.Pod, i int) {
	v := &pod.Spec.Volumes[i]
	items := func(list []corev1.KeyToPath) bool {
		return slices.ContainsFunc(list, func(k corev1.KeyToPath) bool { return inDotAWS(k.Path) })
	}
	found := v.Secret != nil && items(v.Secret.Items) || v.ConfigMap != nil && items(v.ConfigMap.Items)
	if v.Projected != nil {
		for _, source := range v.Projected.Sources {
			found = found || source.Secret != nil && items(source.Secret.Items) || source.ConfigMap != nil && items(source.ConfigMap.Items)
		}
	}
	if found {
		rep.Add(rule.Finding{Path: pod.VolumePath(i), Message: fmt.Sprintf("the volume %q puts files into a directory .aws", v.Name), Key: pod.Role})
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

func staticInSetting(rep *rule.Report, s *object.Setting) {
	switch {
	case isStaticSetting(s.Key):
		rep.Add(rule.Finding{Path: s.Path(), Message: fmt.Sprintf("the setting %s holds AWS keys", s.Key)})
	case hasAccessKey(s.Value) && !isEnvSetting(s.Key) && !rep.Has(s.Path()):
		rep.Add(rule.Finding{Path: s.Path(), Message: fmt.Sprintf("the setting %s holds an AWS access key id", s.Key)})
	}
}

// isEnvSetting leaves variables to the check of the pods that are made of them.
func isEnvSetting(key string) bool {
	return strings.HasPrefix(key, "spark.kubernetes.driverEnv.") || strings.HasPrefix(key, "spark.executorEnv.") || strings.HasPrefix(key, "containerized.")
}

// isStaticSetting knows the settings of EMRFS (fs.s3.awsAccessKeyId), Hadoop's
// S3A (fs.s3a.access.key, also per bucket), Flink's S3 file systems
// (s3.access-key), and the system properties of the SDKs for Java.
func isStaticSetting(key string) bool {
	k := strings.ToLower(key)
	k = strings.TrimPrefix(k, "flink.hadoop.")
	if strings.HasPrefix(k, "aws.") {
		switch k {
		case "aws.accesskeyid", "aws.secretkey", "aws.secretaccesskey", "aws.sessiontoken", "aws.profile",
			"aws.sharedcredentialsfile", "aws.configfile", "aws.credentialsfile":
			return true
		}
		return false
	}
	if !strings.HasPrefix(k, "fs.s3") && !strings.HasPrefix(k, "s3.") && !strings.HasPrefix(k, "s3a.") && !strings.HasPrefix(k, "s3n.") {
		return false
	}
	k = strings.NewReplacer("-", "", ".", "", "_", "").Replace(k)
	for _, tail := range []string{"accesskey", "secretkey", "accesskeyid", "secretaccesskey", "sessiontoken"} {
		if strings.HasSuffix(k, tail) {
			return true
		}
	}
	return false
}

// hasAccessKey reports whether s holds an AWS access key id of full shape: AKIA
// or ASIA and sixteen more capital letters or digits, alone or between other
// characters.
func hasAccessKey(s string) bool {
	const length = 20
	for from := 0; len(s)-from >= length; {
		i := strings.IndexByte(s[from:], 'A')
		if i < 0 {
			return false
		}
		i += from
		if len(s)-i < length {
			return false
		}
		if (s[i:i+4] == "AKIA" || s[i:i+4] == "ASIA") && (i == 0 || !isWordByte(s[i-1])) &&
			(len(s)-i == length || !isWordByte(s[i+length])) && allCapital(s[i:i+length]) {
			return true
		}
		from = i + 1
	}
	return false
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func allCapital(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
