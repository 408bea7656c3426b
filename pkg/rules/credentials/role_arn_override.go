package credentials

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object/jobconf"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/accesskey"
	"github.com/emrguard/emrguard/pkg/rules/internal/envfrom"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const overrideID = "role-arn-override"

//go:embed role-arn-override.md
var roleARNOverrideDoc string

const accountDecides = "remove it; the ServiceAccount decides the role (a chained role can be allowed by the parameter allowedRoles)"

var (
	otherRole = rule.Reason{
		Name: "role", Severity: rule.High, Remedy: accountDecides,
		Message: "container %[1]q sets %[2]s to %[3]q, which is not the role of its ServiceAccount",
	}
	otherTokenFile = rule.Reason{
		Name: "token-file", Severity: rule.High, Remedy: accountDecides,
		Message: "container %[1]q sets %[2]s to %[3]q instead of the injected token",
	}
	otherEndpoint = rule.Reason{
		Name: "container-credentials", Severity: rule.High, Remedy: accountDecides,
		Message: "container %[1]q sets %[2]s to something else than EKS Pod Identity does",
	}
	variableFrom = rule.Reason{
		Name: "variable-from-elsewhere", Severity: rule.High, Remedy: accountDecides,
		Message: "container %[1]q takes %[2]s from elsewhere",
	}
	overridePrefix = rule.Reason{Name: "variable-prefix", Severity: rule.High, Message: envfrom.Message, Remedy: envfrom.Remedy}
	awsToken       = rule.Reason{
		Name: "token-volume", Severity: rule.High, Remedy: accountDecides,
		Message: "the volume %[1]q is a token for %[2]s, which is a credential in itself",
	}
	roleSetting = rule.Reason{
		Name: "role-setting", Severity: rule.High, Remedy: accountDecides,
		Message: "the setting %[1]s assumes the role %[2]q instead of the ServiceAccount's",
	}
	otherSource = rule.Reason{
		Name: "credentials-setting", Severity: rule.High, Remedy: accountDecides,
		Message: "the setting %[1]s takes credentials from something else than %[2]s",
	}
)

// RoleARNOverride is the rule role-arn-override.
//
// Guide, "Restrict pod credential access": "Amazon EMR on EKS uses IAM roles for
// service accounts (IRSA) as the standard credential provider": the ServiceAccount of a
// pod decides its role.
//
// Fields: env of every container, the variables that Spark and Flink are
// configured to set, and spec.volumes[*].projected.sources[*].serviceAccountToken.
//
// Allowed: the role of the pod's own account, the forms that EKS injects, and
// roles that the parameter allowedRoles names (role chaining).
func RoleARNOverride() rule.Rule {
	return rule.Rule{
		ID:      overrideID,
		Title:   "a role, token file or token chosen by the pod instead of its ServiceAccount",
		Doc:     roleARNOverrideDoc,
		Clauses: []guide.Clause{emr.ClausePodCredentials},
		Reads:   rule.ReadsAccounts(),
		Reasons: []*rule.Reason{&otherRole, &otherTokenFile, &otherEndpoint, &variableFrom, &overridePrefix, &awsToken, &roleSetting, &otherSource},
		Targets: targets.PodSpecs(),
		Parameters: []rule.Parameter{
			{Name: "allowedRoles", Type: "list of ARN patterns", Doc: "Roles that pods may name themselves. `*` stops at `:` and `/`."},
		},
		New: newRoleARNOverride,
	}
}

// allowedRoles reads the chained roles that the configuration permits.
func allowedRoles(s rule.Settings) (pattern.Set, error) {
	var p struct {
		AllowedRoles []string `json:"allowedRoles" syntax:"pattern"`
	}
	if err := s.Decode(overrideID, &p); err != nil {
		return nil, err
	}
	set, err := pattern.ParseSet(p.AllowedRoles)
	if err != nil {
		return nil, rule.ParameterError(overrideID, fmt.Errorf("allowedRoles%w", err))
	}
	return set, nil
}

func newRoleARNOverride(s rule.Settings) (rule.Check, error) {
	allowed, err := allowedRoles(s)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
		for i := range r.Object.Pods {
			if err := overrideInPod(ctx, r, rep, &r.Object.Pods[i], allowed); err != nil {
				return err
			}
		}
		for i := range r.Object.Settings {
			overrideInSetting(rep, &r.Object.Settings[i], allowed)
		}
		return nil
	}, nil
}

func overrideInPod(ctx context.Context, r *rule.Request, rep *rule.Report, pod *podspec.Pod, allowed pattern.Set) error {
	var id identity.Identity // looked up for the first thing that depends on it
	tokenFiles := map[string]string{
		emr.EnvWebIdentityTokenFile:            emr.TokenFile(pod.Spec, emr.WebIdentityTokenFile),
		emr.EnvContainerAuthorizationTokenFile: emr.TokenFile(pod.Spec, emr.PodIdentityTokenFile),
	}
	known := false
	lookup := func() error {
		if known {
			return nil
		}
		sa, err := r.Account(ctx, pod)
		if err != nil {
			return err
		}
		id, known = identity.Of(sa), true
		return nil
	}
	for c := range pod.Containers() {
		envfrom.Judge(rep, &overridePrefix, pod, c, overrideNames, accesskey.Variables)
		for i := range c.Env {
			e := &c.Env[i]
			if e.Name == emr.EnvRoleARN {
				if err := lookup(); err != nil {
					return err
				}
				// What EKS injected and now contradicts the account is a finding
				// of irsa-credentials.
				if r.IsPod() && !pod.Configured && injected(pod, c, id.Account).irsa {
					continue
				}
			}
			if reason, args := overrideInEnv(e, id, tokenFiles, allowed); reason != nil {
				rep.Add(rule.Finding{Reason: reason, Path: c.EnvPath(i), Args: append(rule.Args(c.Name), args...), Key: pod.Role})
			}
		}
	}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		audience := tokenAudience(v)
		if audience == "" {
			continue
		}
		if err := lookup(); err != nil {
			return err
		}
		if isInjectedVolume(v, id.Account) && (v.Name == emr.PodIdentityVolume || id.BearsRole()) {
			continue
		}
		rep.Add(rule.Finding{Reason: &awsToken, Path: pod.VolumePath(i), Args: rule.Args(v.Name, audience), Key: pod.Role})
	}
	return nil
}

