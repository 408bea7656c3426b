package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const ns = "emr-jobs"

// labelRule finds every label "bad-…" of an object; the value "error" makes it
// fail and "act" makes the finding one about the act.
func labelRule(change func(*rule.Rule)) rule.Rule {
	var reasons []*rule.Reason
	r := rule.Rule{
		ID: "no-bad-labels", Title: "t", Doc: "d", Clauses: []guide.Clause{{Guide: guide.EMR, ID: "labels", Section: "s", Address: "a"}},
		Reasons: []*rule.Reason{
			{Name: "bad-label", Severity: rule.High, Message: "label %[1]s", Remedy: "remove %[1]s"},
			{Name: "labelling", Severity: rule.High, Message: "label %[1]s", Remedy: "remove it", SkipOldComparison: true},
		},
		Targets: []rule.Target{
			{Version: "v1", Resource: "pods", Operations: []rule.Operation{rule.Create, rule.Update, rule.Delete}},
			{Group: "apps", Version: "v1", Resource: "deployments", Operations: []rule.Operation{rule.Create, rule.Update}},
		},
		New: func(rule.Settings) (rule.Check, error) {
			return func(_ context.Context, r *rule.Request, rep *rule.Report) error {
				for key, value := range r.Object.Meta.Labels {
					if !strings.HasPrefix(key, "bad-") {
						continue
					}
					if value == "error" {
						return errors.New("the label could not be looked up")
					}
					reason := reasons[0]
					if value == "act" {
						reason = reasons[1]
					}
					rep.Add(rule.Finding{Reason: reason, Path: "metadata.labels[" + key + "]", Args: rule.Args(key), Key: value})
				}
				return nil
			}, nil
		},
	}
	if change != nil {
		change(&r)
	}
	reasons = r.Reasons
	return r
}

// severity gives all reasons of a rule another one.
func severity(s rule.Severity) func(*rule.Rule) {
	return func(r *rule.Rule) {
		for _, reason := range r.Reasons {
			reason.Severity = s
		}
	}
}

func optIn(r *rule.Rule) {
	for _, reason := range r.Reasons {
		reason.OptIn = true
	}
}

func newEngine(t *testing.T, change func(*config.Guard), rules ...rule.Rule) *engine.Engine {
	t.Helper()
	c := config.Default()
	c.EMR.Namespaces = []string{ns}
	if change != nil {
		change(c)
	}
	e, err := engine.New(c, rules, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func decode(t *testing.T, kind string, meta metav1.ObjectMeta) *object.Object {
	t.Helper()
	res, raw := object.Resource{}, []byte(nil)
	var err error
	switch kind {
	case "Pod":
		res, _ = object.FindKind(schema.GroupKind{Kind: kind})
		raw, err = json.Marshal(corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: kind}, ObjectMeta: meta})
	case "Deployment":
		res, _ = object.FindKind(schema.GroupKind{Group: "apps", Kind: kind})
		raw, err = json.Marshal(metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: kind}, ObjectMeta: meta})
	}
	if err != nil {
		t.Fatal(err)
	}
	o, err := object.Decode(res, raw)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

type ask struct {
	kind        string
	op          rule.Operation
	labels, old map[string]string
	user        string
	groups      []string
	deleting    bool
	namespace   string
	within      time.Duration // the deadline; none when it is zero
}

func review(t *testing.T, e *engine.Engine, a ask) engine.Verdict {
	t.Helper()
	if a.kind == "" {
		a.kind = "Pod"
	}
	if a.op == "" {
		a.op = rule.Create
	}
	if a.user == "" {
		a.user = "alice"
	}
	if a.namespace == "" {
		a.namespace = ns
	}
	meta := metav1.ObjectMeta{Name: "x", Namespace: a.namespace, Labels: a.labels}
	if a.deleting {
		when := metav1.NewTime(now)
		meta.DeletionTimestamp = &when
	}
	gr := schema.GroupResource{Resource: "pods"}
	if a.kind == "Deployment" {
		gr = schema.GroupResource{Group: "apps", Resource: "deployments"}
	}
	res, _ := object.Find(gr)
	r := e.NewRequest(&engine.Incoming{
		Operation: a.op, Resource: res, Namespace: a.namespace, Name: "x", User: a.user, Groups: a.groups, Object: decode(t, a.kind, meta),
	}, &cluster.Snapshot{})
	ctx := t.Context()
	if a.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.within)
		defer cancel()
	}
	return e.Review(ctx, r, func() (*object.Object, error) {
		return decode(t, a.kind, metav1.ObjectMeta{Name: "x", Namespace: a.namespace, Labels: a.old}), nil
	})
}

// counts says how many findings are denied, warned, audited and exempted.
func counts(v engine.Verdict) string {
	return fmt.Sprintf("%d/%d/%d/%d", len(v.Denied), len(v.Warned), len(v.Audited), len(v.Exempted))
}

