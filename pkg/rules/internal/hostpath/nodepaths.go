package hostpath

import (
	"slices"
)

// What paths of a node reach.
const (
	wholeNode     = "the whole node"
	kubeletFiles  = "the kubelet's files with the tokens of all pods"
	kubeletOwn    = "the kubelet's own credentials"
	runtimeSocket = "the container runtime's socket"
	runtimeFiles  = "the container runtime's files with those of all containers"
	nodeHome      = "the AWS profile of a user of the node, or other keys"
	nodeManager   = "the node's service manager"
	nodeAgent     = "an agent of AWS that runs as root on the node"
	nodePrograms  = "programs that the node runs as root"
	nodeStart     = "what the node runs as root by itself"
	nodeKernel    = "the node's kernel"
	nodeDisks     = "the node's disks"
	podNetwork    = "the network of all pods"
	nodeAccounts  = "the node's users and their passwords"
)

// nodePath is a file or directory of a node. A parent reaches all that lies below it,
// and so does what lies below the path, unless whole is true: then only the path
// itself and its parents count.
type nodePath struct {
	path string
	Reach
	whole bool
}

// nodePaths are paths from which the credentials of a node or of other pods, or the
// control over the node, can be had. Sources: the layout of EKS's AMIs for Amazon
// Linux 2 and 2023 (awslabs/amazon-eks-ami), of Bottlerocket, of containerd, CRI-O
// and Docker, of the kubelet and of systemd. Paths are written as hostRoots and
// aliases leave them: /run for /var/run, /usr/bin for /bin.
var nodePaths = slices.Concat(
	reads("the node's processes", "/proc"),
	reads(runtimeSocket, "/run/containerd", "/run/host-containerd", "/run/docker.sock", "/run/docker", "/run/dockershim.sock",
		"/run/cri-dockerd.sock", "/run/crio", "/run/podman", "/run/k3s", "/run/finch", "/run/buildkit", "/run/soci-snapshotter-grpc"),
	reads(kubeletFiles, "/var/lib/kubelet", "/var/snap", "/run/kubelet"),
	reads(kubeletOwn, "/etc/kubernetes", "/var/lib/kube-proxy", "/var/lib/kubernetes", "/var/lib/etcd", "/etc/eks", "/run/eks",
		"/var/lib/cloud", "/run/cloud-init", "/run/credentials"),
	reads(runtimeFiles, "/var/lib/containerd", "/var/lib/docker", "/var/lib/dockershim", "/var/lib/containers", "/var/lib/crio",
		"/run/containers", "/run/runc", "/run/crun", "/var/lib/soci-snapshotter-grpc", "/var/lib/host-containerd"),
	reads(nodeManager, "/run/systemd", "/run/dbus", "/run/initctl", "/run/api.sock", "/run/user"),
	reads("the node's AWS profile and the other files of root", "/root"),
	reads(nodeAgent, "/var/lib/amazon", "/etc/amazon", "/opt/amazon"),
	reads(nodeAccounts, "/etc/shadow", "/etc/gshadow", "/etc/ssh"),
	reads(nodeDisks, "/dev/disk", "/dev/mapper", "/dev/md", "/dev/root", "/dev/block", "/dev/mem", "/dev/kmem", "/dev/port"),
	reads(podNetwork, "/run/netns"),
	writes(podNetwork, "/opt/cni", "/etc/cni", "/var/lib/cni", "/run/cni"),
	writes(nodeStart, "/etc/systemd", "/usr/lib/systemd", "/usr/local/lib/systemd", "/etc/crontab", "/etc/anacrontab", "/var/spool/cron", "/var/spool/anacron",
		"/etc/init.d", "/etc/rc.d", "/etc/rc.local", "/etc/udev", "/usr/lib/udev", "/etc/modprobe.d", "/etc/modules-load.d",
		"/etc/ld.so.preload", "/etc/ld.so.conf.d", "/etc/profile.d", "/etc/NetworkManager", "/etc/dhcp", "/etc/logrotate.d",
		"/etc/containerd", "/etc/crio", "/etc/docker", "/etc/containers", "/etc/sysconfig", "/etc/default", "/etc/sysctl.d", "/etc/cloud"),
	writes(nodeAccounts, "/etc/passwd", "/etc/group", "/etc/sudoers", "/etc/sudoers.d", "/etc/pam.d", "/etc/polkit-1", "/etc/dbus-1"),
	writes(nodePrograms, "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec", "/opt/bin", "/opt/containerd"),
	entirely(nodePrograms, "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/opt"),
	writes(nodeKernel, "/boot", "/usr/lib/modules", "/sys/kernel", "/sys/module"),
	// These are mounts of their own, which a mount of their parent that is read only
	// leaves writable.
	reads(nodeKernel, "/sys/fs/cgroup", "/sys/fs/bpf"),
	// The kubelet follows links that it finds among the logs, as root.
	entirely("files that the kubelet serves as logs", "/var/log"),
	writes("files that the kubelet serves as logs", "/var/log/pods", "/mnt/k8s-disks/0/pods"),
	entirely("the node's devices", "/dev"),
	entirely("the node's system", "/x86_64-bottlerocket-linux-gnu", "/aarch64-bottlerocket-linux-gnu", "/.bottlerocket"),
	[]nodePath{{"/local", Reach{What: "the data of Bottlerocket, among them the kubelet's files"}, true}},
	// setup-local-disks of EKS's AMIs moves these to the array and binds them back;
	// Bottlerocket's ephemeral storage does the same.
	reads(kubeletFiles, "/mnt/k8s-disks/0/kubelet", "/mnt/.ephemeral"),
	reads(runtimeFiles, "/mnt/k8s-disks/0/containerd", "/mnt/k8s-disks/0/soci-snapshotter-grpc"),
)

func listOf(r Reach, whole bool, paths []string) []nodePath {
	list := make([]nodePath, 0, len(paths))
	for _, p := range paths {
		list = append(list, nodePath{p, r, whole})
	}
	return list
}

func reads(what string, paths ...string) []nodePath {
	return listOf(Reach{What: what}, false, paths)
}

func writes(what string, paths ...string) []nodePath {
	return listOf(Reach{What: what, Writing: true}, false, paths)
}

func entirely(what string, paths ...string) []nodePath {
	return listOf(Reach{What: what, Writing: true}, true, paths)
}

// localDisks are where EKS's AMIs mount local storage. AWS's samples for EMR hand
// them to Spark whole, so they are judged by a parameter.
var localDisks = []string{"/mnt", "/mnt/k8s-disks", "/mnt/k8s-disks/0"}

// aliases are links that every node has.
var aliases = []struct{ from, to string }{
	{"/var/run", "/run"},
	{"/bin", "/usr/bin"},
	{"/sbin", "/usr/sbin"},
	{"/lib", "/usr/lib"},
	{"/lib64", "/usr/lib64"},
	{"/local/var", "/var"}, // Bottlerocket keeps its data there
	{"/local/etc", "/etc"},
	{"/local/opt", "/opt"},
	{"/local/mnt", "/mnt"},
}
