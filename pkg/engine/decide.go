package engine

import (
	"fmt"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/scope"
)

// UnreadableID is the id under which the engine reports an object that it could
// not read whole.
const UnreadableID = "unreadable-object"

// Verdict is what follows from a request.
type Verdict struct {
	// Mode of the installation.
	Mode rule.Action
	// Denied, Warned and Audited are the findings by what follows from them. A
	// request is refused when there is one in Denied.
	Denied, Warned, Audited []Outcome
	// Exempted are findings that an exemption excuses.
	Exempted []Outcome
	// Omitted counts findings that are in none of these lists, because each rule has
	// a hundred already from which the same follows.
	Omitted int
	// Errors are rules that could not judge. What follows from each stands in
	// one of the other lists.
	Errors []RuleError
}

// Outcome is a finding and why it is where it is.
type Outcome struct {
	rule.Finding
	// Action that follows.
	Action rule.Action
	// Deferred is true for a finding about something from which Pods are made later,
	// which will be refused themselves.
	Deferred bool
	// PodsDenied is true for a deferred finding for which those Pods will be refused,
	// whoever makes them.
	PodsDenied bool
	// WouldDeny is true for a warning or record that would refuse the request
	// if nothing tempered it.
	WouldDeny bool
	// BreakGlass is true when only the requester's break-glass group lets it pass.
	BreakGlass bool
	// AsSubmitter is true for a finding about what the requester does that would be none
	// if an administrator did it.
	AsSubmitter bool
	// Failed is true when the rule could not judge; Errors says why.
	Failed bool
}

// RuleError is a rule that could not judge a request.
type RuleError struct {
	Rule string
	Err  error
}

// Allowed reports whether the request may pass.
func (v *Verdict) Allowed() bool { return len(v.Denied) == 0 }

type exemption struct {
	config.Exemption
	of                               findingID
	namespace, object, subject, user *pattern.Pattern
}

func (e *Engine) compileDecision(c *config.Guard) error {
	for i, o := range c.Overrides {
		set, err := pattern.ParseSet(o.Namespaces)
		if err != nil {
			return fmt.Errorf("overrides[%d].namespaces%w", i, err)
		}
		e.overrides = append(e.overrides, override{set, parseIDs(o.Rules), o.Mode})
	}
	for i, x := range c.Exemptions {
		compiled := exemption{Exemption: x, of: parseID(x.Rule)}
		for _, f := range []struct {
			name, text string
			into       **pattern.Pattern
		}{
			{"namespace", x.Namespace, &compiled.namespace},
			{"object", x.Object, &compiled.object},
			{"subject", x.Subject, &compiled.subject},
			{"user", x.User, &compiled.user},
		} {
			if f.text == "" {
				continue
			}
			p, err := pattern.Parse(f.text)
			if err != nil {
				return fmt.Errorf("exemptions[%d].%s: %w", i, f.name, err)
			}
			*f.into = &p
		}
		e.exemptions = append(e.exemptions, compiled)
	}
	return nil
}

// decide puts one finding where it belongs.
func (e *Engine) decide(r *rule.Request, j judged, v *Verdict) {
	if j.err != nil {
		v.Errors = append(v.Errors, RuleError{j.Rule, j.err})
	}
	o := Outcome{Finding: j.Finding, Failed: j.err != nil}
	wanted, later, action := e.action(r, j)
	if wanted == rule.Off {
		return
	}
	o.Action = wanted // what follows when nothing excuses it
	if j.Excuse != "" {
		v.Exempted = append(v.Exempted, o)
		return
	}
	if x := e.exempts(r, j); x != nil {
		o.Excuse = x.Reason
		v.Exempted = append(v.Exempted, o)
		return
	}
	if action == rule.Deny && r.Requester.BreakGlass {
		action, o.BreakGlass = rule.Warn, true
	}
	// A controller cannot read a warning; who made it act was warned.
	if action == rule.Warn && r.Requester.Class == rule.Controller {
		action = rule.Audit
	}
	if r.Resource.Group == rbacv1.GroupName && action == rule.Deny && scope.CarriesOut(r.Requester.User) {
		action = rule.Audit
	}
	o.WouldDeny = wanted == rule.Deny && action != rule.Deny
	o.Action = action
	o.AsSubmitter = j.rule != nil && j.rule.Requester && j.SkipsComparison() && j.err == nil && r.Requester.Class == rule.Submitter
	o.Deferred = isDeferred(r, j)
	o.PodsDenied = o.Deferred && later == rule.Deny
	switch action {
	case rule.Deny:
		v.Denied = append(v.Denied, o)
	case rule.Warn:
		v.Warned = append(v.Warned, o)
	case rule.Audit:
		v.Audited = append(v.Audited, o)
	case rule.Off:
	}
}

func isDeferred(r *rule.Request, j judged) bool {
	return r.IsWorkload() && (j.rule == nil || !j.rule.Requester)
}

// exempts returns the first exemption that fits, or nil. An expired one fits
// nothing. A finding of several subjects is excused only when each of them is.
func (e *Engine) exempts(r *rule.Request, j judged) *exemption {
	x := e.excuses(r, j, j.Subject)
	if x == nil || x.subject == nil {
		return x
	}
	for _, other := range j.Others {
		if e.excuses(r, j, other) == nil {
			return nil
		}
	}
	return x
}

// excuses returns the first exemption that fits one subject of a finding.
func (e *Engine) excuses(r *rule.Request, j judged, subject string) *exemption {
	for i := range e.exemptions {
		x := &e.exemptions[i]
		if !x.of.fits(&j.Finding) || x.expired(e.now()) {
			continue
		}
		if fits(x.namespace, r.Namespace) && fits(x.object, objectName(r)) && fits(x.user, r.Requester.User) && x.fitsSubject(subject) {
			return x
		}
	}
	return nil
}

// fitsSubject compares a subject as it is written ("Group team-a") and by its bare
// name. Findings that are not about RBAC have none.
func (x *exemption) fitsSubject(subject string) bool {
	if x.subject == nil {
		return true
	}
	_, name, _ := strings.Cut(subject, " ")
	return subject != "" && (x.subject.Match(subject) || x.subject.Match(name))
}

func (x *exemption) expired(now time.Time) bool {
	return x.Expires != nil && !now.Before(x.Expires.Time)
}

// Expired returns the exemptions that no longer hold.
func (e *Engine) Expired() []config.Exemption {
	var list []config.Exemption
	for i := range e.exemptions {
		if e.exemptions[i].expired(e.now()) {
			list = append(list, e.exemptions[i].Exemption)
		}
	}
	return list
}

func fits(p *pattern.Pattern, s string) bool { return p == nil || p.Match(s) }

func objectName(r *rule.Request) string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Object.Meta.Name != "":
		return r.Object.Meta.Name
	}
	return r.Object.Meta.GenerateName
}
