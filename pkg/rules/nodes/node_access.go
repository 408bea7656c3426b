package nodes

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/hostpath"
	"github.com/emrguard/emrguard/pkg/rules/internal/imds"
)

// nodeInPod finds what the pod as a whole has of its node.
func nodeInPod(rep *rule.Report, pod *podspec.Pod) {
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
	if sc := pod.Spec.SecurityContext; sc != nil && isHostProcess(sc.WindowsOptions) {
		rep.Add(rule.Finding{Path: pod.FieldPath("securityContext") + ".windowsOptions.hostProcess", Message: "the containers of the pod are processes of its node", Key: pod.Role})
	}
	for i := range pod.Spec.HostAliases {
		if a := &pod.Spec.HostAliases[i]; imds.IsHost(a.IP) {
			rep.Add(rule.Finding{
				Path:    fmt.Sprintf("%s[%d].ip", pod.FieldPath("hostAliases"), i),
				Message: "the pod gives the instance metadata service another name: " + strings.Join(a.Hostnames, ", "),
				Key:     pod.Role,
			})
		}
	}
}

func isHostProcess(w *corev1.WindowsSecurityContextOptions) bool {
	return w != nil && w.HostProcess != nil && *w.HostProcess
}

// nodeInContainer finds what a container has of its node.
func nodeInContainer(rep *rule.Report, pod *podspec.Pod, c podspec.Container) {
	add := func(field, format string, args ...any) {
		rep.Add(rule.Finding{Path: c.Path() + "." + field, Message: fmt.Sprintf("container %q ", c.Name) + fmt.Sprintf(format, args...), Key: pod.Role})
	}
	if sc := c.SecurityContext; sc != nil {
		if sc.Privileged != nil && *sc.Privileged {
			add("securityContext.privileged", "is privileged and so has all that its node has")
		}
		if isHostProcess(sc.WindowsOptions) {
			add("securityContext.windowsOptions.hostProcess", "is a process of its node")
		}
		userNamespace := pod.Spec.HostUsers != nil && !*pod.Spec.HostUsers
		if sc.ProcMount != nil && *sc.ProcMount == corev1.UnmaskedProcMount && !userNamespace {
			add("securityContext.procMount", "can change the kernel of its node through /proc")
		}
		if sc.Capabilities != nil {
			for i, capability := range sc.Capabilities.Add {
				if name, why := nodeCapability(string(capability)); why != "" {
					add(fmt.Sprintf("securityContext.capabilities.add[%d]", i), "has the capability %s, with which it can %s", name, why)
				}
			}
		}
	}
	for _, p := range []struct {
		field string
		probe *corev1.Probe
	}{{"livenessProbe", c.LivenessProbe}, {"readinessProbe", c.ReadinessProbe}, {"startupProbe", c.StartupProbe}} {
		if p.probe == nil {
			continue
		}
		if host, field, fromNode := imds.InHandler(p.probe.HTTPGet, p.probe.TCPSocket, p.probe.Exec); host != "" {
			add(p.field+field, "has a probe that asks %q, the metadata service%s", host, origin(fromNode))
		}
	}
	if c.Lifecycle == nil {
		return
	}
	for _, h := range []struct {
		field string
		hook  *corev1.LifecycleHandler
	}{{"lifecycle.postStart", c.Lifecycle.PostStart}, {"lifecycle.preStop", c.Lifecycle.PreStop}} {
		if h.hook == nil {
			continue
		}
		if host, field, fromNode := imds.InHandler(h.hook.HTTPGet, h.hook.TCPSocket, h.hook.Exec); host != "" {
			add(h.field+field, "has a hook that asks %q, the metadata service%s", host, origin(fromNode))
		}
	}
}

func origin(fromNode bool) string {
	if fromNode {
		return ", from the node itself"
	}
	return ""
}

