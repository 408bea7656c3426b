// Package nodes holds the rules on nodes and their credentials.
package nodes

import (
	"context"
	_ "embed" // the documentation of the rule
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/accesskey"
	"github.com/emrguard/emrguard/pkg/rules/internal/envfrom"
	"github.com/emrguard/emrguard/pkg/rules/internal/imds"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

//go:embed instance-profile-access.md
var instanceProfileAccessDoc string

// InstanceProfileAccess is the rule instance-profile-access.
//
// Guide, "Restrict pod credential access": "the instance profile of the EC2 instances
// of the cluster" is "not supported". "Restrict access to node group IAM role or
// instance profile credentials": "block access to instance profile credentials for all
// pods that run in a managed namespace".
//
// Fields: spec.hostNetwork, spec.hostPID, spec.hostAliases, securityContext of the pod
// and of every container, probes and lifecycle hooks, spec.volumes[*].hostPath.path
// with the subPaths of their mounts, env AWS_EC2_METADATA_SERVICE_*, and the credential
// providers and metadata endpoints of the Spark and Hadoop configuration.
//
// Allowed: hostPath elsewhere (scratch directories, /tmp), a metadata endpoint on
// loopback, the capabilities that container runtimes give by default.
func InstanceProfileAccess() rule.Rule {
	return rule.Rule{
		ID:      instanceProfileID,
		Title:   "ways from a pod to the credentials of its node",
		Doc:     instanceProfileAccessDoc,
		Clauses: []guide.Clause{emr.ClausePodCredentials, emr.ClauseNodes},
		Reasons: accessReasons(),
		Targets: targets.PodSpecs(),
		Retired: map[string]string{"localDisks": "rules." + instanceProfileID + ".reasons.local-disk.mode"},
		New:     newInstanceProfile,
	}
}

var metadataPrefix = rule.Reason{Name: "metadata-endpoint-by-prefix", Severity: rule.High, Message: envfrom.Message, Remedy: envfrom.Remedy}

const instanceProfileID = "instance-profile-access"

func newInstanceProfile(s rule.Settings) (rule.Check, error) {
	if err := s.Decode(instanceProfileID, &struct{}{}); err != nil {
		return nil, err
	}
	return checkInstanceProfile, nil
}

func checkInstanceProfile(_ context.Context, r *rule.Request, rep *rule.Report) error {
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		nodeInPod(rep, pod)
		for c := range pod.Containers() {
			nodeInContainer(rep, pod, c)
			envfrom.Judge(rep, &metadataPrefix, pod, c, imds.Variables, accesskey.Variables)
			for j := range c.Env {
				e := &c.Env[j]
				switch imds.InVariable(e) {
				case imds.None:
				case imds.Endpoint:
					rep.Add(rule.Finding{Reason: &metadataEndpoint, Path: c.EnvPath(j), Args: rule.Args(c.Name, e.Name), Key: pod.Role})
				case imds.Mode:
					rep.Add(rule.Finding{Reason: &metadataMode, Path: c.EnvPath(j), Args: rule.Args(c.Name, e.Name), Key: pod.Role})
				}
			}
		}
		judgeHostPaths(rep, pod)
	}
	for i := range r.Object.Settings {
		s := &r.Object.Settings[i]
		switch imds.InSetting(s.Key, s.Value) {
		case imds.None:
		case imds.Endpoint:
			rep.Add(rule.Finding{Reason: &settingEndpoint, Path: s.Path(), Args: rule.Args(s.Key)})
		case imds.Mode:
			rep.Add(rule.Finding{Reason: &settingMode, Path: s.Path(), Args: rule.Args(s.Key)})
		}
		if class := instanceProvider(s.Value); class != "" {
			rep.Add(rule.Finding{Reason: &providerClass, Path: s.Path(), Args: rule.Args(s.Key, class)})
		}
	}
	return nil
}

// instanceProviders are the credential providers of the SDKs for Java and of
// Hadoop that ask the metadata service and nothing else, without packages.
var instanceProviders = []string{
	"InstanceProfileCredentialsProvider",
	"InstanceProfileAWSCredentialsProvider",
	"SharedInstanceProfileCredentialsProvider",
	"EC2ContainerCredentialsProviderWrapper",
	"IAMInstanceCredentialsProvider",
}

// instanceProvider returns the first class in a list of classes that takes
// credentials from the instance profile. Lists are separated by commas or
// blanks; S3A also takes maps of the form old=new.
func instanceProvider(value string) string {
	if !strings.Contains(value, "CredentialsProvider") {
		return ""
	}
	for _, class := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \t\r\n;=", r) }) {
		name := class[strings.LastIndexAny(class, ".$")+1:]
		if slices.Contains(instanceProviders, name) {
			return class
		}
	}
	return ""
}
