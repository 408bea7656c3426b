// Package engine puts rules to work: it picks those that a request concerns,
// asks them, and decides what follows. It is the one place that decides: modes,
// exemptions, break glass, what is new in an update, who is never hindered.
package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/scope"
)

// Engine judges requests by one configuration. It is safe for concurrent use
// and never changes; a new configuration makes a new engine.
type Engine struct {
	config     *config.Guard
	rules      []compiled
	byResource map[resourceKey]selection
	who        *scope.Who
	namespaces *scope.Namespaces
	profiles   *scope.Profiles
	settings   rule.Settings
	overrides  []override
	exemptions []exemption
	clauses    map[string][]string
	now        func() time.Time
}

type compiled struct {
	rule.Rule
	check    rule.Check
	conf     config.Rule
	unjudged unjudged
}

// resourceKey is what picks rules: a resource with its subresource and the
// operation.
type resourceKey struct {
	schema.GroupResource
	operation rule.Operation
}

// selection holds the indexes of the rules for a resource.
type selection struct{ managed, elsewhere []int }

// New compiles the rules for a configuration. The error names the field of the
// configuration, or the rule that is not in order.
func New(c *config.Guard, rules []rule.Rule, now func() time.Time) (*Engine, error) {
	if err := Check(rules); err != nil {
		return nil, err
	}
	e := &Engine{config: c, byResource: map[resourceKey]selection{}, clauses: map[string][]string{}, now: now}
	var err error
	if e.who, err = scope.NewWho(c); err != nil {
		return nil, err
	}
	if e.namespaces, err = scope.NewNamespaces(c); err != nil {
		return nil, err
	}
	if e.profiles, err = scope.NewProfiles(c); err != nil {
		return nil, err
	}
	if err := knownRules(c, rules); err != nil {
		return nil, err
	}
	if err := e.compileDecision(c); err != nil {
		return nil, err
	}
	settings, err := settingsOf(c, e.namespaces.Selector())
	if err != nil {
		return nil, err
	}
	settings.Now = now
	e.settings = settings
	for _, r := range rules {
		check, err := r.New(settings)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		e.clauses[r.ID] = r.ClauseIDs()
		e.rules = append(e.rules, compiled{Rule: r, check: check, conf: c.Rules[r.ID], unjudged: unjudgedOf(&r)})
		if e.mayAct(&e.rules[len(e.rules)-1]) {
			e.index(len(e.rules) - 1)
		}
	}
	return e, nil
}

func (e *Engine) index(i int) {
	for _, t := range e.rules[i].Targets {
		for _, op := range t.Operations {
			key := resourceKey{schema.GroupResource{Group: t.Group, Resource: t.Resource}, op}
			s := e.byResource[key]
			if !slices.Contains(s.managed, i) {
				s.managed = append(s.managed, i)
			}
			if (e.rules[i].Everywhere || t.Everywhere) && !slices.Contains(s.elsewhere, i) {
				s.elsewhere = append(s.elsewhere, i)
			}
			e.byResource[key] = s
		}
	}
}

func settingsOf(c *config.Guard, selector labels.Selector) (rule.Settings, error) {
	s := rule.Settings{
		Namespaces:  c.EMR.Namespaces,
		Selector:    selector,
		IRSA:        slices.Contains(c.CredentialProviders, config.IRSA),
		PodIdentity: slices.Contains(c.CredentialProviders, config.PodIdentity),
		Account:     c.EMR.Account,
		Params:      map[string]json.RawMessage{},

		VirtualClusters: c.EMR.VirtualClusters,
		Operators:       c.EMR.Principals.Operators,
		AdminGroups:     c.Administrators.Groups,
		BreakGlass:      c.BreakGlass.Groups,
		Shared:          &rule.Shared{},

		BreakGlassUserGroups: c.BreakGlass.UserGroups,
	}
	for id, r := range c.Rules {
		s.Params[id] = r.Params
	}
	var err error
	if s.EMRUsers, err = pattern.ParseSet(c.EMR.Principals.Users); err != nil {
		return s, fmt.Errorf("emr.principals.users%w", err)
	}
	if s.JobAccounts, err = emr.ParseJobAccounts(c.EMR.Principals.JobAccounts); err != nil {
		return s, fmt.Errorf("emr.principals.jobAccounts%w", err)
	}
	if s.Administrators, err = pattern.ParseSet(c.Administrators.Users); err != nil {
		return s, fmt.Errorf("administrators.users%w", err)
	}
	if s.BreakGlassUsers, err = pattern.ParseSet(c.BreakGlass.Users); err != nil {
		return s, fmt.Errorf("breakGlass.users%w", err)
	}
	if s.Trusted, err = pattern.ParseSet(c.TrustedSubjects); err != nil {
		return s, fmt.Errorf("trustedSubjects%w", err)
	}
	for i, u := range c.EMR.RoleUsers {
		users, err := pattern.ParseSet(u.Users)
		if err != nil {
			return s, fmt.Errorf("emr.roleUsers[%d].users%w", i, err)
		}
		roles, err := pattern.ParseSet(u.Roles)
		if err != nil {
			return s, fmt.Errorf("emr.roleUsers[%d].roles%w", i, err)
		}
		s.RoleUsers = append(s.RoleUsers, rule.RoleUser{Users: users, Groups: u.Groups, Roles: roles})
	}
	return s, nil
}