func TestDecision(t *testing.T) {
	t.Parallel()
	bad := map[string]string{"bad-a": "1"}
	failing := map[string]string{"bad-a": "error"}
	rules := func(mode, onError rule.Action) func(*config.Guard) {
		return func(c *config.Guard) {
			c.Rules = map[string]config.Rule{"no-bad-labels": {Mode: mode, OnError: onError}}
		}
	}
	mode := func(m rule.Action) func(*config.Guard) { return func(c *config.Guard) { c.Mode = m } }
	override := func(m rule.Action, namespaces ...string) func(*config.Guard) {
		return func(c *config.Guard) { c.Overrides = []config.Override{{Namespaces: namespaces, Mode: m}} }
	}
	for name, c := range map[string]struct {
		config func(*config.Guard)
		rule   func(*rule.Rule)
		ask    ask
		want   string // denied/warned/audited/exempted
	}{
		"denied by default":                    {nil, nil, ask{labels: bad}, "1/0/0/0"},
		"clean":                                {nil, nil, ask{labels: map[string]string{"good": "1"}}, "0/0/0/0"},
		"elsewhere":                            {nil, nil, ask{labels: bad, namespace: "default"}, "0/0/0/0"},
		"elsewhere, rule everywhere":           {nil, func(r *rule.Rule) { r.Everywhere = true }, ask{labels: bad, namespace: "default"}, "1/0/0/0"},
		"dry run of the installation":          {mode(rule.Warn), nil, ask{labels: bad}, "0/1/0/0"},
		"installation only records":            {mode(rule.Audit), nil, ask{labels: bad}, "0/0/1/0"},
		"rule warns":                           {rules(rule.Warn, ""), nil, ask{labels: bad}, "0/1/0/0"},
		"rule off":                             {rules(rule.Off, ""), nil, ask{labels: bad}, "0/0/0/0"},
		"rule raised":                          {rules(rule.Deny, ""), severity(rule.Medium), ask{labels: bad}, "1/0/0/0"},
		"namespace warns":                      {override(rule.Warn, "emr-*"), nil, ask{labels: bad}, "0/1/0/0"},
		"another namespace warns":              {override(rule.Warn, "dev-*"), nil, ask{labels: bad}, "1/0/0/0"},
		"namespace switches on":                {func(c *config.Guard) { rules(rule.Off, "")(c); override(rule.Deny, ns)(c) }, nil, ask{labels: bad}, "1/0/0/0"},
		"off by default":                       {nil, optIn, ask{labels: bad}, "0/0/0/0"},
		"off by default, switched on":          {rules(rule.Deny, ""), optIn, ask{labels: bad}, "1/0/0/0"},
		"not woken by an override of all":      {override(rule.Deny, "*"), optIn, ask{labels: bad}, "0/0/0/0"},
		"overridden when switched on":          {func(c *config.Guard) { rules(rule.Deny, "")(c); override(rule.Warn, ns)(c) }, optIn, ask{labels: bad}, "0/1/0/0"},
		"template warns":                       {nil, nil, ask{kind: "Deployment", labels: bad}, "0/1/0/0"},
		"template, rule judges requester":      {nil, func(r *rule.Rule) { r.Requester = true }, ask{kind: "Deployment", labels: bad}, "1/0/0/0"},
		"break glass":                          {nil, nil, ask{labels: bad, groups: []string{config.DefaultBreakGlassGroup}}, "0/1/0/0"},
		"administrators are not free":          {nil, nil, ask{labels: bad, groups: []string{"system:masters"}}, "1/0/0/0"},
		"a controller's pod is refused":        {nil, nil, ask{labels: bad, user: "system:serviceaccount:kube-system:job-controller"}, "1/0/0/0"},
		"nobody warns a controller":            {mode(rule.Warn), nil, ask{labels: bad, user: "system:serviceaccount:kube-system:job-controller"}, "0/0/1/0"},
		"update adds":                          {nil, nil, ask{op: rule.Update, labels: bad}, "1/0/0/0"},
		"update leaves alone":                  {nil, nil, ask{op: rule.Update, labels: bad, old: bad}, "0/0/0/0"},
		"update adds a second":                 {nil, nil, ask{op: rule.Update, labels: map[string]string{"bad-a": "1", "bad-b": "1"}, old: bad}, "1/0/0/0"},
		"update changes the value":             {nil, nil, ask{op: rule.Update, labels: map[string]string{"bad-a": "2"}, old: bad}, "1/0/0/0"},
		"update removes":                       {nil, nil, ask{op: rule.Update, old: bad}, "0/0/0/0"},
		"an act is never old":                  {nil, nil, ask{op: rule.Update, labels: map[string]string{"bad-a": "act"}, old: map[string]string{"bad-a": "act"}}, "1/0/0/0"},
		"update of a deleted one leaves alone": {nil, nil, ask{op: rule.Update, labels: bad, old: bad, deleting: true}, "0/0/0/0"},
		"garbage collector deletes":            {nil, nil, ask{op: rule.Delete, labels: bad, user: "system:serviceaccount:kube-system:generic-garbage-collector"}, "0/0/0/0"},
		"somebody deletes":                     {nil, nil, ask{op: rule.Delete, labels: bad}, "1/0/0/0"},
		"error follows the rule":               {nil, nil, ask{labels: failing}, "1/0/0/0"},
		"error follows a rule that warns":      {nil, severity(rule.Medium), ask{labels: failing}, "0/1/0/0"},
		"error as configured":                  {rules("", rule.Audit), nil, ask{labels: failing}, "0/0/1/0"},
		"error does not hinder a deletion":     {nil, nil, ask{op: rule.Update, labels: failing, old: failing, deleting: true}, "0/1/0/0"},
		"error in the dry run":                 {mode(rule.Warn), nil, ask{labels: failing}, "0/1/0/0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := review(t, newEngine(t, c.config, labelRule(c.rule)), c.ask)
			if got := counts(v); got != c.want {
				t.Errorf("denied/warned/audited/exempted %s, want %s: %+v", got, c.want, v)
			}
			if v.Allowed() != (len(v.Denied) == 0) {
				t.Errorf("allowed %t with %d denials", v.Allowed(), len(v.Denied))
			}
		})
	}
}

