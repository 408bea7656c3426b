package holder

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// maySetUpBreakGlass reports whether the subject is one of those who may break the
// glass.
func maySetUpBreakGlass(s rule.Settings, subject rbac.Subject) bool {
	if subject.Kind == rbacv1.GroupKind {
		return slices.Contains(s.BreakGlassUserGroups, subject.Name) && !neverTrusted(subject)
	}
	return s.BreakGlassUsers.Match(subject.UserName())
}

// setsUpBreakGlass reports whether somebody who may break the glass holds no more than
// what it takes.
func setsUpBreakGlass(s rule.Settings, g Holding) bool {
	return maySetUpBreakGlass(s, g.Subject) && IsBreakGlass(s, g.Permissions)
}

// IsBreakGlass reports whether permissions are to impersonate break-glass groups, or
// users who may break the glass, and nothing else: `--as-group` works only together
// with `--as`.
func IsBreakGlass(s rule.Settings, list []rbac.Permission) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(p rbac.Permission) bool { return !impersonatesBreakGlass(s, p) })
}

func impersonatesBreakGlass(s rule.Settings, p rbac.Permission) bool {
	if len(p.Names) == 0 || p.APIGroup != "" && p.APIGroup != "authentication.k8s.io" {
		return false
	}
	for _, verb := range p.Verbs {
		if verb != "impersonate" && verb != "impersonate:user-info" {
			return false
		}
	}
	switch p.Resource {
	case "groups":
		return !slices.ContainsFunc(p.Names, func(name string) bool { return !slices.Contains(s.BreakGlass, name) })
	case "users":
		return !slices.ContainsFunc(p.Names, func(name string) bool {
			return strings.HasPrefix(name, "system:") || !s.BreakGlassUsers.Match(name)
		})
	}
	return false
}
