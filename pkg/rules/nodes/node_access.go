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
		rep.Add(rule.Finding{Reason: &hostNetwork, Path: pod.FieldPath("hostNetwork"), Key: pod.Role})
	}
	if pod.Spec.HostPID {
		rep.Add(rule.Finding{Reason: &hostPID, Path: pod.FieldPath("hostPID"), Key: pod.Role})
	}
	if sc := pod.Spec.SecurityContext; sc != nil && isHostProcess(sc.WindowsOptions) {
		rep.Add(rule.Finding{Reason: &podProcess, Path: pod.FieldPath("securityContext") + ".windowsOptions.hostProcess", Key: pod.Role})
	}
	for i := range pod.Spec.HostAliases {
		if a := &pod.Spec.HostAliases[i]; imds.IsHost(a.IP) {
			rep.Add(rule.Finding{
				Reason: &metadataAlias, Path: fmt.Sprintf("%s[%d].ip", pod.FieldPath("hostAliases"), i),
				Args: rule.Args(strings.Join(a.Hostnames, ", ")), Key: pod.Role,
			})
		}
	}
}

func isHostProcess(w *corev1.WindowsSecurityContextOptions) bool {
	return w != nil && w.HostProcess != nil && *w.HostProcess
}

// nodeInContainer finds what a container has of its node.
func nodeInContainer(rep *rule.Report, pod *podspec.Pod, c podspec.Container) {
	add := func(reason *rule.Reason, field string, args ...string) {
		rep.Add(rule.Finding{Reason: reason, Path: c.Path() + "." + field, Args: append(rule.Args(c.Name), args...), Key: pod.Role})
	}
	if sc := c.SecurityContext; sc != nil {
		if sc.Privileged != nil && *sc.Privileged {
			add(&privileged, "securityContext.privileged")
		}
		if isHostProcess(sc.WindowsOptions) {
			add(&process, "securityContext.windowsOptions.hostProcess")
		}
		userNamespace := pod.Spec.HostUsers != nil && !*pod.Spec.HostUsers
		if sc.ProcMount != nil && *sc.ProcMount == corev1.UnmaskedProcMount && !userNamespace {
			add(&procMount, "securityContext.procMount")
		}
		if sc.Capabilities != nil {
			for i, added := range sc.Capabilities.Add {
				if name, reached := nodeCapability(string(added)); reached != "" {
					add(&capability, fmt.Sprintf("securityContext.capabilities.add[%d]", i), name, reached)
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
			add(either(fromNode, &kubeletProbe, &metadataProbe), p.field+field, host)
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
			add(either(fromNode, &kubeletHook, &metadataHook), h.field+field, host)
		}
	}
}

func either(first bool, a, b *rule.Reason) *rule.Reason {
	if first {
		return a
	}
	return b
}

// nodeCapabilities are the capabilities of Linux by which a container reaches its
// node. Those that container runtimes give by default are not among them. Source:
// capabilities(7); Pod Security Standards, "Baseline".
var nodeCapabilities = map[string]string{
	"ALL":                "all that its node can do",
	"BPF":                "the memory of its node through the kernel",
	"CHECKPOINT_RESTORE": "the processes of its node",
	"DAC_READ_SEARCH":    "every file of its node",
	"MAC_ADMIN":          "the security policy of its node",
	"MAC_OVERRIDE":       "what the security policy of its node protects",
	"NET_ADMIN":          "routes and addresses, and so the place of others on the network",
	"PERFMON":            "the memory of its node through the kernel",
	"SYS_ADMIN":          "the disks of its node, which it can mount",
	"SYS_BOOT":           "the kernel of its node, which it can replace",
	"SYS_MODULE":         "the kernel of its node, into which it can load modules",
	"SYS_RAWIO":          "the memory and the disks of its node",
	"SYS_TIME":           "the clock of its node, by which tokens expire",
	"SYSLOG":             "the kernel's log with its addresses",
}

// nodeCapability returns the name of a capability, and what it reaches or nothing.
// Runtimes take names in any case, Docker also with the prefix of the kernel.
func nodeCapability(s string) (name, reached string) {
	name = strings.TrimPrefix(strings.ToUpper(s), "CAP_")
	return name, nodeCapabilities[name]
}

// judgeHostPaths finds volumes that are paths of the node from which its credentials
// can be had, by themselves or by the subPath of a mount.
func judgeHostPaths(rep *rule.Report, pod *podspec.Pod) {
	if !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil }) {
		return
	}
	free := map[string]string{} // the paths of volumes whose subPaths have to be looked at
	readOnly := readOnlyVolumes(pod)
	for j := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[j]
		if v.HostPath == nil {
			continue
		}
		r := hostpath.Reached(v.HostPath.Path)
		if r.Writing && readOnly[v.Name] {
			r = hostpath.Reach{}
		}
		f := rule.Finding{Reason: &hostPath, Path: pod.VolumePath(j), Args: rule.Args(v.Name, v.HostPath.Path, r.What), Key: pod.Role}
		if r.What == "" || r.Disk {
			free[v.Name] = v.HostPath.Path
		}
		if r.Disk {
			f.Reason = &localDisk
		}
		if r.What != "" {
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
				rep.Add(rule.Finding{Reason: &subPath, Path: c.MountPath(j), Args: rule.Args(c.Name, whole, r.What), Key: pod.Role})
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
