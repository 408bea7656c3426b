package object

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

// expandPod expands every container of a pod in place, once. It marks the pod when
// that would take more than the budget: then the strings that are left are as they
// were written.
func expandPod(p *Pod) {
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

// Open references are put between these while a command line is read, so that their
// parentheses do not end a word.
const (
	openMark  = "\x01"
	closeMark = "\x02"
)

// opens knows the variables of a container whose values are not known. It is made
// when the first string asks.
type opens struct {
	pod   *Pod
	c     Container
	names map[string]bool
}

// has reports whether a variable has a value that is not known: envFrom may bring
// every name that env does not have.
func (o *opens) has(name string) bool {
	if o.names == nil {
		o.names = make(map[string]bool, len(o.c.Env))
		for i := range o.c.Env {
			e := &o.c.Env[i]
			o.names[e.Name] = e.ValueFrom != nil && o.pod.source(e.ValueFrom).open
		}
	}
	open, own := o.names[name]
	return open || !own && len(o.c.EnvFrom) > 0 && isVariableName(name)
}

// mark marks the references of a string whose values are not known.
func (o *opens) mark(s string) string {
	if !strings.Contains(s, "$(") {
		return s
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "$(")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if name, tail, closed := strings.Cut(after, ")"); closed && o.has(name) {
			b.WriteString(openMark + name + closeMark)
			s = tail
			continue
		}
		b.WriteString("$(")
		s = after
	}
}

// isVariableName tells variables of envFrom from what a shell would run.
func isVariableName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return s != ""
}

var unmark = strings.NewReplacer(openMark, "$(", closeMark, ")")
