package grants

import (
	"cmp"
	"slices"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
	"github.com/emrguard/emrguard/pkg/rules/grants/holder"
)

// findings are those of every rule, the gravest first.
func (e *evaluation) findings() map[string][]rule.Finding {
	byRule := map[string][]grant{}
	for _, g := range e.grants {
		id := capability.RuleOf(g.Capability)
		byRule[id] = append(byRule[id], g)
	}
	found := map[string][]rule.Finding{}
	for id, list := range byRule {
		slices.SortStableFunc(list, func(a, b grant) int { return cmp.Compare(rank(a.action), rank(b.action)) })
		found[id] = e.some(list)
	}
	return found
}

// rank puts the gravest first.
func rank(a rule.Action) int {
	return slices.Index([]rule.Action{rule.Deny, rule.Warn, rule.Audit, rule.Off}, a)
}

// some are the findings of one rule: one for each subject, as far as there is room,
// and one for the rest of each action.
func (e *evaluation) some(list []grant) []rule.Finding {
	actions := map[rule.Action]bool{}
	for _, g := range list {
		actions[g.action] = true
	}
	room := limit.Findings - len(actions)
	var out []rule.Finding
	rest := map[rule.Action]*remainder{}
	platform := platformGrants(list)
	for i := range list {
		g := &list[i]
		for n, subject := range g.subjects {
			if len(out) >= room {
				rest[g.action] = rest[g.action].with(g, g.subjects[n:])
				break
			}
			switch all := platform[subject]; {
			case len(all) == 0 || g.kind != holder.Platform:
				out = append(out, e.finding(g, subject))
			case all[0] == g:
				out = append(out, e.platform(all, subject))
			}
		}
	}
	for _, action := range []rule.Action{rule.Deny, rule.Warn, rule.Audit} {
		if r := rest[action]; r != nil {
			out = append(out, e.others(r))
		}
	}
	return out
}

// platformGrants are all that each platform controller gains, because it gets one
// finding of each rule; nil when there are none.
func platformGrants(list []grant) map[rbac.Subject][]*grant {
	var out map[rbac.Subject][]*grant
	for i := range list {
		if list[i].kind != holder.Platform {
			continue
		}
		if out == nil {
			out = map[rbac.Subject][]*grant{}
		}
		for _, subject := range list[i].subjects {
			out[subject] = append(out[subject], &list[i])
		}
	}
	return out
}

// remainder are the subjects that get no finding of their own.
type remainder struct {
	first    *grant
	subjects []rbac.Subject
}

func (r *remainder) with(g *grant, subjects []rbac.Subject) *remainder {
	if r == nil {
		return &remainder{first: g, subjects: slices.Clone(subjects)}
	}
	r.subjects = append(r.subjects, subjects...)
	return r
}
