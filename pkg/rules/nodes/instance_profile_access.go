// Package nodes holds the rules on nodes and their credentials.
package nodes

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/accesskey"
	"github.com/emrguard/emrguard/pkg/rules/internal/envfrom"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
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
		ID:          instanceProfileID,
		Title:       "ways from a pod to the credentials of its node",
		Doc:         instanceProfileAccessDoc,
		Remediation: "remove it; a job needs no access to its node",
		Guide:       guide.PodCredentials,
		Default:     rule.Deny,
		Targets:     targets.PodSpecs(),
		Parameters: []rule.Parameter{{
			Name: "localDisks", Type: "deny, warn, audit or off",
			Doc: "What follows from a pod that gets `/mnt/k8s-disks/0` or a parent of it, `warn` when it is not set. AWS's samples for EMR give Spark this disk whole, " +
				"but where EKS's AMI joins local disks to an array (Karpenter's `instanceStorePolicy: RAID0`), the kubelet's directory with the tokens of all pods lies on it. " +
				"Set `off` only where nodes leave the kubelet elsewhere (`--no-bind-kubelet`); set `deny` once jobs use a directory of their own below it.",
		}},
		New: newInstanceProfile,
	}
}

var metadataPrefix = rule.Reason{Name: "metadata-endpoint-by-prefix", Severity: rule.High, Message: envfrom.Message, Remedy: envfrom.Remedy}

const instanceProfileID = "instance-profile-access"

// instanceProfileParameters are the parameters of the rule.
type instanceProfileParameters struct {
	// LocalDisks is what follows from a whole local disk of the node.
	LocalDisks rule.Action `json:"localDisks"`
}

func newInstanceProfile(s rule.Settings) (rule.Check, error) {
	p := instanceProfileParameters{LocalDisks: rule.Warn}
	if err := s.Decode(instanceProfileID, &p); err != nil {
		return nil, err
	}
	if _, err := rule.ParseAction(string(p.LocalDisks)); err != nil {
		return nil, rule.ParameterError(instanceProfileID, fmt.Errorf("localDisks: %w", err))
	}
	return p.check, nil
}

func (p *instanceProfileParameters) check(_ context.Context, r *rule.Request, rep *rule.Report) error {
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
					rep.Add(rule.Finding{Path: c.EnvPath(j), Message: fmt.Sprintf("container %q sets %s to something else than loopback", c.Name, e.Name), Key: pod.Role})
				case imds.Mode:
					rep.Add(rule.Finding{Path: c.EnvPath(j), Message: fmt.Sprintf("container %q sets %s, which only somebody needs who uses the metadata service", c.Name, e.Name), Key: pod.Role})
				}
			}
		}
		p.judgeHostPaths(rep, pod)
	}
	for i := range r.Object.Settings {
		s := &r.Object.Settings[i]
		switch imds.InSetting(s.Key, s.Value) {
		case imds.None:
		case imds.Endpoint:
			rep.Add(rule.Finding{Path: s.Path(), Message: fmt.Sprintf("the setting %s moves the metadata service to something else than loopback", s.Key)})
		case imds.Mode:
			rep.Add(rule.Finding{Path: s.Path(), Message: fmt.Sprintf("the setting %s is of use only to somebody who uses the metadata service", s.Key)})
		}
		if class := instanceProvider(s.Value); class != "" {
			rep.Add(rule.Finding{
				Path:        s.Path(),
				Message:     fmt.Sprintf("the setting %s takes credentials from the instance profile by %s", s.Key, class),
				Remediation: "use the provider of IRSA, com.amazonaws.auth.WebIdentityTokenCredentialsProvider (SDK 2: …WebIdentityTokenFileCredentialsProvider)",
			})
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
