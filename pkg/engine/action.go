package engine

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/scope"
)

// findingID names the findings of a rule, or of one of its reasons: "pod-exec/exec".
type findingID struct{ rule, reason string }

func parseID(s string) findingID {
	id, reason, _ := strings.Cut(s, "/")
	return findingID{id, reason}
}

func parseIDs(list []string) []findingID {
	ids := make([]findingID, 0, len(list))
	for _, s := range list {
		ids = append(ids, parseID(s))
	}
	return ids
}

func (id findingID) fits(f *rule.Finding) bool {
	return id.rule == f.Rule && (id.reason == "" || id.reason == f.Reason.Name)
}

// override sets the mode of findings in some namespaces.
type override struct {
	namespaces pattern.Set
	findings   []findingID // all when empty
	mode       rule.Action
}

// concerns reports whether the override is for a finding. One for all rules does not wake
// what is off by default.
func (o *override) concerns(c *compiled, f *rule.Finding) bool {
	if len(o.findings) == 0 {
		return !f.Reason.OptIn || isOn(c.mode(f.Reason))
	}
	return slices.ContainsFunc(o.findings, func(id findingID) bool { return id.fits(f) })
}

func isOn(mode rule.Action) bool { return mode != "" && mode != rule.Off }

// mode is what the configuration says of a reason, empty when it says nothing.
func (c *compiled) mode(reason *rule.Reason) rule.Action {
	if mode := c.conf.Reasons[reason.Name].Mode; mode != "" {
		return mode
	}
	return c.conf.Mode
}

// guide is the id of the guide by whose profile the rule acts.
func (c *compiled) guide() string { return c.Clauses[0].Guide }

// mayAct reports whether anything can follow from what a rule finds, in some namespace.
func (e *Engine) mayAct(c *compiled) bool {
	for _, reason := range c.Reasons {
		f := &rule.Finding{Rule: c.ID, Reason: reason}
		if slices.ContainsFunc(e.overrides, func(o override) bool { return o.mode != rule.Off && o.concerns(c, f) }) {
			return true
		}
		mode := c.mode(reason)
		if isOn(mode) || mode == "" && !reason.OptIn && e.profiles.Any(c.guide(), reason.Severity) {
			return true
		}
	}
	return false
}

// action returns what the configuration wants to follow from a finding, what is left of
// it for this installation, later, and what is left for this object. It is the one place
// that turns severities into actions. What stands further down stands above: the profile of
// the guide, the mode of the rule, the mode of the reason, overrides, the mode of the
// installation.
func (e *Engine) action(r *rule.Request, j judged) (wanted, later, action rule.Action) {
	wanted = e.wanted(r, j)
	later = wanted
	if e.config.Mode != "" {
		later = later.Cap(e.config.Mode)
	}
	// What could not be looked up must not stand in the way of a deletion.
	if j.err != nil && (r.Operation == rule.Delete || r.Object.Meta.DeletionTimestamp != nil) {
		later = later.Cap(rule.Warn)
	}
	action = later
	// Objects from which Pods are made later: the Pod itself will be refused.
	// Rules that judge who asks can only judge it now.
	if isDeferred(r, j) {
		action = action.Cap(rule.Warn)
	}
	return wanted, later, action
}

// Action is what follows in a namespace from what another look than the rule's own, such
// as a question to the API server's authorizers, finds of what the rule is about.
func (e *Engine) Action(id, namespace string) rule.Action {
	i := slices.IndexFunc(e.rules, func(c compiled) bool { return c.ID == id })
	if i < 0 {
		return rule.Off
	}
	r := &rule.Request{Namespace: namespace, Object: &object.Object{Meta: &metav1.ObjectMeta{}}, Requester: rule.Requester{Class: rule.Nobody}}
	_, later, _ := e.action(r, judged{Finding: rule.Finding{Rule: id, Reason: e.rules[i].Reasons[0]}, rule: &e.rules[i]})
	return later
}

func (e *Engine) wanted(r *rule.Request, j judged) rule.Action {
	c := j.rule
	if c == nil { // a finding of the engine itself
		return rule.Strict.Action(j.Reason.Severity)
	}
	wanted := e.byProfile(r, j)
	if mode := c.mode(j.Reason); mode != "" {
		wanted = mode
	}
	if j.err != nil && c.conf.OnError != "" {
		wanted = c.conf.OnError
	}
	for i := range e.overrides {
		if o := &e.overrides[i]; o.namespaces.Match(r.Namespace) && o.concerns(c, &j.Finding) {
			return o.mode
		}
	}
	return wanted
}

// byProfile is what the profile of the guide makes of a finding. In namespaces of the
// cluster itself, the EKS guide only speaks where nobody waits for an answer.
func (e *Engine) byProfile(r *rule.Request, j judged) rule.Action {
	if j.Reason.OptIn {
		return rule.Off
	}
	action := e.profiles.Of(j.rule.guide(), r.Namespace, func(namespace string) labels.Set {
		if r.Resource.Resource == "namespaces" && r.Resource.Group == "" {
			return r.Object.Meta.Labels
		}
		facts, ok := r.Cluster.(scope.Facts)
		if !ok {
			return nil
		}
		return facts.NamespaceLabels(namespace)
	}).Action(j.Reason.Severity)
	if j.rule.guide() == guide.EKS && r.Namespace != "" && e.profiles.System(r.Namespace) {
		if !r.Existing() {
			return rule.Off
		}
		return action.Cap(rule.Audit)
	}
	return action
}
