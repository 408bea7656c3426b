package jobconf

import (
	"iter"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// furtherAccounts are a pod for each account but the first that settings name for one
// role. Which one counts is the reader's affair, and two commands in one container
// may each have theirs.
func (d *description) furtherAccounts(role string) []podspec.Pod {
	var list []podspec.Pod
	seen := map[string]bool{}
	for i, further := range d.accounts {
		if i == 0 || seen[further.name] || further.name == d.accounts[0].name {
			continue
		}
		seen[further.name] = true
		list = append(list, podspec.Pod{
			Meta: &metav1.ObjectMeta{}, Spec: &corev1.PodSpec{ServiceAccountName: further.name}, MetaPath: "metadata", SpecPath: "spec",
			Role: role, Configured: true, Elsewhere: map[any]string{"serviceAccountName": further.path},
		})
	}
	return list
}

// builder collects what settings say of each pod.
type builder map[string]*description

type description struct {
	annotations, labels map[string]string
	paths               map[any]string
	env                 []envAt
	mounts              []*volumeAt
	hostNetwork         bool
	accounts            []accountAt
	// images are all that settings name: which of two wins is the reader's affair,
	// and differs between spark-submit, its defaults and the operators.
	images []imageAt
}

type accountAt struct{ path, name string }

type imageAt struct{ container, image, path string }

type envAt struct {
	env  corev1.EnvVar
	path string
}

// volumeAt is a volume and its mount, set by several settings.
type volumeAt struct {
	kind, name string
	volume     corev1.VolumeSource
	mount      corev1.VolumeMount
	path       string
}

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

func (d *description) annotate(key string, s *Setting) {
	d.annotations[key] = s.Value
	d.paths[podspec.AnnotationKey(key)] = s.Path()
}

func (d *description) annotateAll(s *Setting) {
	for k, v := range flinkPairs(s.Value, ",") {
		d.annotations[k] = v
		d.paths[podspec.AnnotationKey(k)] = s.Path()
	}
}

func (d *description) setEnv(name string, s *Setting) {
	d.env = append(d.env, envAt{corev1.EnvVar{Name: name, Value: s.Value}, s.Path()})
}

func (d *description) setEnvFromSecret(name, secret, key, path string) {
	ref := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key}
	d.env = append(d.env, envAt{corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: ref}}, path})
}

func (d *description) addAccount(s *Setting) {
	if name := AccountName(s.Value); name != "" {
		d.accounts = append(d.accounts, accountAt{s.Path(), name})
	}
}

// addImage takes an image without the blanks around it, as its readers do.
func (d *description) addImage(container string, s *Setting) {
	d.images = append(d.images, imageAt{container, strings.TrimSpace(s.Value), s.Path()})
}

func (d *description) mountSecret(name, path, at string) {
	v := d.volume("secret", name)
	v.volume.Secret = &corev1.SecretVolumeSource{SecretName: name}
	v.mount.MountPath, v.path = path, at
}

// setVolume reads `<type>.<name>.mount.path` and its like.
func (d *description) setVolume(key string, s *Setting) {
	kind, rest, _ := strings.Cut(key, ".")
	name, field, _ := strings.Cut(rest, ".")
	v := d.volume(kind, name)
	if v.path == "" {
		v.path = s.Path()
	}
	switch field {
	case "mount.path":
		v.mount.MountPath = s.Value
	case "mount.subPath":
		v.mount.SubPath = s.Value
	case "options.path":
		if kind == "hostPath" {
			v.volume.HostPath, v.path = &corev1.HostPathVolumeSource{Path: s.Value}, s.Path()
		}
	}
}

func (d *description) volume(kind, name string) *volumeAt {
	for _, v := range d.mounts {
		if v.kind == kind && v.name == name {
			return v
		}
	}
	v := &volumeAt{kind: kind, name: name}
	d.mounts = append(d.mounts, v)
	return v
}

// pod puts the description together. Elements get their places first and their
// paths, which are kept by pointer, after that.
func (d *description) pod(role string) podspec.Pod {
	c := corev1.Container{Name: role}
	spec := &corev1.PodSpec{HostNetwork: d.hostNetwork}
	if len(d.accounts) > 0 {
		spec.ServiceAccountName, d.paths["serviceAccountName"] = d.accounts[0].name, d.accounts[0].path
	}
	for _, e := range d.env {
		c.Env = append(c.Env, e.env)
	}
	for _, v := range d.mounts {
		v.mount.Name = v.name
		if v.mount.MountPath != "" {
			c.VolumeMounts = append(c.VolumeMounts, v.mount)
		}
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: v.name, VolumeSource: v.volume})
	}
	spec.Containers = []corev1.Container{c}
	for _, image := range d.images {
		spec.Containers = append(spec.Containers, corev1.Container{Name: image.container, Image: image.image})
	}
	for i := range d.images {
		d.paths[&spec.Containers[i+1].Image] = d.images[i].path
	}
	main := &spec.Containers[0]
	for i := range main.Env {
		d.paths[&main.Env[i]] = d.env[i].path
	}
	mounted := 0
	for i, v := range d.mounts {
		d.paths[&spec.Volumes[i]] = v.path
		if v.mount.MountPath != "" {
			d.paths[&main.VolumeMounts[mounted]] = v.path
			mounted++
		}
	}
	return podspec.Pod{
		Meta:       &metav1.ObjectMeta{Annotations: d.annotations, Labels: d.labels},
		Spec:       spec,
		MetaPath:   "metadata",
		SpecPath:   "spec",
		Role:       role,
		Configured: true,
		Elsewhere:  d.paths,
	}
}
