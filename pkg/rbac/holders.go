package rbac

import (
	"slices"
)

// Holders says which subjects, of all that bindings name, hold what of the
// capabilities in a namespace; an empty namespace asks for cluster-scoped
// capabilities. A ServiceAccount is answered with what bindings give to itself:
// its groups are subjects of their own. Ask [Store.HeldBy] for one subject with
// everything.
func (s *Store) Holders(namespace string, c *Capabilities) []Grant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := s.view(c)
	ns := s.namespaces[namespace]
	var subjects []Subject
	for key, subj := range s.subjects {
		if len(subj.cluster) > 0 || ns != nil && len(ns.bySubject[subj]) > 0 {
			subjects = append(subjects, key)
		}
	}
	slices.SortFunc(subjects, compareSubjects)
	var out []Grant
	for _, subj := range subjects {
		out = append(out, v.holdings(subj, []Subject{subj}, namespace)...)
	}
	return out
}

// HeldBy says what one subject holds of the capabilities in a namespace, by itself,
// by its implicit groups, and by the groups given, which the store cannot know.
// An empty namespace asks for cluster-scoped capabilities. The paths name the
// subject or group that the binding names.
func (s *Store) HeldBy(subj Subject, groups []string, namespace string, c *Capabilities) []Grant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	as := []Subject{subj}
	for _, name := range append(subj.ImplicitGroups(), groups...) {
		if g := Group(name); !slices.Contains(as, g) {
			as = append(as, g)
		}
	}
	return s.view(c).holdings(subj, as, namespace)
}

// holdings is what a subject holds as any of the subjects that it is.
func (v *view) holdings(subj Subject, as []Subject, namespace string) []Grant {
	total := v.caps.builder()
	var givers []giver
	for _, one := range as {
		for _, u := range v.uses(one, namespace) {
			m := v.scope(v.mask(u.role), namespace)
			if m.empty() {
				continue
			}
			total.addMask(m)
			givers = append(givers, giver{use: u, subject: one, mask: m})
		}
	}
	if len(givers) == 0 {
		return nil
	}
	return v.grants(subj, namespace, total.mask(), givers)
}
