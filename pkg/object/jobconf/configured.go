package jobconf

import (
	"iter"
	"maps"
	"strings"

	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// containerLogging is the container beside that collects the logs.
const containerLogging = "logging"

var (
	sparkRoles = []string{podspec.RoleDriver, podspec.RoleExecutor}
	flinkRoles = []string{podspec.RoleJobManager, podspec.RoleTaskManager}
)

// Pods are those that Spark and Flink settings describe.
func Pods(settings []Setting) []podspec.Pod {
	var list []podspec.Pod
	b := builder{}
	for i := range settings {
		b.add(&settings[i])
	}
	for _, role := range []string{podspec.RoleSubmitter, podspec.RoleDriver, podspec.RoleExecutor, podspec.RoleJobManager, podspec.RoleTaskManager} {
		if d := b[role]; d != nil {
			p := d.pod(role)
			p.Expand()
			list = append(append(list, p), d.furtherAccounts(role)...)
		}
	}
	return list
}

// builder collects what settings say of each pod.
type builder map[string]*description

func (b builder) of(role string) *description {
	d := b[role]
	if d == nil {
		d = &description{annotations: map[string]string{}, labels: map[string]string{}, paths: map[any]string{}}
		b[role] = d
	}
	return d
}

func (b builder) add(s *Setting) {
	switch {
	case strings.HasPrefix(s.Key, "spark."):
		b.spark(s)
	case strings.HasPrefix(s.Key, "kubernetes."), strings.HasPrefix(s.Key, "containerized."):
		b.flink(s)
	case strings.HasPrefix(s.Key, "jobsubmitter."):
		if key, ok := strings.CutPrefix(s.Key, "jobsubmitter.annotation."); ok {
			b.of(podspec.RoleSubmitter).annotate(key, s)
		} else if key, ok := strings.CutPrefix(s.Key, "jobsubmitter.label."); ok {
			b.of(podspec.RoleSubmitter).labels[key] = s.Value
		} else if s.Key == "jobsubmitter.container.image" {
			b.of(podspec.RoleSubmitter).addImage(podspec.RoleSubmitter, s)
		} else if s.Key == "jobsubmitter.logging.image" {
			b.of(podspec.RoleSubmitter).addImage(containerLogging, s)
		}
	case s.Key == "logging.image" && s.base == OverridesPath("emr-containers-defaults"):
		for _, role := range sparkRoles {
			b.of(role).addImage(containerLogging, s)
		}
	}
}

func (b builder) spark(s *Setting) {
	if name, ok := strings.CutPrefix(s.Key, "spark.executorEnv."); ok {
		b.of(podspec.RoleExecutor).setEnv(name, s)
		return
	}
	rest, ok := strings.CutPrefix(s.Key, "spark.kubernetes.")
	if !ok {
		return
	}
	if name, found := strings.CutPrefix(rest, "driverEnv."); found {
		b.of(podspec.RoleDriver).setEnv(name, s)
		return
	}
	switch rest {
	case "container.image":
		for _, role := range sparkRoles {
			b.of(role).addImage(role, s)
		}
		return
	case "authenticate.serviceAccountName", "authenticate.driver.serviceAccountName":
		b.of(podspec.RoleDriver).addAccount(s)
		return
	case "authenticate.executor.serviceAccountName":
		b.of(podspec.RoleExecutor).addAccount(s)
		return
	}
	for _, role := range sparkRoles {
		if sub, found := strings.CutPrefix(rest, role+"."); found {
			b.sparkPod(role, sub, s)
		}
	}
}

func (b builder) sparkPod(role, rest string, s *Setting) {
	if rest == "container.image" {
		b.of(role).addImage(role, s)
		return
	}
	kind, key, ok := strings.Cut(rest, ".")
	if !ok {
		return
	}
	switch kind {
	case "annotation":
		b.of(role).annotate(key, s)
	case "label":
		b.of(role).labels[key] = s.Value
	case "secrets":
		b.of(role).mountSecret(key, s.Value, s.Path())
	case "secretKeyRef":
		secret, secretKey, _ := strings.Cut(s.Value, ":")
		b.of(role).setEnvFromSecret(key, secret, secretKey, s.Path())
	case "volumes":
		b.of(role).setVolume(key, s)
	}
}

func (b builder) flink(s *Setting) {
	if name, ok := strings.CutPrefix(s.Key, "containerized.master.env."); ok {
		b.of(podspec.RoleJobManager).setEnv(name, s)
		return
	}
	if name, ok := strings.CutPrefix(s.Key, "containerized.taskmanager.env."); ok {
		b.of(podspec.RoleTaskManager).setEnv(name, s)
		return
	}
	each := func(f func(*description)) {
		for _, role := range flinkRoles {
			f(b.of(role))
		}
	}
	// An entry of a map may have a key of its own.
	for role, prefix := range map[string]string{podspec.RoleJobManager: "kubernetes.jobmanager.annotations.", podspec.RoleTaskManager: "kubernetes.taskmanager.annotations."} {
		if key, ok := strings.CutPrefix(s.Key, prefix); ok {
			b.of(role).annotate(key, s)
			return
		}
	}
	if name, ok := strings.CutPrefix(s.Key, "kubernetes.secrets."); ok {
		each(func(d *description) { d.mountSecret(name, s.Value, s.Path()) })
		return
	}
	switch s.Key {
	case "kubernetes.service-account":
		each(func(d *description) { d.addAccount(s) })
	case "kubernetes.jobmanager.service-account":
		b.of(podspec.RoleJobManager).addAccount(s)
	case "kubernetes.taskmanager.service-account":
		b.of(podspec.RoleTaskManager).addAccount(s)
	case "kubernetes.jobmanager.annotations":
		b.of(podspec.RoleJobManager).annotateAll(s)
	case "kubernetes.taskmanager.annotations":
		b.of(podspec.RoleTaskManager).annotateAll(s)
	case "kubernetes.container.image", "kubernetes.container.image.ref":
		for _, role := range flinkRoles {
			b.of(role).addImage(role, s)
		}
	case "kubernetes.hostnetwork.enabled":
		if strings.EqualFold(strings.TrimSpace(s.Value), "true") {
			each(func(d *description) { d.hostNetwork = true; d.paths["hostNetwork"] = s.Path() })
		}
	case "kubernetes.secrets":
		for name, path := range flinkPairs(s.Value, ",") {
			each(func(d *description) { d.mountSecret(name, path, s.Path()) })
		}
	case "kubernetes.env.secretKeyRef":
		for one := range strings.SplitSeq(s.Value, ";") {
			fields := maps.Collect(flinkPairs(one, ","))
			if fields["env"] != "" {
				each(func(d *description) { d.setEnvFromSecret(fields["env"], fields["secret"], fields["key"], s.Path()) })
			}
		}
	}
}

// flinkPairs reads Flink's maps, `k:v,k:v`; a key or value may stand in quotes.
func flinkPairs(s, separator string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for pair := range strings.SplitSeq(s, separator) {
			k, v, ok := strings.Cut(pair, ":")
			if !ok {
				continue
			}
			if !yield(strings.Trim(strings.TrimSpace(k), `'"`), strings.Trim(strings.TrimSpace(v), `'"`)) {
				return
			}
		}
	}
}
