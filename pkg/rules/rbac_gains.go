package rules

import (
	"cmp"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// evaluation turns what a change gives to whom into findings. A change may concern
// tens of thousands of subjects in hundreds of namespaces, so subjects are judged in
// crowds, and only so many of them get a finding of their own: those with the gravest
// first, so that nobody hides behind others; the rest shares one for each action.
type evaluation struct {
	*grantJudge

	r         *rule.Request
	managed   []string        // asked for
	managedBy map[string]bool // what r.IsManaged said
	sorted    map[*rbac.Subject][]crowd
	grants    []grant
	names     map[rbac.Subject]string
}

// crowd is a set of subjects that are the same to the rules.
type crowd struct {
	standing standing
	// account is the namespace of the subjects, where their standing differs there.
	account string
	// single is true when more has to be known of what the one subject holds.
	single   bool
	subjects []rbac.Subject
}

// grant is what the subjects of a crowd gain, and what follows.
type grant struct {
	*rbac.Gain

	standing   standing
	action     rule.Action
	subjects   []rbac.Subject
	namespaces []string
}

// isManaged is r.IsManaged, asked once for each namespace.
func (e *evaluation) isManaged(namespace string) bool {
	managed, known := e.managedBy[namespace]
	if !known {
		managed = e.r.IsManaged(namespace)
		e.managedBy[namespace] = managed
	}
	return managed
}

// crowds sorts subjects. The gains of one change share their lists of subjects.
func (e *evaluation) crowds(subjects []rbac.Subject) []crowd {
	if done, ok := e.sorted[&subjects[0]]; ok && countIn(done) == len(subjects) {
		return done
	}
	type sort struct {
		standing standing
		account  string
	}
	var out []crowd
	at := map[sort]int{}
	for _, subject := range subjects {
		st, single := e.standingAlone(subject)
		key := sort{st, e.accountsOf(subject, st)}
		if i, there := at[key]; there && !single {
			out[i].subjects = append(out[i].subjects, subject)
			continue
		}
		if !single {
			at[key] = len(out)
		}
		out = append(out, crowd{standing: st, account: key.account, single: single, subjects: []rbac.Subject{subject}})
	}
	e.sorted[&subjects[0]] = out
	return out
}

// accountsOf is the namespace of an account, when it is something else there than in
// others: a job account, or one of a guarded namespace.
func (e *evaluation) accountsOf(subject rbac.Subject, st standing) string {
	if st == jobItself || subject.Kind == rbacv1.ServiceAccountKind && slices.Contains(e.guarded, subject.Namespace) {
		return subject.Namespace
	}
	return ""
}

func countIn(crowds []crowd) int {
	n := 0
	for _, c := range crowds {
		n += len(c.subjects)
	}
	return n
}

// standingAlone says what a subject is, whatever it gains; or that it matters.
func (e *evaluation) standingAlone(subject rbac.Subject) (standing, bool) {
	_, shipped := shippedBindings[subject]
	switch {
	case !neverFree(subject) && isFree(e.settings, subject):
		return free, false
	case shipped, maySetUpBreakGlass(e.settings, subject):
		return ordinary, true
	case subject.Kind != rbacv1.ServiceAccountKind:
		return ordinary, false
	case !e.isManaged(subject.Namespace):
		return elsewhere, false
	}
	if _, published := publishedRoles[subject.Name]; published {
		return ordinary, true
	}
	if e.settings.JobAccounts.Has(subject.Name) {
		return jobItself, false
	}
	return ordinary, false
}

// add takes in what subjects gain of one capability.
func (e *evaluation) add(g *rbac.Gain) {
	namespaces := e.namespacesOf(g)
	if len(namespaces) == 0 {
		return
	}
	for _, c := range e.crowds(g.Subjects) {
		switch {
		case ruleOf(g.Capability) == rbacGuardNamespacesID:
			e.addGuarded(g, c, namespaces)
		case c.single:
			e.addSingle(g, c.subjects[0], namespaces)
		case c.standing == jobItself:
			own, others := split(namespaces, c.account)
			e.addCrowd(g, jobItself, c.subjects, own)
			e.addCrowd(g, jobAbroad, c.subjects, others)
		default:
			e.addCrowd(g, c.standing, c.subjects, namespaces)
		}
	}
}

// namespacesOf are the namespaces in which a capability counts.
func (e *evaluation) namespacesOf(g *rbac.Gain) []string {
	var list []string
	switch {
	case g.Capability == rbacOwnNamespacePart:
		list = e.own
	case g.Capability == rbacGuardNamespacesID:
		list = e.guarded
	case len(e.managed) == 0:
		return nil
	case g.Namespaces[0] == "":
		return g.Namespaces
	default:
		list = e.managed
	}
	var out []string
	for _, ns := range g.Namespaces {
		if slices.Contains(list, ns) {
			out = append(out, ns)
		}
	}
	return out
}

// split tells one namespace from others.
func split(namespaces []string, one string) (own, others []string) {
	for _, ns := range namespaces {
		if ns == one {
			own = append(own, ns)
		} else {
			others = append(others, ns)
		}
	}
	return own, others
}

// addSingle takes in what somebody gains whose standing depends on it.
func (e *evaluation) addSingle(g *rbac.Gain, subject rbac.Subject, namespaces []string) {
	by := map[standing][]string{}
	var order []standing
	for _, ns := range namespaces {
		paths := func() []rbac.Path { return g.Paths(subject, ns, limit.Findings) }
		st := standingOf(e.settings, held{subject, ns, g.Permissions, paths}, e.isManaged)
		if by[st] == nil {
			order = append(order, st)
		}
		by[st] = append(by[st], ns)
	}
	for _, st := range order {
		e.addCrowd(g, st, []rbac.Subject{subject}, by[st])
	}
}

// addCrowd takes in what subjects of one standing gain.
func (e *evaluation) addCrowd(g *rbac.Gain, st standing, subjects []rbac.Subject, namespaces []string) {
	if len(namespaces) == 0 || st == free || st == jobItself && e.r.Requester.Class == rule.EMRService {
		return
	}
	byAction := map[rule.Action][]rbac.Subject{}
	if g.Capability == rbacCustomResourcePart && st == ordinary && len(e.settings.RoleUsers) > 0 {
		for _, subject := range subjects {
			action := st.follows(e.settings, subject, g.Capability)
			byAction[action] = append(byAction[action], subject)
		}
	} else {
		byAction[st.follows(e.settings, subjects[0], g.Capability)] = subjects
	}
	for action, list := range byAction {
		if st == elsewhere && e.denyElsewhere {
			action = rule.Deny
		}
		if action != rule.Off {
			e.grants = append(e.grants, grant{Gain: g, standing: st, action: action, subjects: list, namespaces: namespaces})
		}
	}
}

// findings are those of every rule, the gravest first.
func (e *evaluation) findings() map[string][]rule.Finding {
	byRule := map[string][]grant{}
	for _, g := range e.grants {
		id := ruleOf(g.Capability)
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
			case len(all) == 0 || g.standing != elsewhere:
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
		if list[i].standing != elsewhere {
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
