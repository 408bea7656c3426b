package rbac

import (
	"slices"
)

// Request is somebody's request, as the API server authorizes it.
type Request struct {
	// User is the user name that the API server authenticated; for a
	// ServiceAccount `system:serviceaccount:<namespace>:<name>`.
	User string
	// Groups of the user, complete: RBAC adds none. A ServiceAccount's are
	// those of [Subject.ImplicitGroups].
	Groups []string

	Attributes
}

// Decision is the answer to a [Request].
type Decision struct {
	// Allowed is the API server's answer, as far as RBAC decides it.
	Allowed bool
	// Superuser is true for a member of system:masters, who is allowed
	// everything before RBAC is asked.
	Superuser bool
	// Paths by which RBAC allows it; all of them.
	Paths []Path
}

// Can answers a request as the API server does now: from the rules that roles have,
// those of aggregates as the aggregation controller has filled them in. Path.Through
// says where these come from.
func (s *Store) Can(r Request) Decision { return s.can(r, false) }

// CanAfterAggregation answers as [Store.Can] will when the aggregation controller
// has caught up: aggregates have the rules of what they select, too. For files,
// where no controller has run, it is the right question.
func (s *Store) CanAfterAggregation(r Request) Decision { return s.can(r, true) }

func (s *Store) can(r Request, aggregated bool) Decision {
	v := s.now.Load().view(nil, nil)
	d := Decision{Superuser: slices.Contains(r.Groups, mastersGroup)}
	as := []Subject{User(r.User)}
	for _, name := range r.Groups {
		if g := Group(name); !slices.Contains(as, g) {
			as = append(as, g)
		}
	}
	for _, one := range as {
		for _, u := range v.uses(one, r.Namespace) {
			for _, src := range v.allowing(u.role, r.Attributes, aggregated) {
				d.Paths = append(d.Paths, Path{Binding: u.binding, Subject: one, Role: u.role.ref(), Through: src.through, Rule: src.rule})
			}
		}
	}
	slices.SortFunc(d.Paths, comparePaths)
	d.Paths = slices.CompactFunc(d.Paths, func(a, b Path) bool { return comparePaths(a, b) == 0 })
	d.Allowed = d.Superuser || len(d.Paths) > 0
	return d
}

// source is where a role has a rule from.
type source struct {
	through []string
	rule    int
}

// allowing finds the rules of a role that allow a request, each where it comes
// from.
func (v *view) allowing(key roleKey, a Attributes, aggregated bool) []source {
	var out []source
	nodes := v.reached(key)
	for i, n := range nodes {
		if i > 0 && !aggregated {
			break // the API server reads only the aggregate's own rules
		}
		d := v.definition(n.key)
		if d == nil {
			continue
		}
		for j := range d.rules.list() {
			rule := &d.rules.list()[j]
			if !RuleAllows(rule, a) {
				continue
			}
			from := []origin{{node: i, rule: j}}
			if d.aggregate {
				if origins := v.originsOf(key).of(v, rule); len(origins) > 0 {
					from = origins
				}
			}
			for _, o := range from {
				out = append(out, source{through: through(nodes, o.node), rule: o.rule})
			}
		}
	}
	return out
}
