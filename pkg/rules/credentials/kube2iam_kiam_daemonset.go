package credentials

import (
	"context"
	_ "embed" // the documentation of the rule
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

//go:embed kube2iam-kiam-daemonset.md
var kube2IAMDaemonSetDoc string

const removeAgent = "move its users to IRSA or EKS Pod Identity and remove it"

var (
	agentByName = rule.Reason{
		Name: "object-name", Severity: rule.Medium, Remedy: removeAgent,
		Message: "by its name this is %[1]s, which hands out IAM roles beside IRSA",
	}
	agentContainer = rule.Reason{
		Name: "container", Severity: rule.Medium, Remedy: removeAgent,
		Message: "container %[1]q is %[2]s, which hands out IAM roles beside IRSA",
	}
	agentByFlag = rule.Reason{
		Name: "flag", Severity: rule.Medium, Remedy: removeAgent,
		Message: "container %[1]q is an agent like kube2iam or kiam (flag %[2]s), which hands out IAM roles beside IRSA",
	}
)

// Kube2IAMDaemonSet is the rule kube2iam-kiam-daemonset.
//
// Guide, "Restrict pod credential access": "Other methods, such as kube2iam, kiam and
// the instance profile of the EC2 instances of the cluster, are not supported."
//
// Fields: metadata.name of Pods and workloads; image, name, command and args of
// every container.
func Kube2IAMDaemonSet() rule.Rule {
	return rule.Rule{
		ID:         "kube2iam-kiam-daemonset",
		Title:      "kube2iam, kiam or kube-aws-iam-controller itself",
		Doc:        kube2IAMDaemonSetDoc,
		Clauses:    []guide.Clause{emr.ClausePodCredentials},
		Reasons:    []*rule.Reason{&agentContainer, &agentByName, &agentByFlag},
		Everywhere: true,
		Targets:    slices.Concat(targets.Pods(), targets.Workloads()),
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
		rep.Add(rule.Finding{Reason: &agentByName, Path: "metadata.name", Args: rule.Args(agent)})
		return nil
	}
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		if pod.Configured {
			continue
		}
		for c := range pod.Containers() {
			if reason, what, at := agentIn(c); reason != nil {
				rep.Add(rule.Finding{Reason: reason, Path: at, Args: rule.Args(c.Name, what)})
				return nil
			}
		}
	}
	return nil
}

// agentIn tells by what a container is an agent, and where that stands.
func agentIn(c podspec.Container) (reason *rule.Reason, what, at string) {
	if agent := agentName(imageName(c.Image)); agent != "" {
		return &agentContainer, agent, c.Path() + ".image"
	}
	if agent := agentName(c.Name); agent != "" {
		return &agentContainer, agent, c.Path() + ".name"
	}
	for path, s := range c.Strings() {
		for word := range strings.FieldsSeq(s) { // of a shell command, or the argument itself
			flag, _, _ := strings.Cut(word, "=")
			if slices.Contains(agentFlags, flag) {
				return &agentByFlag, flag, path()
			}
		}
	}
	return nil, "", ""
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
