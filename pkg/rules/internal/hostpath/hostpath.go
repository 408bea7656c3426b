// Package hostpath knows what a pod reaches by a path of its node: credentials of the
// node or of other pods, or control over the node.
package hostpath

import (
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/rules/internal/paths"
)

// Reach is what a pod gets hold of by a path of its node.
type Reach struct {
	// What it reaches, in words; empty for nothing.
	What string
	// Writing is true when only a mount that can be written to reaches it.
	Writing bool
	// Disk is true for a disk of local storage below which the node may keep the
	// kubelet's directory.
	Disk bool
}

// Reached says what a host path reaches. The path is cleaned first; a parent
// reaches all that lies below it.
func Reached(p string) Reach {
	if IsWindows(p) {
		return Reach{What: reachesWindows(p)}
	}
	clean := paths.Clean(p)
	if clean == "/" {
		return Reach{What: wholeNode}
	}
	for range aliases { // one may lead to another: /local/var/run
		before := clean
		for _, a := range aliases {
			if paths.Below(clean, a.from) {
				clean = a.to + clean[len(a.from):]
			}
		}
		if clean == before {
			break
		}
	}
	if slices.Contains(localDisks, clean) {
		return Reach{What: "the kubelet's directory, where the node keeps it on its local disks", Disk: true}
	}
	var found Reach
	for i := range nodePaths {
		n := &nodePaths[i]
		if paths.Below(n.path, clean) || !n.whole && paths.Below(clean, n.path) {
			if !n.Writing {
				return n.Reach
			}
			if found.What == "" {
				found = n.Reach
			}
		}
	}
	if found.What != "" {
		return found
	}
	return reachesByName(clean)
}

// reachesByName judges paths of which only a part of the name is known.
func reachesByName(clean string) Reach {
	parts := strings.Split(clean[1:], "/")
	switch {
	case slices.ContainsFunc(parts, isPrivateDirectory):
		return Reach{What: nodeHome}
	case parts[0] == "home" && len(parts) <= 2:
		return Reach{What: nodeHome}
	case parts[0] == "proc":
		return Reach{What: "the node's processes"}
	case parts[0] == "etc" && len(parts) > 1 && strings.HasPrefix(parts[1], "cron"):
		return Reach{What: nodeStart, Writing: true}
	case parts[0] == "dev" && len(parts) == 2 && isDisk(parts[1]):
		return Reach{What: nodeDisks}
	case parts[0] == "run" && len(parts) > 1 && strings.HasPrefix(parts[1], "dockerd"):
		return Reach{What: runtimeSocket}
	}
	return Reach{}
}

// isPrivateDirectory knows the directories of a user that hold credentials.
func isPrivateDirectory(name string) bool {
	return name == ".aws" || name == ".ssh" || name == ".kube" || name == ".docker"
}

func isDisk(device string) bool {
	return slices.ContainsFunc([]string{"sd", "xvd", "nvme", "dm-", "md", "loop"}, func(prefix string) bool { return strings.HasPrefix(device, prefix) })
}
