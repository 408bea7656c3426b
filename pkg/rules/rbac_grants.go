package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// grantJudge judges what a change of RBAC gives to whom. One evaluation serves all
// rules on RBAC.
type grantJudge struct {
	settings     rule.Settings
	capabilities *rbac.Capabilities
	// denyElsewhere raises the warning about accounts of other namespaces.
	denyElsewhere bool
}

const grantKey = "rbac-grants"

// sharedJudge is one for all rules of an engine: they have the same settings.
func sharedJudge(s rule.Settings) (*grantJudge, error) {
	if j, ok := s.Shared[grantKey].(*grantJudge); ok {
		return j, nil
	}
	list, err := Capabilities(s)
	if err != nil {
		return nil, err
	}
	caps, err := rbac.Compile(list...)
	if err != nil {
		return nil, rule.ParameterError(rbacPodCreateID, err)
	}
	var p escalationParameters
	if err := s.Decode(rbacEscalationID, &p); err != nil {
		return nil, err
	}
	j := &grantJudge{settings: s, capabilities: caps, denyElsewhere: p.DenyAccountsElsewhere}
	if s.Shared != nil {
		s.Shared[grantKey] = j
	}
	return j, nil
}

// escalationParameters are the parameters of rbac-escalation.
type escalationParameters struct {
	DenyAccountsElsewhere bool `json:"denyAccountsElsewhere"`
}

// result evaluates the change, once for a request.
func (j *grantJudge) result(ctx context.Context, r *rule.Request) (map[string][]rule.Finding, error) {
	v, err := r.Once(grantKey, func() (any, error) { return j.evaluate(ctx, r) })
	if err != nil {
		return nil, err
	}
	found, ok := v.(map[string][]rule.Finding)
	if !ok {
		return nil, errors.New("the evaluation of RBAC is of another type")
	}
	return found, nil
}

func (j *grantJudge) evaluate(ctx context.Context, r *rule.Request) (any, error) {
	change := rbac.Change{}
	var ok bool
	if change.New, ok = r.Object.RBAC.(runtime.Object); !ok {
		return nil, fmt.Errorf("%s is no object of RBAC", r.Object.GVK.Kind)
	}
	if r.Old != nil {
		if change.Old, ok = r.Old.RBAC.(runtime.Object); !ok {
			return nil, fmt.Errorf("the old %s is no object of RBAC", r.Old.GVK.Kind)
		}
	}
	// What is in a namespace grants there; what has none may grant in all.
	namespaces := []string{r.Namespace}
	if r.Namespace == "" {
		if namespaces = r.ManagedNamespaces(); len(namespaces) == 0 {
			return map[string][]rule.Finding{}, nil // nothing here is EMR's
		}
	}
	result, err := r.Cluster.Gains(ctx, change, namespaces, j.capabilities)
	if err != nil {
		return nil, fmt.Errorf("evaluate the grant: %w", err)
	}
	found := map[string][]rule.Finding{}
	j.addGains(found, r, result.Gains)
	for _, l := range result.Latent {
		found[rbacLatentGrantID] = append(found[rbacLatentGrantID], j.latent(r, l)...)
	}
	return found, nil
}

// grantGroup is what one subject gains of one capability, in all namespaces where
// it is the same.
type grantGroup struct {
	rbac.Grant
	standing   standing
	namespaces []string
}

// groupKey is what grants have in common that are told in one sentence.
type groupKey struct {
	subject     rbac.Subject
	standing    standing
	capability  string
	permissions string
}

func (j *grantJudge) addGains(found map[string][]rule.Finding, r *rule.Request, gains []rbac.Grant) {
	var groups []*grantGroup
	byKey := map[groupKey]*grantGroup{}
	platform := map[rbac.Subject][]*grantGroup{}
	var order []rbac.Subject
	for _, g := range gains {
		st := standingOf(j.settings, g.Subject, g.Namespace, r.IsManaged)
		if st == free {
			continue
		}
		key := groupKey{g.Subject, st, g.Capability, permissions(g.Permissions)}
		if group := byKey[key]; group != nil {
			group.namespaces = append(group.namespaces, g.Namespace)
			continue
		}
		group := &grantGroup{Grant: g, standing: st, namespaces: []string{g.Namespace}}
		byKey[key] = group
		groups = append(groups, group)
		if st == elsewhere {
			if platform[g.Subject] == nil {
				order = append(order, g.Subject)
			}
			platform[g.Subject] = append(platform[g.Subject], group)
		}
	}
	for _, g := range groups {
		if g.standing == elsewhere {
			continue
		}
		id, f := j.judge(r, g)
		if f != nil {
			found[id] = append(found[id], *f)
		}
	}
	for _, subject := range order {
		id, f := j.platform(r, subject, platform[subject])
		found[id] = append(found[id], f)
	}
}

