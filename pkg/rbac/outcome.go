package rbac

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
)

// class is a set of subjects for whom the change means the same: it gives them the
// same, and they held the same before. What it means is worked out once for all of
// them, and once for all namespaces in which nothing special is held or given. So
// twenty thousand subjects in a hundred namespaces cost what one in one costs, and a
// list of names.
type class struct {
	given, held []given // sorted, held without what implicit groups hold
	account     string  // namespace of a ServiceAccount, for what its groups hold
	subjects    []Subject
}

// outcome is what subjects gain in some namespaces.
type outcome struct {
	mask       *mask
	namespaces []string
	subjects   []Subject
}

// Grants says the same as Gains, for each subject in each namespace by itself, with
// every path. It is for looking closely at few subjects.
func (r Result) Grants() []Grant {
	var out []Grant
	for i := range r.Gains {
		g := &r.Gains[i]
		for _, subj := range g.Subjects {
			for _, ns := range g.Namespaces {
				out = append(out, Grant{
					Subject: subj, Namespace: ns, Capability: g.Capability, Permissions: g.Permissions, Paths: g.Paths(subj, ns, math.MaxInt),
				})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Grant) int {
		return cmp.Or(compareSubjects(a.Subject, b.Subject), cmp.Compare(a.Namespace, b.Namespace))
	})
	return out
}

// sorter divides those whom a change concerns.
type sorter struct {
	g       *gains
	ids     map[*mask]uint32
	classes map[string]*class
	order   []*class
	groups  map[string][]given // what implicit groups hold, by the namespace of the account
	raw     []byte
}

// result works out what everybody who is concerned gains.
func (g *gains) result() Result {
	s := &sorter{g: g, ids: map[*mask]uint32{}, classes: map[string]*class{}, groups: map[string][]given{}}
	for i := range g.concerned {
		if !g.budget.spend(2) {
			return Result{}
		}
		s.add(&g.concerned[i])
	}
	found := map[string]*outcome{}
	for _, c := range s.order {
		for _, o := range s.evaluate(c) {
			key := o.key(g.before)
			if have := found[key]; have != nil {
				have.subjects = append(have.subjects, c.subjects...)
				continue
			}
			o.subjects = slices.Clone(c.subjects)
			found[key] = o
		}
		if g.budget.over() != nil {
			return Result{}
		}
	}
	out := Result{Latent: g.latent}
	for _, o := range found {
		slices.SortFunc(o.subjects, compareSubjects)
		for _, share := range g.after.split(o.mask) {
			out.Gains = append(out.Gains, Gain{
				Subjects: o.subjects, Namespaces: o.namespaces, Capability: g.caps.ids[share.capability], Permissions: share.permissions,
				mask: share.mask, of: g,
			})
		}
	}
	slices.SortFunc(out.Gains, func(a, b Gain) int {
		return cmp.Or(compareSubjects(a.Subjects[0], b.Subjects[0]), slices.Compare(a.Namespaces, b.Namespaces),
			cmp.Compare(slices.Index(g.caps.ids, a.Capability), slices.Index(g.caps.ids, b.Capability)), len(a.Subjects)-len(b.Subjects))
	})
	if g.after.extra != nil {
		out.Depends = slices.SortedFunc(maps.Keys(g.after.touched), compareRefs)
	}
	return out
}

// key is the same for the outcomes of two classes that are the same.
func (o *outcome) key(v *view) string {
	key := o.mask.key()
	if key == "" {
		key = string(binary.LittleEndian.AppendUint64(nil, v.hash(o.mask)))
	}
	return key + "\x00" + strings.Join(o.namespaces, "\x00")
}

// add puts somebody into their class.
func (s *sorter) add(c *concerned) {
	held := s.held(c.subject)
	account := ""
	if len(c.subject.ImplicitGroups()) > 0 {
		account = c.subject.Namespace
	}
	s.raw = s.appendGiven(s.raw[:0], c.parts)
	s.raw = append(s.raw, '|')
	s.raw = s.appendGiven(s.raw, held)
	s.raw = append(s.raw, '|')
	s.raw = append(s.raw, account...)
	found := s.classes[string(s.raw)]
	if found == nil {
		found = &class{given: c.parts, held: held, account: account}
		s.g.budget.hold(bytesOfConcerned + len(s.raw))
		s.classes[string(s.raw)] = found
		s.order = append(s.order, found)
	}
	found.subjects = append(found.subjects, c.subject)
}

// held is what bindings that name a subject give it before the change, as far as
// somebody asks for it: sorted, each once.
func (s *sorter) held(subj Subject) []given {
	var out []given
	s.g.before.eachUse(subj, func(u use) {
		at, asked := s.g.place(u.binding.Namespace)
		if !asked {
			return
		}
		if m := s.g.before.mask(u.role); !m.empty() {
			out = append(out, given{namespace: at, mask: m})
		}
	})
	if len(out) > 1 {
		slices.SortFunc(out, s.compare)
		out = slices.Compact(out)
	}
	return out
}

func (s *sorter) compare(a, b given) int {
	return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(s.id(a.mask), s.id(b.mask)))
}

