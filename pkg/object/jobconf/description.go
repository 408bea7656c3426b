package jobconf

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// description is what settings say of one pod.
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
