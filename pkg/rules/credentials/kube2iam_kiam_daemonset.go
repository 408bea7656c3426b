package credentials

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

//go:embed kube2iam-kiam-daemonset.md
var kube2IAMDaemonSetDoc string

// Kube2IAMDaemonSet is the rule kube2iam-kiam-daemonset.
//
// Guide, "Restrict pod credential access": "Other methods, such as kube2iam, kiam and
// the instance profile of the EC2 instances of the cluster, are not supported."
//
// Fields: metadata.name of Pods and workloads; image, name, command and args of
// every container.
func Kube2IAMDaemonSet() rule.Rule {
	return rule.Rule{
		ID:          "kube2iam-kiam-daemonset",
		Title:       "kube2iam, kiam or kube-aws-iam-controller itself",
		Doc:         kube2IAMDaemonSetDoc,
		Remediation: "move its users to IRSA or EKS Pod Identity and remove it",
		Guide:       guide.PodCredentials,
		Default:     rule.Warn,
		Everywhere:  true,
		Targets:     slices.Concat(targets.Pods(), targets.Workloads()),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("kube2iam-kiam-daemonset", &struct{}{}); err != nil {
				return nil, err
			}
			return checkKube2iamDaemonSet, nil
		},
	}
}

// credentialAgents are the programs by the names of their images, workloads and
// containers.
var credentialAgents = []string{"kube2iam", "kiam", "kiam-agent", "kiam-server", "kube-aws-iam-controller"}

// agentFlags are flags that no other program has.
var agentFlags = []string{
	"--auto-discover-base-arn", "--base-role-arn", "--iam-role-key", "--iam-external-id", "--namespace-restriction-format", // kube2iam
	"--role-base-arn", "--role-base-arn-autodetect", "--allow-route-regexp", "--whitelist-route-regexp", // kiam
}

func checkKube2iamDaemonSet(_ context.Context, r *rule.Request, rep *rule.Report) error {
	if agent := agentName(r.Object.Meta.Name); agent != "" {
		rep.Add(rule.Finding{Path: "metadata.name", Message: fmt.Sprintf("by its name this is %s, which hands out IAM roles beside IRSA", agent)})
		return nil
	}
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		if pod.Configured {
			continue
		}
		for c := range pod.Containers() {
			if what, at := agentIn(c); what != "" {
				rep.Add(rule.Finding{Path: at, Message: fmt.Sprintf("container %q is %s, which hands out IAM roles beside IRSA", c.Name, what)})
				return nil
			}
		}
	}
	return nil
}

func agentIn(c podspec.Container) (what, at string) {
	if agent := agentName(imageName(c.Image)); agent != "" {
		return agent, c.Path() + ".image"
	}
	if agent := agentName(c.Name); agent != "" {
		return agent, c.Path() + ".name"
	}
	for path, s := range c.Strings() {
		for word := range strings.FieldsSeq(s) { // of a shell command, or the argument itself
			flag, _, _ := strings.Cut(word, "=")
			if slices.Contains(agentFlags, flag) {
				return "an agent like kube2iam or kiam (flag " + flag + ")", path()
			}
		}
	}
	return "", ""
}

// agentName returns the agent that a name means: the name itself, or followed by
// what Helm, a DaemonSet or a Deployment appends.
func agentName(name string) string {
	for _, agent := range credentialAgents {
		if name == agent || strings.HasPrefix(name, agent+"-") {
			return agent
		}
	}
	return ""
}

// imageName is the last part of an image's path, without tag and digest.
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndexByte(image, '/')+1:]
	image, _, _ = strings.Cut(image, ":")
	return image
}
