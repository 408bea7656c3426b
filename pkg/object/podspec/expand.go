package podspec

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/limit"
)

// expander writes variables out in the strings of containers, as the kubelet does
// before it starts them: `$(NAME)` becomes the value of a variable of the container,
// `$$` an escaped dollar sign, and a name that no variable has stays as it is.
// Source: Kubernetes API, "env[*].value" and "args" of a container.
type expander struct {
	// left is how many more bytes may be written, so that variables that name each
	// other many times cannot fill the memory.
	left int
}

// variable is the value of a variable of a container.
type variable struct {
	text string
	// open is true for a value that is not known: it stands in a Secret or ConfigMap.
	open bool
}

// Expand writes the variables out in every container of a pod, in place; it is called
// once. It marks the pod when that would take more than the budget: then the strings
// that are left are as they were written.
func (p *Pod) Expand() {
	x := &expander{left: limit.Expanded}
	for c := range p.Containers() {
		x.container(p, c)
	}
	p.Unexpanded = x.left < 0
}

func (x *expander) container(p *Pod, c Container) {
	if !mayExpand(c) {
		return
	}
	known := make(map[string]variable, len(c.Env))
	for i := range c.Env {
		e := &c.Env[i]
		if e.ValueFrom != nil {
			known[e.Name] = p.source(e.ValueFrom)
			continue
		}
		// A variable sees those before it, and none of envFrom.
		e.Value = x.expand(e.Value, known)
		known[e.Name] = variable{text: e.Value}
	}
	for _, list := range [][]string{c.Command, c.Args, probeCommand(c.LivenessProbe), probeCommand(c.ReadinessProbe), probeCommand(c.StartupProbe)} {
		for i := range list {
			list[i] = x.expand(list[i], known)
		}
	}
	for i := range c.VolumeMounts {
		m := &c.VolumeMounts[i]
		m.SubPathExpr = x.expand(m.SubPathExpr, known)
	}
}

// mayExpand spares most containers the work.
func mayExpand(c Container) bool {
	for i := range c.Env {
		if strings.Contains(c.Env[i].Value, "$") {
			return true
		}
	}
	for _, s := range c.Strings() {
		if strings.Contains(s, "$") {
			return true
		}
	}
	for i := range c.VolumeMounts {
		if c.VolumeMounts[i].SubPathExpr != "" {
			return true
		}
	}
	return false
}

func probeCommand(p *corev1.Probe) []string {
	if p == nil || p.Exec == nil {
		return nil
	}
	return p.Exec.Command
}

// IsOpen reports whether the value of a variable is not known, because it stands in a
// Secret, a ConfigMap or a file.
func (p *Pod) IsOpen(e *corev1.EnvVar) bool {
	return e.ValueFrom != nil && p.source(e.ValueFrom).open
}

// source is the value that a variable takes from elsewhere. Labels and annotations
// are the author's own and known; what else a pod says of itself holds nothing that
// he chooses freely.
func (p *Pod) source(from *corev1.EnvVarSource) variable {
	switch {
	case from.SecretKeyRef != nil, from.ConfigMapKeyRef != nil, from.FileKeyRef != nil:
		return variable{open: true}
	case from.FieldRef == nil:
		return variable{}
	}
	for prefix, values := range map[string]map[string]string{"metadata.annotations['": p.Meta.Annotations, "metadata.labels['": p.Meta.Labels} {
		if key, ok := strings.CutPrefix(from.FieldRef.FieldPath, prefix); ok {
			return variable{text: values[strings.TrimSuffix(key, "']")]}
		}
	}
	return variable{}
}

// expand writes the known variables out. References to others, and to those whose
// value is not known, stay as they are.
func (x *expander) expand(s string, known map[string]variable) string {
	if !strings.Contains(s, "$") || x.left < 0 {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		before, after, found := strings.Cut(rest, "$")
		b.WriteString(before)
		rest = after
		if !found {
			break
		}
		name, tail, reference := cutReference(after)
		v, has := known[name]
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			rest = after[1:]
		case reference && has && !v.open:
			b.WriteString(v.text)
			rest = tail
		case reference:
			b.WriteString("$(" + name + ")")
			rest = tail
		default:
			b.WriteByte('$')
		}
		if b.Len() > x.left {
			x.left = -1
			return s
		}
	}
	x.left -= b.Len()
	return b.String()
}

// cutReference cuts "(NAME)" off what follows a dollar sign.
func cutReference(s string) (name, tail string, ok bool) {
	inside, ok := strings.CutPrefix(s, "(")
	if !ok {
		return "", "", false
	}
	return strings.Cut(inside, ")")
}
