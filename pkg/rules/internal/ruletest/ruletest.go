// Package ruletest puts objects to one rule. What only the whole of emrguard can show
// has a fixture in test/fixtures.
package ruletest

import (
	"context"
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Namespace is the one managed namespace of the requests.
const Namespace = "emr-jobs"

// Request makes a request of nobody, as an audit does, of a manifest in YAML or JSON:
// the object exists in a managed namespace. Tests change what they need otherwise.
func Request(t *testing.T, manifest string) *rule.Request {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(raw, &kind); err != nil {
		t.Fatal(err)
	}
	resource, ok := object.FindKind(schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind).GroupKind())
	if !ok {
		t.Fatalf("no rule reads %s", kind.Kind)
	}
	o, err := object.Decode(resource, raw)
	if err != nil {
		t.Fatal(err)
	}
	return &rule.Request{
		Operation: rule.Create, Resource: resource.GroupResource(), Namespace: Namespace, Name: o.Meta.Name, Managed: true, Object: o,
		Requester:         rule.Requester{Class: rule.Nobody},
		IsManaged:         func(namespace string) bool { return namespace == Namespace },
		ManagedNamespaces: func() []string { return []string{Namespace} },
	}
}

// Ask puts a request to a rule without parameters and returns what it finds.
func Ask(t *testing.T, r rule.Rule, request *rule.Request) ([]rule.Finding, error) {
	t.Helper()
	check, err := r.New(rule.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var rep rule.Report
	rep.Begin(&r)
	err = check(t.Context(), request, &rep)
	return rep.Findings(), err
}

// Find is Ask for a request that has to be judged without an error.
func Find(t *testing.T, r rule.Rule, request *rule.Request) []rule.Finding {
	t.Helper()
	found, err := Ask(t, r, request)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// ErrDown is the error of look-ups in a Down cluster.
var ErrDown = errors.New("the API server is down")

// Down is a cluster that answers no look-up but those of ServiceAccounts: there are
// none.
type Down struct{ rule.Cluster }

// ServiceAccount knows no account.
func (Down) ServiceAccount(context.Context, string, string) (rule.ServiceAccount, error) {
	return rule.ServiceAccount{}, rule.ErrNotFound
}

// Object fails.
func (Down) Object(context.Context, schema.GroupResource, string, string) (*object.Object, error) {
	return nil, ErrDown
}

// Objects fails.
func (Down) Objects(context.Context, schema.GroupResource, string) ([]*object.Object, error) {
	return nil, ErrDown
}