func TestExemptions(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) *metav1.Time { x := metav1.NewTime(now.Add(d)); return &x }
	for name, c := range map[string]struct {
		exemption config.Exemption
		want      string
	}{
		"whole rule":        {config.Exemption{}, "0/0/0/1"},
		"everything fits":   {config.Exemption{Namespace: "emr-*", Object: "x", User: "al*", Expires: at(time.Second)}, "0/0/0/1"},
		"another namespace": {config.Exemption{Namespace: "dev-*"}, "1/0/0/0"},
		"another object":    {config.Exemption{Object: "y"}, "1/0/0/0"},
		"another user":      {config.Exemption{User: "bob"}, "1/0/0/0"},
		"another subject":   {config.Exemption{Subject: "*"}, "1/0/0/0"}, // findings of RBAC have subjects, this one has none
		"just expired":      {config.Exemption{Expires: at(0)}, "1/0/0/0"},
		"long expired":      {config.Exemption{Expires: at(-time.Hour)}, "1/0/0/0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := c.exemption
			x.Rule, x.Reason = "no-bad-labels", "incident 4711"
			e := newEngine(t, func(g *config.Guard) { g.Exemptions = []config.Exemption{x} }, labelRule(nil))
			v := review(t, e, ask{labels: map[string]string{"bad-a": "1"}})
			if got := counts(v); got != c.want {
				t.Fatalf("denied/warned/audited/exempted %s, want %s", got, c.want)
			}
			if len(v.Exempted) == 1 && v.Exempted[0].Excuse != "incident 4711" {
				t.Errorf("the reason is %q", v.Exempted[0].Excuse)
			}
			if expired := x.Expires != nil && !now.Before(x.Expires.Time); (len(e.Expired()) == 1) != expired {
				t.Errorf("expired exemptions: %v", e.Expired())
			}
		})
	}
}

func TestNewRefusesUnknownRules(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*config.Guard){
		"rules[no-such]":        func(c *config.Guard) { c.Rules = map[string]config.Rule{"no-such": {}} },
		"overrides[0].rules[0]": func(c *config.Guard) { c.Overrides = []config.Override{{Rules: []string{"no-such"}}} },
		"exemptions[0].rule":    func(c *config.Guard) { c.Exemptions = []config.Exemption{{Rule: "no-such"}} },
	} {
		c := config.Default()
		change(c)
		if _, err := engine.New(c, []rule.Rule{labelRule(nil)}, time.Now); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "no-such") {
			t.Errorf("error %v, want one that names %s", err, want)
		}
	}
}

func TestCheckRefusesRulesThatAreNotInOrder(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*rule.Rule){
		"lower case":                   func(r *rule.Rule) { r.ID = "Bad_ID" },
		"message and a remedy":         func(r *rule.Rule) { r.Reasons[0].Remedy = "" },
		"a message and":                func(r *rule.Rule) { r.Reasons[1].Message = "" },
		"is none of":                   severity("grave"),
		"no clause of a guide":         func(r *rule.Rule) { r.Clauses = nil },
		"no reasons":                   func(r *rule.Rule) { r.Reasons = nil },
		"\"labelling\" is given twice": func(r *rule.Rule) { r.Reasons[0].Name = "labelling" },
		"name of the engine":           func(r *rule.Rule) { r.Reasons[0].Name = "over-budget" },
		"\"Bad\" is not lower case":    func(r *rule.Rule) { r.Reasons[0].Name = "Bad" },
		"the clause emr/labels":        func(r *rule.Rule) { r.Clauses[0].Address = "" },
		"the clause nsa/labels":        func(r *rule.Rule) { r.Clauses[0].Guide = "nsa" },
		"no check":                     func(r *rule.Rule) { r.New = nil },
		"no target":                    func(r *rule.Rule) { r.Targets = nil },
		"nothing can read":             func(r *rule.Rule) { r.Targets[0].Resource = "leases" },
		"has version":                  func(r *rule.Rule) { r.Targets[1].Version = "v1beta1" },
		"has no operations":            func(r *rule.Rule) { r.Targets[0].Operations = nil },
	} {
		if err := engine.Check([]rule.Rule{labelRule(change)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	if err := engine.Check([]rule.Rule{labelRule(nil), labelRule(nil)}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("error %v for an id given twice", err)
	}
}
