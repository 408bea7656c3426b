package hostpath

import "testing"

// What a host path reaches, with the tricks by which the same path can be written.
func TestHostPaths(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]Reach{
		"/":                                   {What: wholeNode},
		"//":                                  {What: wholeNode},
		"/var/lib/kubelet":                    {What: kubeletFiles},
		"/var//lib/./kubelet/":                {What: kubeletFiles},
		"/var/lib/kubelet/pods/x":             {What: kubeletFiles},
		"/data/../var/lib/kubelet":            {What: kubeletFiles},
		"/local/var/run/containerd":           {What: runtimeSocket},
		"/var/run/host-containerd":            {What: runtimeSocket},
		"/run/dockerd-1/x.sock":               {What: runtimeSocket},
		"/lib/systemd/system":                 {What: nodeStart, Writing: true},
		"/sbin/init":                          {What: nodePrograms, Writing: true},
		"/usr/lib":                            {What: nodeStart, Writing: true},
		"/usr/lib/jvm":                        {},
		"/usr/lib64/libcuda.so":               {},
		"/etc/cron.weekly/job":                {What: nodeStart, Writing: true},
		"/etc/hadoop":                         {},
		"/dev/shm":                            {},
		"/dev/xvda1":                          {What: nodeDisks},
		"/dev/neuron0":                        {},
		"/mnt/k8s-disks/0":                    {What: "the kubelet's directory, where the node keeps it on its local disks", Disk: true},
		"/mnt/k8s-disks/0/kubelet-cache":      {},
		"/mnt/k8s-disks/0/kubelet/":           {What: kubeletFiles},
		"/local/mnt/k8s-disks/0/kubelet":      {What: kubeletFiles},
		"/mnt/k8s-disks/1":                    {},
		"/mnt1":                               {},
		"/localhost":                          {},
		"/home/a/b":                           {},
		"/home/a/.kube/config":                {What: nodeHome},
		"/var/log/pods-of-mine":               {},
		"/opt":                                {What: nodeAgent},
		"/opt/spark":                          {},
		`C:\`:                                 {What: wholeNode},
		`c:`:                                  {What: wholeNode},
		`\\?\C:\var\lib\kubelet`:              {What: kubeletFiles},
		`\\.\pipe\docker_engine`:              {What: runtimeSocket},
		"//./pipe/containerd-containerd":      {What: runtimeSocket},
		`\\.\PHYSICALDRIVE0`:                  {What: nodeDisks},
		`D:\scratch`:                          {},
		`C:\Users\spark\.aws`:                 {What: nodeHome},
		`C:\data\..\ProgramData\docker\tmp\`:  {What: runtimeFiles},
		"/x86_64-bottlerocket-linux-gnu":      {What: "the node's system", Writing: true},
		"/.bottlerocket":                      {What: "the node's system", Writing: true},
		"/.bottlerocket-notes":                {},
		"/aarch64-bottlerocket-linux-gnu/usr": {},
	} {
		if got := Reached(path); got != want {
			t.Errorf("%q reaches %+v, want %+v", path, got, want)
		}
	}
}
