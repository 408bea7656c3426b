package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/emrguard/emrguard/pkg/access"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

// perNamespace is up to how many managed namespaces a resource is listed namespace
// by namespace instead of for the whole cluster.
const perNamespace = 25

// Live audits a cluster.
type Live struct {
	// Client of the API server, for any path.
	Client rest.Interface
	Engine *engine.Engine
	Rules  []rule.Rule
	// Namespaces to look at; all when empty. What has no namespace is then left
	// out, unless there is none.
	Namespaces []string
	// Progress is called now and then with what is being read; it may be nil.
	Progress func(resource string, judged int)
	Options

	world   World
	auditor *Auditor
}

// Run reads everything that rules read, page by page, and judges it. What rules
// look up is kept; everything else is forgotten as soon as it is judged. Secrets
// are never read.
func (l *Live) Run(ctx context.Context) (*report.Report, error) {
	l.world, l.auditor = World{}, nil
	run := &liveRun{Live: l}
	if err := run.readFacts(ctx); err != nil {
		return nil, err
	}
	var err error
	if run.auditor, err = New(l.Engine, l.Rules, &l.world, l.Options); err != nil {
		return nil, err
	}
	if err := run.exist(); err != nil {
		return nil, err
	}
	run.judgeFacts(ctx)
	for _, res := range run.streamed() {
		if err := run.stream(ctx, res); err != nil {
			return nil, err
		}
	}
	return run.auditor.Report(), nil
}

// Conclude says in the report that nothing was judged, when that is so. It comes
// after Run, and after Compare where submitters are asked about.
func (l *Live) Conclude() { l.auditor.refuseEmpty(l.auditor.nothing()) }

// exist refuses a namespace that the cluster does not have: nothing would be found
// in it.
func (l *liveRun) exist() error {
	for _, ns := range l.Namespaces {
		if l.world.snapshot.NamespaceLabels(ns) == nil {
			return fmt.Errorf("namespace %q does not exist; managed are %s", ns, cmp.Or(names(l.auditor.managed), "none"))
		}
	}
	return nil
}

// judgeFacts judges what rules look up, as one state, and forgets it.
func (l *liveRun) judgeFacts(ctx context.Context) {
	order := asOneState(len(l.facts), func(i int) *object.Object { return l.facts[i].object })
	for _, i := range order {
		f := l.facts[i]
		if l.wants(f.object) {
			l.auditor.Judge(ctx, f.resource, f.object, Place{})
		}
		if !isBinding(f.object) {
			l.world.grants(f.object)
		}
	}
	// From here on they are asked about as a whole.
	for i := range l.facts {
		if isBinding(l.facts[i].object) {
			l.world.grants(l.facts[i].object)
		}
	}
	l.facts = nil
}

type liveRun struct {
	*Live
	facts []fact
}

// fact is an object that rules look up, kept until everything is known.
type fact struct {
	resource object.Resource
	object   *object.Object
}

// factResources are what rules look up, roles before bindings.
func factResources(rules []rule.Rule) []object.Resource {
	lookedUp := engine.LookedUp(rules)
	var list []object.Resource
	for _, res := range object.Resources() {
		if lookedUp[res.GroupResource()] {
			list = append(list, res)
		}
	}
	return list
}

