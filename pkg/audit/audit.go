// Package audit judges what exists already: the objects of files and those of a
// cluster, by the same engine that answers at admission.
package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Options of an audit.
type Options struct {
	// User and Groups who are taken to ask for every object. With an empty User
	// nobody asks, and the rules that judge who asks find only what is wrong
	// whoever asks.
	User   string
	Groups []string
	// Rules by id that are asked; all when empty.
	Rules []string
	// Tool is the version of emrguard, for the report.
	Tool string
	// MaxFindings bounds how many findings a report holds, MaxFindingsPerNamespace
	// how many of one namespace; 0 for all. What is beyond is counted. MaxFindings
	// bounds what is exempted and what could not be judged as well.
	MaxFindings, MaxFindingsPerNamespace int
	// RefuseEmpty makes it a problem when nothing was judged.
	RefuseEmpty bool
	// RaiseWarnings makes a denial of every finding that would be a warning.
	RaiseWarnings bool
	// FailOn is the mildest action by which the report fails: see report.Report.
	FailOn rule.Action
	// WithoutDefaults leaves out the roles and bindings that every cluster has when
	// files are judged.
	WithoutDefaults bool
}

// Auditor judges the objects of one world. What a role or binding grants is judged
// beside those that World.grants has let count before.
type Auditor struct {
	engine  *engine.Engine
	rules   map[string]rule.Rule
	options Options
	report  *report.Report
	kept    map[string]int // findings by namespace
	world   *World
	managed []string
	looked  looked
	omitted int // findings of single objects, which the engine counts and does not keep
}

// New makes an auditor. The world holds everything that the rules look up, by Add.
func New(e *engine.Engine, list []rule.Rule, world *World, o Options) (*Auditor, error) {
	a := &Auditor{
		engine: e, rules: map[string]rule.Rule{}, options: o,
		world: world, managed: e.ManagedNamespaces(&world.snapshot),
		report: &report.Report{Tool: o.Tool, Tally: map[report.Key]int{}, FailOn: o.FailOn}, kept: map[string]int{},
	}
	for _, r := range list {
		a.rules[r.ID] = r
	}
	for _, id := range o.Rules {
		if _, ok := a.rules[id]; !ok {
			return nil, fmt.Errorf("there is no rule %q; `emrguard rules` lists them", id)
		}
	}
	for _, r := range list {
		if a.asks(r.ID) {
			a.report.Rules = append(a.report.Rules, r)
		}
	}
	return a, nil
}

func (a *Auditor) asks(id string) bool {
	return len(a.options.Rules) == 0 || slices.Contains(a.options.Rules, id)
}

// Place says where an object comes from; the zero Place is a cluster.
type Place struct {
	File string
	// Line of a field path.
	Line func(path string) int
}

// Judge judges one object and adds what it finds to the report.
func (a *Auditor) Judge(ctx context.Context, res object.Resource, o *object.Object, place Place) {
	a.report.Judged++
	if place.File != "" {
		a.world.inject(ctx, o)
	}
	r := a.request(res, o)
	r.File = place.File != ""
	if a.options.User != "" {
		r.Requester = a.engine.Classify(a.options.User, a.options.Groups, r.Namespace)
	}
	a.look(res, r)
	verdict := a.engine.Review(ctx, r, nil)
	if r.File && a.options.User == "" {
		a.ask(ctx, res, o)
	}
	a.add(&verdict, o, place)
	if r.File {
		a.made(ctx, res, o, place)
	}
}

// request is the one by which an object would have come.
func (a *Auditor) request(res object.Resource, o *object.Object) *rule.Request {
	return a.engine.ExistingAmong(a.managed, res, o, &a.world.snapshot)
}

// add takes over what was found. Line numbers are looked up only for findings.
func (a *Auditor) add(v *engine.Verdict, o *object.Object, place Place) {
	a.omitted += v.Omitted
	line := func(path string) int {
		if place.Line == nil {
			return 0
		}
		return place.Line(path)
	}
	named := report.Object{APIVersion: o.GVK.GroupVersion().String(), Kind: o.GVK.Kind, Namespace: o.Meta.Namespace, Name: nameOf(o)}
	finding := func(x engine.Outcome) report.Finding {
		r := a.rules[x.Rule]
		action := x.Action
		if x.PodsDenied || a.options.RaiseWarnings && action == rule.Warn {
			action = rule.Deny
		}
		return report.Finding{
			Rule: x.Rule, Reason: x.Reason.Name, Severity: x.Reason.Severity, Clauses: r.ClauseIDs(), Action: action, Deferred: x.PodsDenied, Object: named, Path: x.Path, Subject: x.Subject, Via: x.Via,
			Message: x.Text(), Remediation: x.Remedy(), Guide: guideOf(&r),
			File: place.File, Line: line(x.Path),
		}
	}
	for _, list := range [][]engine.Outcome{v.Denied, v.Warned, v.Audited} {
		for _, x := range list {
			if !x.Failed && a.asks(x.Rule) {
				a.keep(finding(x))
			}
		}
	}
	for _, x := range v.Exempted {
		if a.asks(x.Rule) {
			a.keepExempted(report.Exempted{Finding: finding(x), Exemption: x.Excuse})
		}
	}
	for _, failure := range v.Errors {
		if a.asks(failure.Rule) {
			a.keepProblem(report.Problem{
				File: place.File, Line: line(""), Message: fmt.Sprintf("%s could not judge %s: %v", failure.Rule, named, failure.Err),
			})
		}
	}
}

func nameOf(o *object.Object) string {
	if o.Meta.Name == "" && o.Meta.GenerateName != "" {
		return o.Meta.GenerateName + "*"
	}
	return o.Meta.Name
}

// Report returns what was found so far, with what was left out.
func (a *Auditor) Report() *report.Report {
	a.noteDropped()
	return a.report
}