// nodeCapabilities are the capabilities of Linux by which a container reaches its
// node. Those that container runtimes give by default are not among them. Source:
// capabilities(7); Pod Security Standards, "Baseline".
var nodeCapabilities = map[string]string{
	"ALL":                "do whatever its node can",
	"BPF":                "read the memory of its node through the kernel",
	"CHECKPOINT_RESTORE": "take over processes of its node",
	"DAC_READ_SEARCH":    "open every file of its node",
	"MAC_ADMIN":          "change the security policy of its node",
	"MAC_OVERRIDE":       "go past the security policy of its node",
	"NET_ADMIN":          "change routes and addresses, and so take the place of others on the network",
	"PERFMON":            "read the memory of its node through the kernel",
	"SYS_ADMIN":          "mount the disks of its node",
	"SYS_BOOT":           "restart its node with another kernel",
	"SYS_MODULE":         "load modules into the kernel of its node",
	"SYS_RAWIO":          "read the memory and the disks of its node",
	"SYS_TIME":           "set the clock of its node, by which tokens expire",
	"SYSLOG":             "read the kernel's log with its addresses",
}

// nodeCapability returns the name of a capability, and what it reaches or nothing.
// Runtimes take names in any case, Docker also with the prefix of the kernel.
func nodeCapability(s string) (name, why string) {
	name = strings.TrimPrefix(strings.ToUpper(s), "CAP_")
	return name, nodeCapabilities[name]
}

// judgeHostPaths finds volumes that are paths of the node from which its credentials
// can be had, by themselves or by the subPath of a mount.
func (p *instanceProfileParameters) judgeHostPaths(rep *rule.Report, pod *podspec.Pod) {
	hostPath := func(v *corev1.Volume) bool { return v.HostPath != nil }
	if !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return hostPath(&v) }) {
		return
	}
	free := map[string]string{} // the paths of volumes whose subPaths have to be looked at
	readOnly := readOnlyVolumes(pod)
	for j := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[j]
		if !hostPath(v) {
			continue
		}
		r := hostpath.Reached(v.HostPath.Path)
		if r.Writing && readOnly[v.Name] {
			r = hostpath.Reach{}
		}
		f := rule.Finding{Path: pod.VolumePath(j), Message: fmt.Sprintf("the volume %q is the host path %q, which reaches %s", v.Name, v.HostPath.Path, r.What), Key: pod.Role}
		if r.What == "" || r.Disk {
			free[v.Name] = v.HostPath.Path
		}
		if r.Disk {
			f.Action = p.LocalDisks
			f.Remediation = "mount a directory of the job's own below the disk, such as /mnt/k8s-disks/0/spark with type DirectoryOrCreate"
		}
		if r.What != "" && f.Action != rule.Off {
			rep.Add(f)
		}
	}
	for c := range pod.Containers() {
		for j := range c.VolumeMounts {
			m := &c.VolumeMounts[j]
			base, ok := free[m.Name]
			sub := m.SubPath + m.SubPathExpr // the API allows one of them
			if !ok || sub == "" || hostpath.IsWindows(base) {
				continue
			}
			whole := path.Join("/", base, sub)
			if r := hostpath.Reached(whole); r.What != "" && !r.Disk && (!r.Writing || !m.ReadOnly) {
				rep.Add(rule.Finding{
					Path:    c.MountPath(j),
					Message: fmt.Sprintf("container %q mounts the host path %q, which reaches %s", c.Name, whole, r.What),
					Key:     pod.Role,
				})
			}
		}
	}
}

// readOnlyVolumes are the volumes that are mounted, and by nobody to write.
func readOnlyVolumes(pod *podspec.Pod) map[string]bool {
	only := map[string]bool{}
	for c := range pod.Containers() {
		for j := range c.VolumeMounts {
			m := &c.VolumeMounts[j]
			before, seen := only[m.Name]
			only[m.Name] = m.ReadOnly && (before || !seen)
		}
	}
	return only
}
