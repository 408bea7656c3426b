package grants

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
	"github.com/emrguard/emrguard/pkg/rules/grants/holder"
)

// evaluation turns what a change gives to whom into findings. A change may concern
// tens of thousands of subjects in hundreds of namespaces, so subjects are judged in
// crowds, and only so many of them get a finding of their own: those with the gravest
// first, so that nobody hides behind others; the rest shares one for each reason, because
// modes and exemptions are given by reason.
type evaluation struct {
	*family

	r         *rule.Request
	managed   []string        // asked for
	managedBy map[string]bool // what r.IsManaged said
	sorted    map[*rbac.Subject][]crowd
	grants    []grant
	names     map[rbac.Subject]string
}

// crowd is a set of subjects that are the same to the rules.
type crowd struct {
	kind holder.Kind
	// account is the namespace of the subjects, where they are something else there.
	account string
	// single is true when more has to be known of what the one subject holds.
	single   bool
	subjects []rbac.Subject
}

// grant is what the subjects of a crowd gain, and what a rule has against it.
type grant struct {
	*rbac.Gain

	kind       holder.Kind
	reason     *rule.Reason
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
		kind    holder.Kind
		account string
	}
	var out []crowd
	at := map[sort]int{}
	for _, subject := range subjects {
		kind, single := holder.KindAlone(e.settings, subject, e.isManaged)
		key := sort{kind, e.accountsOf(subject, kind)}
		if i, there := at[key]; there && !single {
			out[i].subjects = append(out[i].subjects, subject)
			continue
		}
		if !single {
			at[key] = len(out)
		}
		out = append(out, crowd{kind: kind, account: key.account, single: single, subjects: []rbac.Subject{subject}})
	}
	e.sorted[&subjects[0]] = out
	return out
}

// accountsOf is the namespace of an account, when it is something else there than in
// others: a job account, or one of a guarded namespace.
func (e *evaluation) accountsOf(subject rbac.Subject, kind holder.Kind) string {
	if kind == holder.JobAccount || subject.Kind == rbacv1.ServiceAccountKind && slices.Contains(e.guarded, subject.Namespace) {
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

// add takes in what subjects gain of one capability.
func (e *evaluation) add(g *rbac.Gain) {
	namespaces := e.namespacesOf(g)
	if len(namespaces) == 0 {
		return
	}
	for _, c := range e.crowds(g.Subjects) {
		switch {
		case capability.RuleOf(g.Capability) == capability.GuardNamespaces:
			e.addGuarded(g, c, namespaces)
		case c.single:
			e.addSingle(g, c.subjects[0], namespaces)
		case c.kind == holder.JobAccount:
			own, others := split(namespaces, c.account)
			e.addCrowd(g, holder.JobAccount, c.subjects, own)
			e.addCrowd(g, holder.ForeignJobAccount, c.subjects, others)
		default:
			e.addCrowd(g, c.kind, c.subjects, namespaces)
		}
	}
}

// namespacesOf are the namespaces in which a capability counts.
func (e *evaluation) namespacesOf(g *rbac.Gain) []string {
	var list []string
	switch {
	case g.Capability == capability.OwnNamespace:
		list = e.own
	case g.Capability == capability.GuardNamespaces:
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

// addSingle takes in what somebody gains whose kind depends on it.
func (e *evaluation) addSingle(g *rbac.Gain, subject rbac.Subject, namespaces []string) {
	by := map[holder.Kind][]string{}
	var order []holder.Kind
	for _, ns := range namespaces {
		paths := func() []rbac.Path { return g.Paths(subject, ns, limit.Findings) }
		kind := holder.KindOf(e.settings, holder.Holding{Subject: subject, Namespace: ns, Permissions: g.Permissions, Paths: paths}, e.isManaged)
		if by[kind] == nil {
			order = append(order, kind)
		}
		by[kind] = append(by[kind], ns)
	}
	for _, kind := range order {
		e.addCrowd(g, kind, []rbac.Subject{subject}, by[kind])
	}
}

// addCrowd takes in what subjects of one kind gain.
func (e *evaluation) addCrowd(g *rbac.Gain, kind holder.Kind, subjects []rbac.Subject, namespaces []string) {
	if len(namespaces) == 0 || kind == holder.JobAccount && e.r.Requester.Class == rule.EMRService {
		return
	}
	if g.Capability == capability.CustomResources && kind == holder.Submitter {
		subjects = e.notRoleUsers(subjects)
	}
	if len(subjects) == 0 {
		return
	}
	if reason := reasonOf(e.settings, subjects[0], kind, g.Capability, g.Permissions); reason != nil {
		e.grants = append(e.grants, grant{Gain: g, kind: kind, reason: reason, subjects: subjects, namespaces: namespaces})
	}
}

// notRoleUsers leaves out those whom emr.roleUsers lists.
func (e *evaluation) notRoleUsers(subjects []rbac.Subject) []rbac.Subject {
	if len(e.settings.RoleUsers) == 0 {
		return subjects
	}
	var out []rbac.Subject
	for _, subject := range subjects {
		if !holder.IsRoleUser(e.settings, subject) {
			out = append(out, subject)
		}
	}
	return out
}

// addGuarded takes in what subjects gain in guarded namespaces. Accounts of such a
// namespace are the guard's, or the control plane's, there.
func (e *evaluation) addGuarded(g *rbac.Gain, c crowd, namespaces []string) {
	if c.kind == holder.Trusted {
		return
	}
	if c.account != "" && c.subjects[0].Kind == rbacv1.ServiceAccountKind && slices.Contains(e.guarded, c.account) {
		_, namespaces = split(namespaces, c.account)
	}
	if len(namespaces) == 0 {
		return
	}
	if c.single {
		subject := c.subjects[0]
		paths := func() []rbac.Path { return g.Paths(subject, namespaces[0], maxPaths) }
		if holder.IsShipped(holder.Holding{Subject: subject, Namespace: namespaces[0], Permissions: g.Permissions, Paths: paths}) {
			return
		}
	}
	e.grants = append(e.grants, grant{Gain: g, kind: c.kind, reason: guardReason(e.r, c.kind), subjects: c.subjects, namespaces: namespaces})
}
