package jobconf

import (
	"strings"

	"github.com/emrguard/emrguard/pkg/object/podspec"
)

// Open references are put between these while a command line is read, so that their
// parentheses do not end a word.
const (
	openMark  = "\x01"
	closeMark = "\x02"
)

// opens knows the variables of a container whose values are not known. It is made
// when the first string asks.
type opens struct {
	pod   *podspec.Pod
	c     podspec.Container
	names map[string]bool
}

// has reports whether a variable has a value that is not known: envFrom may bring
// every name that env does not have.
func (o *opens) has(name string) bool {
	if o.names == nil {
		o.names = make(map[string]bool, len(o.c.Env))
		for i := range o.c.Env {
			e := &o.c.Env[i]
			o.names[e.Name] = o.pod.IsOpen(e)
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
