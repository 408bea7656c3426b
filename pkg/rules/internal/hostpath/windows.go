package hostpath

import (
	"path"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/rules/internal/paths"
)

// IsWindows knows paths with a drive and those of devices and pipes.
func IsWindows(p string) bool {
	return strings.HasPrefix(p, `\`) || strings.HasPrefix(p, "//./") || strings.HasPrefix(p, "//?/") ||
		len(p) >= 2 && p[1] == ':' && (p[0] >= 'a' && p[0] <= 'z' || p[0] >= 'A' && p[0] <= 'Z')
}

// windowsPaths are those of nodePaths on Windows, without their drive.
var windowsPaths = []struct{ path, what string }{
	{"/var/lib/kubelet", kubeletFiles},
	{"/k", kubeletOwn},
	{"/etc/kubernetes", kubeletOwn},
	{"/program files/amazon", nodeAgent},
	{"/program files/eks", kubeletOwn},
	{"/programdata/amazon", nodeAgent},
	{"/programdata/kubernetes", kubeletOwn},
	{"/programdata/containerd", runtimeFiles},
	{"/programdata/docker", runtimeFiles},
	{"/program files/containerd", nodePrograms},
	{"/program files/docker", nodePrograms},
	{"/windows", nodePrograms},
	{"/users/administrator", nodeHome},
	{"/opt/cni", podNetwork},
	{"/etc/cni", podNetwork},
}

// reachesWindows says what a path of a Windows node reaches, or nothing. Windows
// does not distinguish case, and takes both slashes.
func reachesWindows(p string) string {
	slashes := strings.ToLower(strings.ReplaceAll(p, `\`, "/"))
	device := strings.HasPrefix(slashes, "//./") || strings.HasPrefix(slashes, "//?/")
	clean := strings.TrimPrefix(path.Clean("/"+strings.TrimPrefix(slashes, "//?")), "/")
	hasDrive := len(clean) >= 2 && clean[1] == ':'
	switch {
	case hasDrive:
		clean = path.Clean("/" + clean[2:])
	case device && paths.Below(clean, "pipe"):
		return runtimeSocket
	case device: // a disk by its number
		return nodeDisks
	default:
		clean = "/" + clean
	}
	if clean == "/" {
		return wholeNode
	}
	for _, n := range windowsPaths {
		if paths.Below(clean, n.path) || paths.Below(n.path, clean) {
			return n.what
		}
	}
	if parts := strings.Split(strings.TrimPrefix(clean, "/"), "/"); slices.ContainsFunc(parts, isPrivateDirectory) || parts[0] == "users" && len(parts) <= 2 {
		return nodeHome
	}
	return ""
}
