package grants

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
	"github.com/emrguard/emrguard/pkg/rules/grants/holder"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

// thisChange stands for a path where there is none, or too many.
const thisChange = "this change"

// maxPaths is how many paths are worked out for one finding; one is shown.
const maxPaths = 16

// finding says what one subject gains: what a rule has against it for one reason.
func (e *evaluation) finding(subject rbac.Subject, grants ...*grant) rule.Finding {
	first := grants[0]
	return e.about(grants, subject.String(), subject.Namespace, rule.Finding{
		Subject: subject.String(), Via: via(first.Paths(subject, first.namespaces[0], maxPaths)),
	})
}

// others is one finding for all who are too many to be told apart.
func (e *evaluation) others(r *remainder) rule.Finding {
	slices.SortFunc(r.subjects, func(a, b rbac.Subject) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	subjects := slices.Compact(r.subjects)
	f := rule.Finding{Subject: subjects[0].String(), Via: thisChange, Others: make([]string, 0, len(subjects)-1)}
	namespaces := []string{subjects[0].Namespace}
	for _, s := range subjects[1:] {
		f.Others = append(f.Others, e.name(s))
		if s.Namespace != namespaces[len(namespaces)-1] {
			namespaces = append(namespaces, s.Namespace)
		}
	}
	return e.about(r.grants, many(f.Subject, len(f.Others)), wording.List(namespaces), f)
}

// about completes a finding about who gains what grants give.
func (e *evaluation) about(grants []*grant, who, whoseNamespace string, f rule.Finding) rule.Finding {
	first := grants[0]
	namespaces, list := first.namespaces, first.Permissions
	for i, g := range grants[1:] {
		if g.Gain != grants[i].Gain {
			list = slices.Concat(list, g.Permissions)
		}
		namespaces = slices.Concat(namespaces, g.namespaces)
	}
	if len(grants) > 1 {
		slices.Sort(namespaces)
		namespaces = slices.Compact(namespaces)
	}
	f.Reason, f.Path = first.reason, grantPath(e.r)
	f.Args = rule.Args(who, permissions(list), where(namespaces), f.Via, whoseNamespace, capability.RuleOf(first.Capability))
	return f
}

// many names a subject and counts others.
func many(subject string, others int) string {
	if others == 0 {
		return subject
	}
	return subject + " and " + strconv.Itoa(others) + " more subjects"
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

func (e *evaluation) latent(l rbac.Latent) []rule.Finding {
	none := func() []rbac.Path { return nil }
	var rest []string
	var list []rule.Finding
	finding := func(who, subject string) rule.Finding {
		return rule.Finding{
			Reason: &missingRole, Path: "roleRef", Subject: subject,
			Args: rule.Args(who, l.Binding.String(), l.Role.String()),
		}
	}
	for _, subject := range l.Subjects {
		name := subject.String()
		switch {
		case holder.KindOf(e.settings, holder.Holding{Subject: subject, Namespace: l.Binding.Namespace, Permissions: nil, Paths: none}, e.isManaged) == holder.Trusted:
		case len(list) < limit.Findings-1:
			list = append(list, finding(name, name))
		default:
			rest = append(rest, name)
		}
	}
	if len(rest) == 0 {
		return list
	}
	f := finding(many(rest[0], len(rest)-1), rest[0])
	f.Others = rest[1:]
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
		return "the whole cluster"
	case len(namespaces) == 1:
		return "namespace " + namespaces[0]
	}
	return "namespaces " + wording.List(namespaces)
}

func via(paths []rbac.Path) string {
	switch len(paths) {
	case 0:
		return thisChange
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