// judge turns what a subject gains into a finding, nil when it may have it.
func (j *grantJudge) judge(r *rule.Request, g *grantGroup) (string, *rule.Finding) {
	id := ruleOf(g.Capability)
	f := &rule.Finding{
		Path:    grantPath(r),
		Message: fmt.Sprintf("%s %s %s%s, by %s", g.Subject, gains(r), permissions(g.Permissions), where(g.namespaces), via(g.Paths)),
		Subject: g.Subject.String(), Via: via(g.Paths), Act: true,
	}
	if f.Action = g.standing.follows(j.settings, g.Subject, g.Capability); f.Action == rule.Off {
		return id, nil
	}
	switch {
	case g.standing == jobItself && r.Requester.Class == rule.EMRService:
		return id, nil
	case g.standing == jobAbroad:
		f.Message = "a job account reaches into other managed namespaces: " + f.Message
		f.Remediation = fmt.Sprintf("bind it by a RoleBinding in its own namespace %s instead", g.Subject.Namespace)
	case g.Capability == rbacCustomResourcePart && f.Action == rule.Warn:
		f.Remediation = "let emr.roleUsers say who may submit such resources, and with which roles"
	case g.Capability == rbacCustomResourcePart:
		f.Remediation = "list the subject in emr.roleUsers"
	case f.Action == rule.Deny:
		f.Action = "" // the rule's own
	}
	return id, f
}

// gains is the verb for a grant: what exists already is held.
func gains(r *rule.Request) string {
	if r.Requester.Class == rule.Nobody {
		return "holds"
	}
	return "gains"
}

// platform is the one finding about an account of another namespace, which names
// all that it gains.
func (j *grantJudge) platform(r *rule.Request, subject rbac.Subject, groups []*grantGroup) (string, rule.Finding) {
	first, ids, namespaces, parts := "", []string(nil), []string(nil), make([]string, 0, len(groups))
	for _, g := range groups {
		id := ruleOf(g.Capability)
		if first == "" {
			first = id
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		namespaces = append(namespaces, g.namespaces...)
		parts = append(parts, permissions(g.Permissions))
	}
	slices.Sort(namespaces)
	// The hint stands before the long lists: warnings are cut off at their end.
	f := rule.Finding{
		Action: rule.Warn, Path: grantPath(r), Act: true,
		Message: fmt.Sprintf("%s, of no managed namespace, %s what %s forbid (trustedSubjects takes platform controllers)%s: %s, by %s",
			subject, gains(r), strings.Join(ids, ", "), where(slices.Compact(namespaces)), strings.Join(parts, "; "), via(groups[0].Paths)),
		Remediation: "if it is a platform controller, list it in trustedSubjects; else bind it in the namespaces that it needs",
		Subject:     subject.String(), Via: via(groups[0].Paths),
	}
	if j.denyElsewhere {
		f.Action = rule.Deny
	}
	return first, f
}

func (j *grantJudge) latent(r *rule.Request, l rbac.Latent) []rule.Finding {
	var list []rule.Finding
	for _, subject := range l.Subjects {
		if standingOf(j.settings, subject, l.Binding.Namespace, r.IsManaged) == free {
			continue
		}
		list = append(list, rule.Finding{
			Path: "roleRef", Act: true, Subject: subject.String(),
			Message: fmt.Sprintf("%s is bound by %s to %s, which does not exist: whoever creates it decides what it grants", subject, l.Binding, l.Role),
		})
	}
	return list
}

func ruleOf(capability string) string {
	if capability == rbacCustomResourcePart {
		return rbacPodCreateID
	}
	return capability
}

// maxListed bounds the lists in a message: who binds cluster-admin gains all there
// is in all namespaces.
const maxListed = 6

func permissions(list []rbac.Permission) string {
	texts := make([]string, 0, len(list))
	for _, p := range spoken(list) {
		texts = append(texts, p.String())
	}
	if len(texts) > maxListed {
		texts = append(texts[:maxListed:maxListed], fmt.Sprintf("and %d more", len(texts)-maxListed))
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
	return " in namespaces " + shortened(namespaces)
}

func shortened(list []string) string {
	if len(list) <= maxListed {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:maxListed], ", "), len(list)-maxListed)
}

func via(paths []rbac.Path) string {
	switch len(paths) {
	case 0:
		return "this change"
	case 1:
		return paths[0].String()
	}
	return fmt.Sprintf("%s (and %d more paths)", paths[0], len(paths)-1)
}

func grantPath(r *rule.Request) string {
	if strings.HasSuffix(r.Resource.Resource, "bindings") {
		return "subjects"
	}
	return "rules"
}
