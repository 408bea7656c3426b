// Package envfrom judges sources of variables (envFrom) by their prefixes. The keys of
// the Secret or ConfigMap are not in the request; the prefix tells which variables they
// can become.
package envfrom

import (
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
)

// makes returns the first of the variables that an envFrom with this prefix can
// make out of the keys of a Secret or ConfigMap. Without a prefix nothing can be
// said: the keys are not in the request.
func makes(prefix string, names []string) string {
	if prefix == "" {
		return ""
	}
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) })
	if i < 0 {
		return ""
	}
	return names[i]
}

// The texts of a reason that [Judge] reports: the container, the prefix and the variable.
const (
	Message = "container %[1]q takes variables with the prefix %[2]q, which can make %[3]s"
	Remedy  = "name the variables one by one under env, or use another prefix"
)

// Judge reports the sources of variables that can make one of the names, for a reason
// with the texts above, but for those that can make a graver one, which is a finding of
// another rule.
func Judge(rep *rule.Report, reason *rule.Reason, pod *podspec.Pod, c podspec.Container, names, graver []string) {
	for i := range c.EnvFrom {
		prefix := c.EnvFrom[i].Prefix
		name := makes(prefix, names)
		if name == "" || makes(prefix, graver) != "" {
			continue
		}
		rep.Add(rule.Finding{Reason: reason, Path: c.EnvFromPath(i), Args: rule.Args(c.Name, prefix, name), Key: pod.Role})
	}
}
