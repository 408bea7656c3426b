// Package audit judges what exists already: the objects of files and those of a
// cluster, by the same engine that answers at admission.
package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rbac"
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
}

// Auditor judges the objects of one world, one after the other, as if they came in
// this order. So of two bindings that give the same, the first gives it.
type Auditor struct {
	engine  *engine.Engine
	rules   map[string]rule.Rule
	options Options
	report  *report.Report
	kept    map[string]int // findings by namespace
	world   *World
	managed []string
}

// facts is the world. Its roles and bindings are those that came before the object
// that is judged.
type facts struct {
	*cluster.Snapshot
	roles map[rbac.ObjectRef]runtime.Object
}

// Gains says what a role or binding adds to those that came before it. The role of
// a binding counts wherever it stands: nobody takes the order of a file for a gap.
func (f facts) Gains(_ context.Context, change rbac.Change, namespaces []string, c *rbac.Capabilities) (rbac.Result, error) {
	change.Lookup = func(ref rbac.ObjectRef) (runtime.Object, error) { return f.roles[ref], nil }
	return f.RBAC().Gains(change, namespaces, c)
}

// New makes an auditor. The world holds everything that the rules look up, by Add.
func New(e *engine.Engine, list []rule.Rule, world *World, o Options) (*Auditor, error) {
	a := &Auditor{
		engine: e, rules: map[string]rule.Rule{}, options: o,
		world: world, managed: e.ManagedNamespaces(&world.snapshot),
		report: &report.Report{Tool: o.Tool, Tally: map[report.Key]int{}}, kept: map[string]int{},
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
	r := a.engine.Existing(res, o, facts{&a.world.snapshot, a.world.roles})
	if r.File = place.File != ""; r.File {
		a.world.inject(ctx, o)
	}
	r.ManagedNamespaces = func() []string { return slices.Clone(a.managed) }
	r.IsManaged = func(ns string) bool {
		if ns == r.Namespace {
			return r.Managed
		}
		_, found := slices.BinarySearch(a.managed, ns)
		return found
	}
	if a.options.User != "" {
		r.Requester = a.engine.Classify(a.options.User, a.options.Groups, r.Namespace)
	}
	verdict := a.engine.Review(ctx, r, nil)
	a.world.count(o)
	a.add(&verdict, o, place)
}

// add takes over what was found. Line numbers are looked up only for findings.
func (a *Auditor) add(v *engine.Verdict, o *object.Object, place Place) {
	line := func(path string) int {
		if place.Line == nil {
			return 0
		}
		return place.Line(path)
	}
	named := report.Object{APIVersion: o.GVK.GroupVersion().String(), Kind: o.GVK.Kind, Namespace: o.Meta.Namespace, Name: nameOf(o)}
	finding := func(x engine.Outcome) report.Finding {
		guide := a.rules[x.Rule].Guide
		return report.Finding{
			Rule: x.Rule, Action: x.Action, Object: named, Path: x.Path, Subject: x.Subject, Via: x.Via,
			Message: x.Message, Remediation: x.Remediation, Guide: report.Guide{Section: guide.Section, Address: guide.Address},
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
			a.keepExempted(report.Exempted{Finding: finding(x), Reason: x.Reason})
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
	if a.options.User == "" {
		var ids []string
		for _, r := range a.report.Rules {
			if r.Requester {
				ids = append(ids, r.ID)
			}
		}
		if len(ids) > 0 {
			a.report.Notes = append(a.report.Notes, "Nobody asks for these objects, so the rules that judge who asks ("+
				strings.Join(ids, ", ")+") looked only for what is wrong whoever asks.")
		}
	}
	a.noteDropped()
	return a.report
}