func (s *sorter) id(m *mask) uint32 {
	id, there := s.ids[m]
	if !there {
		id = uint32(len(s.ids)) //nolint:gosec // there are fewer masks than steps
		s.ids[m] = id
	}
	return id
}

func (s *sorter) appendGiven(raw []byte, list []given) []byte {
	for _, g := range list {
		raw = binary.AppendVarint(raw, int64(g.namespace))
		raw = binary.AppendUvarint(raw, uint64(s.id(g.mask)))
	}
	return raw
}

// groupsHold is what the implicit groups of the accounts of a namespace hold.
func (s *sorter) groupsHold(namespace string) []given {
	if namespace == "" {
		return nil
	}
	if out, there := s.groups[namespace]; there {
		return out
	}
	var out []given
	for _, name := range ServiceAccount(namespace, "").ImplicitGroups() {
		out = append(out, s.held(Group(name))...)
	}
	slices.SortFunc(out, s.compare)
	out = slices.Compact(out)
	s.groups[namespace] = out
	return out
}

// evaluate works out what a class gains.
func (s *sorter) evaluate(c *class) []*outcome {
	g := s.g
	holds := c.held
	if groups := s.groupsHold(c.account); len(groups) > 0 {
		holds = slices.Concat(holds, groups)
	}
	var out []*outcome
	byKey := map[string]*outcome{}
	in := func(namespaces []string) {
		m := s.gained(c.given, holds, namespaces[0])
		if m == nil {
			return
		}
		key := (&outcome{mask: m}).key(g.before)
		if have := byKey[key]; have != nil && namespaces[0] != "" {
			have.namespaces = append(have.namespaces, namespaces...)
			return
		}
		o := &outcome{mask: m, namespaces: namespaces}
		out = append(out, o)
		if namespaces[0] != "" {
			byKey[key] = o
		}
	}
	special, wide, own := spread(c.given, holds)
	if wide {
		in([]string{""})
		var rest []string
		for i, ns := range g.namespaces {
			if special[i] || own {
				special[i] = true
			} else {
				rest = append(rest, ns)
			}
		}
		if len(rest) > 0 {
			in(rest)
		}
	}
	for _, i := range slices.Sorted(maps.Keys(special)) {
		if !g.budget.spend(1 + len(c.given) + len(holds)) {
			return nil
		}
		in([]string{g.namespaces[i]})
	}
	for _, o := range out {
		slices.Sort(o.namespaces)
	}
	return out
}

// spread returns the namespaces that have to be looked at one by one, because something
// is held or given in them alone; whether something is given in all; and whether a part
// depends on the namespace that it is in.
func spread(gives, holds []given) (special map[int]bool, wide, own bool) {
	special = map[int]bool{}
	for _, part := range slices.Concat(gives, holds) {
		if part.namespace != everywhere {
			special[part.namespace] = true
		}
		own = own || part.mask.own
	}
	for _, part := range gives {
		wide = wide || part.namespace == everywhere
	}
	if !wide { // then nothing is given elsewhere
		clear(special)
		for _, part := range gives {
			special[part.namespace] = true
		}
	}
	return special, wide, own
}

// gained is what is given in a namespace and was not held there; nil when that is
// nothing.
func (s *sorter) gained(parts, holds []given, namespace string) *mask {
	at, _ := s.g.place(namespace)
	h := newHeld(s.g.caps.words)
	var more *mask
	var united *builder
	for _, part := range parts {
		if part.namespace != everywhere && part.namespace != at {
			continue
		}
		m := s.g.after.scope(part.mask, namespace)
		switch {
		case more == nil:
			more = m
		case united == nil:
			united = s.g.after.builder()
			united.addMask(more)
			fallthrough
		default:
			united.addMask(m)
		}
	}
	if united != nil {
		more = united.mask()
	}
	if more == nil || more.empty() {
		return nil
	}
	for _, part := range holds {
		if part.namespace == everywhere || part.namespace == at {
			h.add(s.g.before.scope(part.mask, namespace), s.g.before)
		}
	}
	return s.g.before.lacks(h, more)
}