// Classify says as what a user acts in a namespace.
func (e *Engine) Classify(user string, groups []string, namespace string) rule.Requester {
	return e.who.Classify(user, groups, namespace)
}

// Managed reports whether a namespace is EMR's.
func (e *Engine) Managed(namespace string, facts scope.Facts) bool {
	return e.namespaces.Managed(namespace, facts, e.who)
}

// Config returns the configuration.
func (e *Engine) Config() *config.Guard { return e.config }

// ClausesOf returns the clauses that a rule enforces, such as "emr/rbac"; nil for a rule
// that does not exist.
func (e *Engine) ClausesOf(id string) []string { return e.clauses[id] }

// Settings returns what the configuration says to rules.
func (e *Engine) Settings() rule.Settings { return e.settings }

// ManagedNamespaces lists the namespaces that are EMR's, among those that exist
// and those that the configuration names.
func (e *Engine) ManagedNamespaces(facts scope.Facts) []string {
	return e.namespaces.List(facts, e.who)
}

// SelectsNamespace reports whether labels put a namespace in scope.
func (e *Engine) SelectsNamespace(labels map[string]string) bool { return e.namespaces.Selects(labels) }

// Concerns reports whether any rule would read such a request. A request that
// concerns none need not even be decoded.
func (e *Engine) Concerns(resource schema.GroupResource, subresource string, op rule.Operation, managed bool) bool {
	return len(e.pick(resource, subresource, op, managed)) > 0
}

func (e *Engine) pick(resource schema.GroupResource, subresource string, op rule.Operation, managed bool) []int {
	if subresource != "" {
		resource.Resource += "/" + subresource
	}
	s := e.byResource[resourceKey{resource, op}]
	if managed {
		return s.managed
	}
	return s.elsewhere
}

// Review judges one request. old decodes the object before an UPDATE; it is
// called only when a rule or the decision needs it. Rules that have not judged by the
// deadline of the context are over budget. Admission sets one, because somebody waits;
// files and audits set none, because what they say must not depend on the machine.
func (e *Engine) Review(ctx context.Context, r *rule.Request, old func() (*object.Object, error)) Verdict {
	v := Verdict{Mode: e.config.Mode}
	if lets(r, old) {
		return v
	}
	e.judge(ctx, r, old, &v)
	places := e.places(ctx, r)
	for _, place := range places {
		e.judge(ctx, place, old, &v)
	}
	if len(places) > 0 {
		v.once()
	}
	return v
}

// judge asks the rules and puts what they find into the verdict.
func (e *Engine) judge(ctx context.Context, r *rule.Request, old func() (*object.Object, error), v *Verdict) {
	picked := e.picked(r)
	if len(picked) == 0 {
		return
	}
	var oldErr error
	loadOld := func() {
		if r.Old == nil && oldErr == nil && r.Operation == rule.Update && old != nil {
			r.Old, oldErr = old()
		}
	}
	if slices.ContainsFunc(picked, func(i int) bool { return e.rules[i].Requester || e.rules[i].NeedsOld }) {
		loadOld()
	}
	found := e.ask(ctx, r, picked, nil)
	if r.Operation == rule.Update && found.comparable() {
		if loadOld(); r.Old != nil {
			found = e.onlyNew(ctx, r, picked, found)
		}
	}
	if limit.IsExceeded(oldErr) {
		for _, i := range picked {
			found.list = append(found.list, judged{Finding: overBudget(&e.rules[i], oldErr), rule: &e.rules[i]})
		}
	} else if oldErr != nil {
		found.list = append(found.list, judged{Finding: unreadable(fmt.Errorf("the object before the update: %w", oldErr))})
	}
	if r.Object.Unreadable != nil {
		found.list = append(found.list, judged{Finding: unreadable(r.Object.Unreadable)})
	}
	v.Omitted += found.omitted
	for _, j := range found.list {
		e.decide(r, j, v)
	}
}

// picked returns the rules that have to judge the request.
func (e *Engine) picked(r *rule.Request) []int {
	if r.Operation == rule.Delete && scope.DeletesForOthers(r.Requester.User) {
		return nil
	}
	return e.pick(r.Resource, r.Subresource, r.Operation, r.Managed)
}

// OverBudget is the verdict on a request that costs too much to be judged, or to
// be read: what each rule that concerns it would do with a finding. It needs
// neither object nor old object. Of what follows alike, one rule stands for all.
func (e *Engine) OverBudget(r *rule.Request, cause error) Verdict {
	all := Verdict{Mode: e.config.Mode}
	for _, i := range e.picked(r) {
		e.decide(r, judged{Finding: overBudget(&e.rules[i], cause), rule: &e.rules[i]}, &all)
	}
	for _, list := range []*[]Outcome{&all.Denied, &all.Warned, &all.Audited} {
		if len(*list) > 1 {
			*list = (*list)[:1]
		}
	}
	return all
}
