// Package podspec reads the pod specs that objects carry: it is the one definition of
// "all containers", knows the path of everything in a spec, and writes variables out as
// the kubelet does.
package podspec

import (
	"iter"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/object/fieldpath"
)

// Pod is a pod spec that an object carries, and where it stands in it.
//
// A pod that a Spark or Flink configuration describes is put together from the
// settings; its elements then know the setting that they come from.
type Pod struct {
	// Meta holds the labels and annotations of the pod; never nil.
	Meta *metav1.ObjectMeta
	// Spec of the pod; never nil.
	Spec *corev1.PodSpec
	// MetaPath and SpecPath are the field paths of Meta and Spec.
	MetaPath, SpecPath string
	// Role is "driver", "executor", "jobmanager" or "taskmanager" for a pod that
	// a custom resource or a configuration describes; empty when it stands for
	// both or is a plain pod.
	Role string
	// Configured is true for a pod put together from settings.
	Configured bool
	// Template is true for the content of a pod template file, to which Spark or EMR
	// adds what it lacks.
	Template bool
	// Unexpanded is true when its variables were too much to write out.
	Unexpanded bool
	// Elsewhere holds the paths of elements that do not stand where a plain pod has
	// them: by pointer to the element, by AnnotationKey, or by the name of a field of the
	// spec. Nil for a plain pod.
	Elsewhere map[any]string
}

// AnnotationKey is the key of an annotation in Elsewhere.
type AnnotationKey string

// ContainerType tells the lists of containers of a pod spec apart.
type ContainerType uint8

// The container types. A restartable init container (a sidecar) is an
// InitContainer.
const (
	InitContainer ContainerType = iota
	RegularContainer
	EphemeralContainer
)

var containerLists = [...]string{"initContainers", "containers", "ephemeralContainers"}

// Container is one container of a pod spec, whatever list it stands in.
type Container struct {
	*corev1.Container
	// Type says which list it stands in.
	Type  ContainerType
	pod   *Pod
	index int
}

// Containers yields all containers: init (restartable ones too), regular and
// ephemeral. No rule reads the lists of a pod spec itself.
func (p *Pod) Containers() iter.Seq[Container] {
	return func(yield func(Container) bool) {
		for i := range p.Spec.InitContainers {
			if !yield(Container{&p.Spec.InitContainers[i], InitContainer, p, i}) {
				return
			}
		}
		for i := range p.Spec.Containers {
			if !yield(Container{&p.Spec.Containers[i], RegularContainer, p, i}) {
				return
			}
		}
		for i := range p.Spec.EphemeralContainers {
			c := (*corev1.Container)(&p.Spec.EphemeralContainers[i].EphemeralContainerCommon)
			if !yield(Container{c, EphemeralContainer, p, i}) {
				return
			}
		}
	}
}

// Path is the field path of the container.
func (c Container) Path() string {
	if s, ok := c.pod.Elsewhere[c.Container]; ok {
		return s
	}
	return fieldpath.Index(c.pod.SpecPath+"."+containerLists[c.Type], c.index)
}

// ImagePath is the field path of the image.
func (c Container) ImagePath() string {
	if s, ok := c.pod.Elsewhere[&c.Image]; ok {
		return s
	}
	return c.Path() + ".image"
}

// EnvPath is the field path of the i-th environment variable.
func (c Container) EnvPath(i int) string {
	if s, ok := c.pod.Elsewhere[&c.Env[i]]; ok {
		return s
	}
	return fieldpath.Index(c.Path()+".env", i)
}

// EnvFromPath is the field path of the i-th source of environment variables.
func (c Container) EnvFromPath(i int) string { return fieldpath.Index(c.Path()+".envFrom", i) }

// MountPath is the field path of the i-th volume mount.
func (c Container) MountPath(i int) string {
	if s, ok := c.pod.Elsewhere[&c.VolumeMounts[i]]; ok {
		return s
	}
	return fieldpath.Index(c.Path()+".volumeMounts", i)
}

// Strings yields what the container runs, each string with its path: command,
// arguments, the commands of lifecycle hooks and of probes.
func (c Container) Strings() iter.Seq2[func() string, string] {
	return func(yield func(func() string, string) bool) {
		list := func(field string, list []string) bool {
			for i, s := range list {
				if !yield(func() string { return fieldpath.Index(c.Path()+"."+field, i) }, s) {
					return false
				}
			}
			return true
		}
		hook := func(field string, h *corev1.LifecycleHandler) bool {
			return h == nil || h.Exec == nil || list(field+".exec.command", h.Exec.Command)
		}
		probe := func(field string, p *corev1.Probe) bool {
			return p == nil || p.Exec == nil || list(field+".exec.command", p.Exec.Command)
		}
		if !list("command", c.Command) || !list("args", c.Args) {
			return
		}
		if c.Lifecycle != nil && (!hook("lifecycle.postStart", c.Lifecycle.PostStart) || !hook("lifecycle.preStop", c.Lifecycle.PreStop)) {
			return
		}
		_ = probe("livenessProbe", c.LivenessProbe) && probe("readinessProbe", c.ReadinessProbe) && probe("startupProbe", c.StartupProbe)
	}
}

// VolumePath is the field path of the i-th volume.
func (p *Pod) VolumePath(i int) string {
	if s, ok := p.Elsewhere[&p.Spec.Volumes[i]]; ok {
		return s
	}
	return fieldpath.Index(p.SpecPath+".volumes", i)
}

// FieldPath is the path of a field of the pod spec itself, such as
// "hostNetwork".
func (p *Pod) FieldPath(field string) string {
	if s, ok := p.Elsewhere[field]; ok {
		return s
	}
	return p.SpecPath + "." + field
}

// AnnotationPath is the path of an annotation of the pod.
func (p *Pod) AnnotationPath(key string) string {
	if s, ok := p.Elsewhere[AnnotationKey(key)]; ok {
		return s
	}
	return fieldpath.Key(p.MetaPath+".annotations", key)
}

// ServiceAccountName is the account that the pod runs as, "default" when the
// spec names none. The deprecated field counts when the other one is empty, as
// in the API server's defaulting. A configured pod whose settings name none has
// the empty name, and so has a template file: the account is not known from here.
func (p *Pod) ServiceAccountName() string {
	switch {
	case p.Spec.ServiceAccountName != "":
		return p.Spec.ServiceAccountName
	case p.Spec.DeprecatedServiceAccount != "":
		return p.Spec.DeprecatedServiceAccount
	case p.Configured, p.Template:
		return ""
	}
	return "default"
}

// The pods that a custom resource or a configuration describes.
const (
	RoleDriver      = "driver"
	RoleExecutor    = "executor"
	RoleJobManager  = "jobmanager"
	RoleTaskManager = "taskmanager"
	RoleSubmitter   = "submitter"
)
