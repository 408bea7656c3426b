package nodes

import (
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

const noNodeAccess = "remove it; a job needs no access to its node"

func access(name string, severity rule.Severity, message string) rule.Reason {
	return rule.Reason{Name: name, Severity: severity, Message: message, Remedy: noNodeAccess}
}

// The reasons of instance-profile-access.
var (
	hostNetwork = access("host-network", rule.High, "the pod is on the host network, where nothing keeps it from the instance metadata service")
	hostPID     = access("host-pid", rule.Critical, "the pod sees the processes of its node, and through /proc their credentials")
	podProcess  = access("host-process-pod", rule.Critical, "the containers of the pod are processes of its node")
	process     = access("host-process", rule.Critical, "container %[1]q is a process of its node")
	privileged  = access("privileged", rule.Critical, "container %[1]q is privileged and so has all that its node has")
	procMount   = access("unmasked-proc", rule.High, "container %[1]q can change the kernel of its node through /proc")
	capability  = access("capability", rule.High, "container %[1]q has the capability %[2]s, which reaches %[3]s")
	hostPath    = access("host-path", rule.Critical, "the volume %[1]q is the host path %[2]q, which reaches %[3]s")
	subPath     = access("host-path-below", rule.Critical, "container %[1]q mounts the host path %[2]q, which reaches %[3]s")

	localDisk = rule.Reason{
		Name: "local-disk", Severity: rule.Medium, Message: hostPath.Message,
		Remedy: "mount a directory of the job's own below the disk, such as /mnt/k8s-disks/0/spark with type DirectoryOrCreate",
	}

	metadataAlias    = access("metadata-alias", rule.High, "the pod gives the instance metadata service another name: %[1]s")
	metadataProbe    = access("metadata-probe", rule.High, "container %[1]q has a probe that asks %[2]q, the metadata service")
	metadataHook     = access("metadata-hook", rule.High, "container %[1]q has a hook that asks %[2]q, the metadata service")
	kubeletProbe     = access("metadata-probe-from-node", rule.High, "container %[1]q has a probe that asks %[2]q, the metadata service, from the node itself")
	kubeletHook      = access("metadata-hook-from-node", rule.High, "container %[1]q has a hook that asks %[2]q, the metadata service, from the node itself")
	metadataEndpoint = access("metadata-endpoint", rule.High, "container %[1]q sets %[2]s to something else than loopback")
	metadataMode     = access("metadata-mode", rule.High, "container %[1]q sets %[2]s, which only users of the metadata service need")
	settingEndpoint  = access("metadata-endpoint-setting", rule.High, "the setting %[1]s moves the metadata service to something else than loopback")
	settingMode      = access("metadata-mode-setting", rule.High, "the setting %[1]s is of use only to users of the metadata service")

	providerClass = rule.Reason{
		Name: "provider-class", Severity: rule.High, Message: "the setting %[1]s takes credentials from the instance profile by %[2]s",
		Remedy: "use the provider of IRSA, com.amazonaws.auth.WebIdentityTokenCredentialsProvider (SDK 2: …WebIdentityTokenFileCredentialsProvider)",
	}
)

func accessReasons() []*rule.Reason {
	return []*rule.Reason{
		&hostNetwork, &hostPID, &podProcess, &process, &privileged, &procMount, &capability, &hostPath, &subPath, &localDisk,
		&metadataAlias, &metadataProbe, &metadataHook, &kubeletProbe, &kubeletHook, &metadataEndpoint, &metadataMode, &settingEndpoint, &settingMode,
		&metadataPrefix, &providerClass,
	}
}

// The reasons of karpenter-instance-metadata.
var (
	hopLimit = rule.Reason{
		Name: "hop-limit", Severity: rule.Medium, Message: "with the hop limit %[1]s the metadata service hands the node's credentials to pods",
		Remedy: "write httpPutResponseHopLimit: 1",
	}
	tokensOptional = rule.Reason{
		Name: "tokens-optional", Severity: rule.Medium,
		Message: "the nodes answer for their metadata without a token (httpTokens is %[1]q): IMDSv1, which a single forged request reaches",
		Remedy:  "write httpTokens: required, or leave it out",
	}
	metadataOnIPv6 = rule.Reason{
		Name: "ipv6-endpoint", Severity: rule.Low, Message: "the nodes answer for their metadata on IPv6 too, at fd00:ec2::254",
		Remedy: "leave httpProtocolIPv6 out, or see that policies keep pods from fd00:ec2::254 as well",
	}
)

// The reasons of vpc-cni-credentials.
var (
	nodeRole = rule.Reason{
		Name: "role-of-node", Severity: rule.Medium, Message: "the VPC CNI plugin has no role of its own and uses that of its node",
		Remedy: "give aws-node a role with AmazonEKS_CNI_Policy by the annotation " + emr.AnnotationRoleARN + ", and take that policy off the node's role",
	}
	unknownRole = rule.Reason{
		Name: "unknown-role", Severity: rule.Low,
		Message: "the VPC CNI plugin has no role of its own by IRSA; whether EKS Pod Identity gives it one, emrguard cannot see",
		Remedy:  "see that `aws eks list-pod-identity-associations --namespace kube-system --service-account aws-node` lists one",
	}
)
