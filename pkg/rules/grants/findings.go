package grants

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
	"github.com/emrguard/emrguard/pkg/rules/grants/holder"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

// maxPaths is how many paths are worked out for one finding; one is shown.
const maxPaths = 16

// finding says what one subject gains.
func (e *evaluation) finding(g *grant, subject rbac.Subject) rule.Finding {
	by := via(g.Paths(subject, g.namespaces[0], maxPaths))
	f := rule.Finding{
		Action: g.action, Path: grantPath(e.r), Act: true, Subject: subject.String(), Via: by,
		Message: fmt.Sprintf("%s %s %s%s, by %s", subject, gains(e.r), permissions(g.Permissions), where(g.namespaces), by),
	}
	e.explain(&f, g, subject)
	return f
}

// platform is the one finding of a rule about an account of another namespace, which
// names all that it gains.
func (e *evaluation) platform(all []*grant, subject rbac.Subject) rule.Finding {
	var namespaces []string
	var list []rbac.Permission
	for _, g := range all {
		namespaces, list = append(namespaces, g.namespaces...), append(list, g.Permissions...)
	}
	slices.Sort(namespaces)
	by := via(all[0].Paths(subject, all[0].namespaces[0], maxPaths))
	// The hint stands before the long lists: warnings are cut off at their end.
	return rule.Finding{
		Action: all[0].action, Path: grantPath(e.r), Act: true, Subject: subject.String(), Via: by,
		Message: fmt.Sprintf("%s, of no managed namespace, %s what %s forbids (trustedSubjects takes platform controllers)%s: %s, by %s",
			subject, gains(e.r), capability.RuleOf(all[0].Capability), where(slices.Compact(namespaces)), permissions(list), by),
		Remediation: "if it is a platform controller, list it in trustedSubjects; else bind it in the namespaces that it needs",
	}
}

// explain says what is special about a finding, and how to fix it.
func (e *evaluation) explain(f *rule.Finding, g *grant, subject rbac.Subject) {
	switch {
	case capability.RuleOf(g.Capability) == capability.GuardNamespaces:
		return
	case g.kind == holder.ForeignJobAccount:
		f.Message = "a job account reaches out of its namespace: " + f.Message
		f.Remediation = fmt.Sprintf("bind it by a RoleBinding in its own namespace %s instead", subject.Namespace)
	case g.kind == holder.JobAccount && g.action == rule.Warn:
		f.Remediation = "bind a role without it; for an account that runs nobody's code, such as an operator's, list it in trustedSubjects"
	case g.Capability == capability.CustomResources && g.action == rule.Warn:
		f.Remediation = "let emr.roleUsers say who may submit such resources, and with which roles"
	case g.Capability == capability.CustomResources:
		f.Remediation = "list the subject in emr.roleUsers"
	case g.action == rule.Deny:
		f.Action = "" // the rule's own
		if holder.IsBreakGlass(e.settings, g.Permissions) {
			f.Remediation = "for people who may break the glass, list the subject in breakGlass.users or breakGlass.userGroups"
		}
	}
}

// others is one finding for all who are too many to be told apart.
func (e *evaluation) others(r *remainder) rule.Finding {
	slices.SortFunc(r.subjects, func(a, b rbac.Subject) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	subjects := slices.Compact(r.subjects)
	first := subjects[0]
	f := rule.Finding{Action: r.first.action, Path: grantPath(e.r), Act: true, Subject: first.String(), Via: "this change"}
	f.Others = make([]string, 0, len(subjects)-1)
	for _, s := range subjects[1:] {
		f.Others = append(f.Others, e.name(s))
	}
	f.Message = fmt.Sprintf("%s and %d more subjects %s what this rule is about, too: beyond %d findings they are only counted",
		first, len(f.Others), strings.TrimSuffix(gains(e.r), "s"), limit.Findings)
	f.Remediation = "bind groups instead of so many subjects"
	if r.first.action == rule.Deny && r.first.kind == holder.Submitter && r.first.Capability != capability.CustomResources {
		f.Action = ""
	}
	return f
}

// name is how messages name a subject; rules share the text.
func (e *evaluation) name(s rbac.Subject) string {
	text, there := e.names[s]
	if !there {
		text = s.String()
		e.names[s] = text
	}
	return text
}

// gains is the verb for a grant: what exists already is held.
func gains(r *rule.Request) string {
	if r.Requester.Class == rule.Nobody {
		return "holds"
	}
	return "gains"
}

func (j *grantJudge) latent(l rbac.Latent, managed func(string) bool) []rule.Finding {
	none := func() []rbac.Path { return nil }
	var rest []rbac.Subject
	var list []rule.Finding
	for _, subject := range l.Subjects {
		switch {
		case holder.KindOf(j.settings, holder.Holding{Subject: subject, Namespace: l.Binding.Namespace, Permissions: nil, Paths: none}, managed) == holder.Trusted:
		case len(list) < limit.Findings-1:
			list = append(list, rule.Finding{
				Path: "roleRef", Act: true, Subject: subject.String(),
				Message: fmt.Sprintf("%s is bound by %s to %s, which does not exist: whoever creates it decides what it grants", subject, l.Binding, l.Role),
			})
		default:
			rest = append(rest, subject)
		}
	}
	if len(rest) == 0 {
		return list
	}
	f := rule.Finding{
		Path: "roleRef", Act: true, Subject: rest[0].String(),
		Message: fmt.Sprintf("%s and %d more subjects are bound by %s to %s, which does not exist", rest[0], len(rest)-1, l.Binding, l.Role),
	}
	for _, s := range rest[1:] {
		f.Others = append(f.Others, s.String())
	}
	return append(list, f)
}

func permissions(list []rbac.Permission) string {
	list = capability.Spoken(list)
	texts := make([]string, 0, min(len(list), wording.MaxListed))
	for _, p := range list[:min(len(list), wording.MaxListed)] {
		texts = append(texts, p.String())
	}
	if len(list) > wording.MaxListed {
		texts = append(texts, fmt.Sprintf("and %d more", len(list)-wording.MaxListed))
	}
	return strings.Join(texts, "; ")
}

func where(namespaces []string) string {
	switch {
	case len(namespaces) > 0 && namespaces[0] == "":
		return " in the whole cluster"
	case len(namespaces) == 1:
		return " in namespace " + namespaces[0]
	}
	return " in namespaces " + wording.List(namespaces)
}

func via(paths []rbac.Path) string {
	switch len(paths) {
	case 0:
		return "this change"
	case 1:
		return paths[0].String()
	case maxPaths:
		return fmt.Sprintf("%s (and at least %d more paths)", paths[0], len(paths)-1)
	}
	return fmt.Sprintf("%s (and %d more paths)", paths[0], len(paths)-1)
}

func grantPath(r *rule.Request) string {
	if strings.HasSuffix(r.Resource.Resource, "bindings") {
		return "subjects"
	}
	return "rules"
}