func (l *liveRun) readFacts(ctx context.Context) error {
	for _, res := range factResources(l.Rules) {
		err := l.list(ctx, res, "", func(o *object.Object) {
			l.world.Add(o)
			l.facts = append(l.facts, fact{res, o})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// streamed are the resources that rules read and that are no facts.
func (l *liveRun) streamed() []object.Resource {
	lookedUp := engine.LookedUp(l.Rules)
	var list []object.Resource
	for _, res := range object.Resources() {
		switch {
		case lookedUp[res.GroupResource()], res.IsSubresource(), res.Kind == "Secret":
			continue
		case l.Engine.Concerns(res.GroupResource(), "", rule.Create, true):
			list = append(list, res)
		}
	}
	return list
}

func (l *liveRun) stream(ctx context.Context, res object.Resource) error {
	judge := func(o *object.Object) {
		if l.wants(o) {
			l.auditor.Judge(ctx, res, o, Place{})
		}
	}
	everywhere := l.Engine.Concerns(res.GroupResource(), "", rule.Create, false)
	namespaces := l.Namespaces
	if len(namespaces) == 0 && !everywhere {
		namespaces = l.auditor.managed
	}
	if !res.Cluster && (len(namespaces) > 0 && len(namespaces) <= perNamespace || len(namespaces) == 0 && !everywhere) {
		for _, ns := range namespaces {
			if err := l.list(ctx, res, ns, judge); err != nil {
				return err
			}
		}
		return nil
	}
	return l.list(ctx, res, "", judge)
}

// wants reports whether an object is to be judged.
func (l *liveRun) wants(o *object.Object) bool {
	ns := o.Meta.Namespace
	if o.GVK.Kind == "Namespace" {
		ns = o.Meta.Name
	}
	return len(l.Namespaces) == 0 || ns != "" && slices.Contains(l.Namespaces, ns)
}

// Kinds returns the resources that an audit by these rules lists, whatever the
// configuration, for who has to be allowed to.
func Kinds(list []rule.Rule) []schema.GroupResource {
	read := map[schema.GroupResource]bool{}
	for i := range list {
		for _, t := range list[i].Targets {
			if slices.Contains(t.Operations, rule.Create) {
				read[schema.GroupResource{Group: t.Group, Resource: t.Resource}] = true
			}
		}
	}
	lookedUp := engine.LookedUp(list)
	var kinds []schema.GroupResource
	for _, res := range object.Resources() {
		if gr := res.GroupResource(); lookedUp[gr] || read[gr] && !res.IsSubresource() && res.Kind != "Secret" {
			kinds = append(kinds, gr)
		}
	}
	return kinds
}

// Managed returns the namespaces that were EMR's when Run looked, sorted.
func (l *Live) Managed() []string {
	if l.auditor == nil {
		return nil
	}
	return slices.Clone(l.auditor.managed)
}

// Compare asks the API server what submitters may do, after Run, and adds to the
// report what it allows although no role does: an EKS access policy, or another
// authorizer.
func (l *Live) Compare(ctx context.Context, client kubernetes.Interface, submitters []access.Submitter) error {
	if len(submitters) == 0 {
		return nil
	}
	look, err := access.Look(l.Engine, &l.world.snapshot, access.Options{Namespaces: l.Namespaces})
	if err != nil {
		return err
	}
	if err := look.Compare(ctx, l.Engine, &l.world.snapshot, client, submitters); err != nil {
		return err
	}
	l.auditor.looked.account += len(submitters)
	for _, d := range look.Differences {
		r, known := l.auditor.rules[d.Capability]
		if !d.Server || !known || !l.auditor.asks(r.ID) || l.Engine.Action(r.ID, d.Namespace) == rule.Off {
			continue
		}
		object := report.Object{APIVersion: "v1", Kind: "Namespace", Name: d.Namespace}
		where := "in namespace " + d.Namespace
		if d.Namespace == "" {
			object = report.Object{APIVersion: "v1", Kind: "Cluster", Name: "cluster"}
			where = "in the whole cluster"
		}
		l.auditor.keep(report.Finding{
			Rule: r.ID, Reason: reasonOtherAuthorizer, Severity: r.Severity(), Clauses: r.ClauseIDs(), Action: l.Engine.Action(r.ID, d.Namespace), Object: object, Subject: "User " + d.User, Via: "the API server",
			Message:     fmt.Sprintf("User %s may %s %s, and no role says so: %s", d.User, d.Request, where, cmp.Or(d.Reason, "an EKS access policy or another authorizer does")),
			Remediation: "look at the access entries of the cluster: aws eks list-associated-access-policies",
			Guide:       guideOf(&r),
		})
	}
	return nil
}

// reasonOtherAuthorizer is of findings that no role of the cluster explains: an access
// policy of EKS, or another authorizer, grants what a rule forbids.
const reasonOtherAuthorizer = "other-authorizer"

func guideOf(r *rule.Rule) report.Guide {
	if len(r.Clauses) == 0 {
		return report.Guide{} // a finding of the engine itself
	}
	clause := r.Clauses[0]
	return report.Guide{Section: clause.Section, Address: clause.Address}
}
