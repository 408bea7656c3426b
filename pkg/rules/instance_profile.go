package rules

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/rule"
)

// instance-profile-access
//
// Guide: "Restrict pod credential access" and "Restrict access to node group IAM
// role or instance profile credentials".
//
// Fields: spec.hostNetwork, spec.hostPID, securityContext.privileged of every
// container, spec.volumes[*].hostPath.path, env AWS_EC2_METADATA_SERVICE_*, and
// the credential providers of the Spark and Hadoop configuration.
//
// Allowed: hostPath elsewhere (EMR's own /mnt/k8s-disks/0, /tmp), a metadata
// endpoint on loopback.
func instanceProfile() rule.Rule {
	return rule.Rule{
		ID:    "instance-profile-access",
		Title: "ways from a pod to the credentials of its node",
		Doc: "Whoever reaches the instance profile of the node acts with the node's IAM role instead of the execution role. " +
			"A pod on the host network always reaches the metadata service: neither the hop limit nor a network policy stops it. " +
			"The host's processes, a privileged container, and host paths of the kubelet, `/proc`, or a container runtime's socket lead to the node, " +
			"and from there to its credentials and to the tokens of all other pods on it.",
		Remediation: "remove it; a job needs no access to its node",
		Guide:       guidePodCredentials,
		Default:     rule.Deny,
		Targets:     specTargets(),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("instance-profile-access", &struct{}{}); err != nil {
				return nil, err
			}
			return checkInstanceProfile, nil
		},
	}
}

func checkInstanceProfile(_ context.Context, r *rule.Request, rep *rule.Report) error {
	for i := range r.Object.Pods {
		pod := &r.Object.Pods[i]
		if pod.Spec.HostNetwork {
			rep.Add(rule.Finding{
				Path:    pod.FieldPath("hostNetwork"),
				Message: "the pod is on the host network, where nothing keeps it from the instance metadata service",
				Key:     pod.Role,
			})
		}
		if pod.Spec.HostPID {
			rep.Add(rule.Finding{Path: pod.FieldPath("hostPID"), Message: "the pod sees the processes of its node, and through /proc their credentials", Key: pod.Role})
		}
		for c := range pod.Containers() {
			if sc := c.SecurityContext; sc != nil && sc.Privileged != nil && *sc.Privileged {
				rep.Add(rule.Finding{Path: c.Path() + ".securityContext.privileged", Message: fmt.Sprintf("container %q is privileged and so has all that its node has", c.Name), Key: pod.Role})
			}
			judgePrefixes(rep, pod, c, metadataNames, staticNames)
			for j := range c.Env {
				if what := metadataEnv(&c.Env[j]); what != "" {
					rep.Add(rule.Finding{Path: c.EnvPath(j), Message: fmt.Sprintf("container %q %s", c.Name, what), Key: pod.Role})
				}
			}
		}
		for j := range pod.Spec.Volumes {
			if v := &pod.Spec.Volumes[j]; v.HostPath != nil {
				if why := reachesNode(v.HostPath.Path); why != "" {
					rep.Add(rule.Finding{Path: pod.VolumePath(j), Message: fmt.Sprintf("the volume %q is the host path %q, which reaches %s", v.Name, v.HostPath.Path, why), Key: pod.Role})
				}
			}
		}
	}
	for i := range r.Object.Settings {
		s := &r.Object.Settings[i]
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

// metadataNames are the variables that move the metadata service.
var metadataNames = []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"}

// metadataEnv says what is wrong with a variable that moves the metadata
// service, or nothing.
func metadataEnv(e *corev1.EnvVar) string {
	switch e.Name {
	case "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE":
		return "sets " + e.Name + ", which only somebody needs who uses the metadata service"
	case "AWS_EC2_METADATA_SERVICE_ENDPOINT":
		if e.ValueFrom != nil || !isLoopback(e.Value) {
			return "sets " + e.Name + " to something else than loopback"
		}
	}
	return ""
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}

// nodePaths are directories and files of a node from which its credentials, or
// those of other pods, can be had. /var/run is /run on every node.
var nodePaths = []struct{ path, what string }{
	{"/", "the whole node"},
	{"/proc", "the node's processes"},
	{"/var/lib/kubelet", "the kubelet's files with the tokens of all pods"},
	{"/etc/kubernetes", "the kubelet's own credentials"},
	{"/root/.aws", "the node's AWS profile"},
	{"/run/docker.sock", "the container runtime's socket"},
	{"/run/containerd", "the container runtime's socket"},
	{"/run/crio", "the container runtime's socket"},
	{"/run/cri-dockerd.sock", "the container runtime's socket"},
	{"/run/dockershim.sock", "the container runtime's socket"},
	{"/run/podman", "the container runtime's socket"},
}

// reachesNode says what a host path reaches, or nothing. The path is cleaned
// first; a parent reaches all that lies below it.
func reachesNode(p string) string {
	clean := path.Clean("/" + p)
	if clean == "/" {
		return "the whole node"
	}
	if rest, ok := strings.CutPrefix(clean, "/var/run"); ok && (rest == "" || rest[0] == '/') {
		clean = "/run" + rest
	}
	for _, n := range nodePaths {
		if below(clean, n.path) || below(n.path, clean) {
			return n.what
		}
	}
	// The AWS profile of any user of the node, and the home directories above.
	if clean == "/home" || strings.HasPrefix(clean, "/home/") && strings.Count(clean, "/") == 2 || slices.Contains(strings.Split(clean, "/"), ".aws") {
		return "the AWS profile of a user of the node"
	}
	return ""
}

// below reports whether p is dir or lies below it. Everything lies below "/",
// which is judged before.
func below(p, dir string) bool {
	if dir == "/" {
		return false
	}
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
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
