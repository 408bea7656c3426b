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
		slices.SortStableFunc(list, func(a, b grant) int { return cmp.Compare(rank(a.reason), rank(b.reason)) })
		found[id] = e.some(list)
	}
	return found
}

// rank puts the gravest first.
func rank(r *rule.Reason) int { return slices.Index(rule.Severities(), r.Severity) }

// some are the findings of one rule: one for each subject, as far as there is room,
// and one for the rest of each reason.
func (e *evaluation) some(list []grant) []rule.Finding {
	var rest []*remainder
	byReason := map[*rule.Reason]*remainder{}
	for i := range list {
		if reason := list[i].reason; byReason[reason] == nil {
			byReason[reason] = &remainder{}
			rest = append(rest, byReason[reason])
		}
	}
	room := limit.Findings - len(rest)
	var out []rule.Finding
	platform := platformGrants(list)
	for i := range list {
		g := &list[i]
		for n, subject := range g.subjects {
			if len(out) >= room {
				byReason[g.reason].add(g, g.subjects[n:])
				break
			}
			switch all := platform[subject]; {
			case len(all) == 0 || g.kind != holder.Platform:
				out = append(out, e.finding(subject, g))
			case all[0] == g:
				out = append(out, e.finding(subject, all...))
			}
		}
	}
	for _, r := range rest {
		if len(r.subjects) > 0 {
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

// remainder are the subjects that get no finding of their own, and what they gain
// between them.
type remainder struct {
	grants   []*grant
	subjects []rbac.Subject
}

func (r *remainder) add(g *grant, subjects []rbac.Subject) {
	r.grants = append(r.grants, g)
	r.subjects = append(r.subjects, subjects...)
}
