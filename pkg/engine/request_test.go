package engine_test

import (
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

func resource(t *testing.T, group, name string) object.Resource {
	t.Helper()
	res, ok := object.Find(schema.GroupResource{Group: group, Resource: name})
	if !ok {
		t.Fatalf("there is no resource %s of %q", name, group)
	}
	return res
}

// labelled is a Namespace with that value of the label that selects managed ones.
func labelled(t *testing.T, name, value string) *object.Object {
	t.Helper()
	o, err := object.Decode(resource(t, "", "namespaces"), []byte(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"`+name+`","labels":{"emr":"`+value+`"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func byLabel(c *config.Guard) {
	c.EMR.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"emr": "yes"}}
}

func TestNewRequest(t *testing.T) {
	t.Parallel()
	facts := &cluster.Snapshot{}
	facts.Set(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "selected", Labels: map[string]string{"emr": "yes"}}})
	e := newEngine(t, byLabel, labelRule(nil))
	for name, c := range map[string]struct {
		in                    engine.Incoming
		resource, subresource string
		namespace             string
		managed, needs        bool
		class                 rule.Class
	}{
		"in a managed namespace":   {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "pods"), Namespace: ns, User: "alice"}, "pods", "", ns, true, true, rule.Submitter},
		"in a selected namespace":  {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "pods"), Namespace: "selected", User: "alice"}, "pods", "", "selected", true, true, rule.Submitter},
		"elsewhere":                {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "pods"), Namespace: "other", User: "alice"}, "pods", "", "other", false, false, rule.Submitter},
		"by the managed endpoint":  {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "pods"), Namespace: "other", User: "alice", Managed: true}, "pods", "", "other", true, true, rule.Submitter},
		"a subresource":            {engine.Incoming{Operation: rule.Connect, Resource: resource(t, "", "pods/exec"), Namespace: ns, User: "alice"}, "pods", "exec", ns, true, false, rule.Submitter},
		"without a user":           {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "pods"), Namespace: ns}, "pods", "", ns, true, true, rule.Submitter},
		"what exists":              {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "pods"), Namespace: ns, User: "alice", Existing: true}, "pods", "", ns, true, true, rule.Nobody},
		"cluster-scoped":           {engine.Incoming{Operation: rule.Create, Resource: resource(t, "rbac.authorization.k8s.io", "clusterroles"), User: "alice"}, "clusterroles", "", "", true, false, rule.Submitter},
		"a Namespace":              {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "namespaces"), Name: "new", User: "alice"}, "namespaces", "", "new", false, true, rule.Submitter},
		"a managed Namespace":      {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "namespaces"), Name: ns, User: "alice"}, "namespaces", "", ns, true, true, rule.Submitter},
		"a status of a Namespace":  {engine.Incoming{Operation: rule.Update, Resource: resource(t, "", "namespaces/status"), Name: "new", User: "alice"}, "namespaces", "status", "new", false, true, rule.Submitter},
		"a Namespace with a label": {engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "namespaces"), Name: "new", User: "alice", Object: labelled(t, "new", "yes")}, "namespaces", "", "new", true, true, rule.Submitter},
	} {
		r := e.NewRequest(&c.in, facts)
		if r.Resource.Resource != c.resource || r.Subresource != c.subresource || r.Namespace != c.namespace || r.Managed != c.managed || r.Requester.Class != c.class {
			t.Errorf("%s: %+v", name, r)
		}
		if got := e.NeedsObject(r); got != c.needs {
			t.Errorf("%s: needs the object: %t", name, got)
		}
		if c.namespace != "" && r.IsManaged(c.namespace) != c.managed || !r.IsManaged("selected") || r.IsManaged("no-such") {
			t.Errorf("%s: its own namespace is managed: %t, the selected one: %t", name, r.IsManaged(c.namespace), r.IsManaged("selected"))
		}
		if got := r.ManagedNamespaces(); !slices.Equal(got, []string{ns, "selected"}) {
			t.Errorf("%s: managed are %q", name, got)
		}
	}
}

// A Namespace that loses the label is judged as a managed one, once more.
func TestNamespaceBeforeAnUpdate(t *testing.T) {
	t.Parallel()
	e := newEngine(t, byLabel, labelRule(nil))
	for _, c := range []struct {
		after, before string
		op            rule.Operation
		managed       bool
	}{
		{"no", "yes", rule.Update, true},
		{"no", "no", rule.Update, false},
		{"yes", "no", rule.Update, true},
		{"no", "yes", rule.Create, false},
	} {
		r := e.NewRequest(&engine.Incoming{Operation: c.op, Resource: resource(t, "", "namespaces"), Name: "x", User: "alice"}, &cluster.Snapshot{})
		if err := e.SetObject(r, labelled(t, "x", c.after), func() (*object.Object, error) { return labelled(t, "x", c.before), nil }); err != nil || r.Managed != c.managed {
			t.Errorf("%+v: managed %t, %v", c, r.Managed, err)
		}
	}
	r := e.NewRequest(&engine.Incoming{Operation: rule.Update, Resource: resource(t, "", "namespaces"), Name: "x", User: "alice"}, &cluster.Snapshot{})
	broken := errors.New("broken")
	if err := e.SetObject(r, labelled(t, "x", "no"), func() (*object.Object, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// Of a Namespace that nobody read, nobody knows that it is not managed.
func TestUnreadNamespaceCountsAsManaged(t *testing.T) {
	t.Parallel()
	e := newEngine(t, byLabel, labelRule(nil))
	r := e.NewRequest(&engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "namespaces"), Name: "x", User: "alice"}, &cluster.Snapshot{})
	if e.SetUnread(r); !r.Managed || r.Object.Meta.Name != "x" {
		t.Errorf("managed %t, object %+v", r.Managed, r.Object.Meta)
	}
	r = e.NewRequest(&engine.Incoming{Operation: rule.Create, Resource: resource(t, "", "pods"), Namespace: "other", Name: "x", User: "alice"}, &cluster.Snapshot{})
	if e.SetUnread(r); r.Managed || r.Object.Meta.Namespace != "other" {
		t.Errorf("a Pod elsewhere: managed %t, object %+v", r.Managed, r.Object.Meta)
	}
}

// An audit lists the managed namespaces once.
func TestExistingAmong(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil, labelRule(nil))
	o := decode(t, "Pod", metav1.ObjectMeta{Name: "x", Namespace: ns})
	r := e.ExistingAmong([]string{"a", "b"}, resource(t, "", "pods"), o, &cluster.Snapshot{})
	if !r.IsManaged("a") || !r.IsManaged(ns) || r.IsManaged("c") || !slices.Equal(r.ManagedNamespaces(), []string{"a", "b"}) || !r.Existing() || r.Object != o {
		t.Errorf("%+v", r)
	}
}