// overrideInEnv returns the reason against a variable, and its arguments after the name of
// the container; or nothing.
func overrideInEnv(e *corev1.EnvVar, id identity.Identity, tokenFiles map[string]string, allowed pattern.Set) (*rule.Reason, []string) {
	if !strings.HasPrefix(e.Name, "AWS_") {
		return nil, nil
	}
	if e.ValueFrom != nil {
		if isOverrideName(e.Name) {
			return &variableFrom, rule.Args(e.Name)
		}
		return nil, nil
	}
	switch e.Name {
	case emr.EnvRoleARN:
		if e.Value == "" || id.Is(e.Value) || allowed.Match(e.Value) {
			return nil, nil
		}
		return &otherRole, rule.Args(e.Name, e.Value)
	case emr.EnvWebIdentityTokenFile:
		if e.Value == "" || e.Value == tokenFiles[e.Name] {
			return nil, nil
		}
		return &otherTokenFile, rule.Args(e.Name, e.Value)
	case emr.EnvContainerCredentialsFullURI:
		if e.Value == "" || isPodIdentityURI(e.Value) {
			return nil, nil
		}
	case emr.EnvContainerAuthorizationTokenFile:
		if e.Value == "" || e.Value == tokenFiles[e.Name] {
			return nil, nil
		}
	}
	if isOverrideName(e.Name) {
		return &otherEndpoint, rule.Args(e.Name)
	}
	return nil, nil
}

// overrideNames are the variables by which a pod chooses its credentials.
var overrideNames = []string{
	emr.EnvRoleARN, emr.EnvWebIdentityTokenFile,
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", emr.EnvContainerCredentialsFullURI,
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", emr.EnvContainerAuthorizationTokenFile,
}

func isOverrideName(name string) bool {
	return name == emr.EnvRoleARN || name == emr.EnvWebIdentityTokenFile ||
		strings.HasPrefix(name, "AWS_CONTAINER_CREDENTIALS_") || strings.HasPrefix(name, "AWS_CONTAINER_AUTHORIZATION_TOKEN")
}

// tokenAudience returns the audience of AWS for which a volume projects a
// token, or nothing.
func tokenAudience(v *corev1.Volume) string {
	if v.Projected == nil {
		return ""
	}
	for i := range v.Projected.Sources {
		if t := v.Projected.Sources[i].ServiceAccountToken; t != nil {
			if emr.IsAudienceSTS(t.Audience) || t.Audience == emr.AudiencePodIdentity {
				return t.Audience
			}
		}
	}
	return ""
}

// overrideInSetting finds the settings and system properties by which Hadoop's S3A,
// Flink, Iceberg, Presto, Trino and the SDKs for Java assume another role, or take
// other credentials than the injected ones.
func overrideInSetting(rep *rule.Report, s *jobconf.Setting, allowed pattern.Set) {
	key := strings.ToLower(s.Key)
	if isRoleSetting(key) && s.Value != "" && !allowed.Match(s.Value) {
		rep.Add(rule.Finding{Reason: &roleSetting, Path: s.Path(), Args: rule.Args(s.Key, s.Value)})
	}
	if source, other := sourceInSetting(key, s.Value); other {
		rep.Add(rule.Finding{Reason: &otherSource, Path: s.Path(), Args: rule.Args(s.Key, source)})
	}
}

// sourceInSetting tells from where a setting, its key in lower case, should take
// credentials or tokens, and whether it takes them from elsewhere.
func sourceInSetting(key, value string) (source string, other bool) {
	switch key {
	case "aws.webidentitytokenfile", "aws.credentials.provider.webidentitytoken.file":
		return "the injected token", value != emr.WebIdentityTokenFile
	case "aws.containercredentialspath", "aws.containerauthorizationtoken":
		return "the ServiceAccount", true
	case "aws.containercredentialsfulluri":
		return "EKS Pod Identity", !isPodIdentityURI(value)
	case "aws.containerauthorizationtokenfile":
		return "the token of EKS Pod Identity", value != emr.PodIdentityTokenFile
	}
	return "", false
}

// isRoleSetting reports whether a key in lower case names a role to assume: S3A's
// fs.s3a.assumed.role.arn, Flink's s3.assumed.role.arn, Iceberg's
// client.assume-role.arn, Presto's and Trino's s3.iam-role, Glue's and Kinesis' of
// Flink's connectors, and the SDK's aws.roleArn.
func isRoleSetting(key string) bool {
	plain := withoutSeparators(key)
	if strings.HasSuffix(plain, "clientassumerolearn") {
		return true
	}
	return isSettingOfAWS(key) && (strings.HasSuffix(plain, "rolearn") || strings.HasSuffix(plain, "iamrole"))
}
