package rules_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

func ruleOf(t *testing.T, id string) rule.Rule {
	t.Helper()
	all := rules.All()
	i := slices.IndexFunc(all, func(r rule.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("there is no rule %s", id)
	}
	return all[i]
}

func TestEndpointParameters(t *testing.T) {
	t.Parallel()
	r := ruleOf(t, "endpoint-exposure")
	for params, want := range map[string]string{
		`{"widestIPv4": 33}`:   "rules[endpoint-exposure].params: widestIPv4: 33",
		`{"widestIPv4": -1}`:   "widestIPv4: -1",
		`{"widestIPv6": 129}`:  "widestIPv6: 129",
		`{"widestIPv4": "8"}`:  "widestIPv4",
		`{"widestIpv4": 8}`:    "widestIpv4",
		`{"widestIPv4": 32}`:   "",
		`{"widestIPv6": 0}`:    "",
		`{"widestIPv4": null}`: "",
	} {
		_, err := r.New(rule.Settings{Params: map[string]json.RawMessage{r.ID: json.RawMessage(params)}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", params, err, want)
		}
	}
}

var errDown = errors.New("the API server is down")

// down answers no look-up but those of ServiceAccounts: there are none.
type down struct{ rule.Cluster }

func (down) ServiceAccount(context.Context, string, string) (rule.ServiceAccount, error) {
	return rule.ServiceAccount{}, rule.ErrNotFound
}

func (down) Object(context.Context, schema.GroupResource, string, string) (*object.Object, error) {
	return nil, errDown
}

func (down) Objects(context.Context, schema.GroupResource, string) ([]*object.Object, error) {
	return nil, errDown
}

// TestEndpointLookUpFails proves that what cannot be looked up is an error, whose
// consequence the configuration decides, and never a finding or nothing.
func TestEndpointLookUpFails(t *testing.T) {
	t.Parallel()
	r := ruleOf(t, "endpoint-exposure")
	check, err := r.New(rule.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for kind, text := range map[string]string{
		"the class":         `{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a", "namespace": "n"}, "spec": {"ingressClassName": "alb"}}`,
		"the default class": `{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a", "namespace": "n"}}`,
		"the group": `{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a", "namespace": "n",
			"annotations": {"kubernetes.io/ingress.class": "alb", "alb.ingress.kubernetes.io/group.name": "g"}}}`,
		"the Gateway's class": `{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "a", "namespace": "n"}, "spec": {"gatewayClassName": "alb"}}`,
	} {
		req := requestOf(t, text)
		req.Cluster = down{}
		rep := &rule.Report{}
		rep.Begin(&r)
		if err := check(t.Context(), req, rep); !errors.Is(err, errDown) || len(rep.Findings()) > 0 {
			t.Errorf("%s: %v, with %v", kind, err, rep.Findings())
		}
	}
}

func requestOf(t *testing.T, text string) *rule.Request {
	t.Helper()
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		t.Fatal(err)
	}
	res, ok := object.FindKind(schema.FromAPIVersionAndKind(head.APIVersion, head.Kind).GroupKind())
	if !ok {
		t.Fatalf("nobody reads %s", head.Kind)
	}
	o, err := object.Decode(res, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &rule.Request{
		Operation: rule.Create, Resource: res.GroupResource(), Namespace: o.Meta.Namespace, Name: o.Meta.Name, Managed: true,
		Requester: rule.Requester{User: "ann", Class: rule.Administrator}, Object: o,
	}
}

// TestHijackLookUpFails proves the same for the workload of what a controller makes,
// and that no workload is asked for where there is no role to win.
func TestHijackLookUpFails(t *testing.T) {
	t.Parallel()
	r := ruleOf(t, "service-account-hijack")
	check, err := r.New(rule.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for account, fails := range map[string]bool{"default": false, "emr-containers-sa-spark-client-123456789012-4en4r3jtsjjcf75iqnuasdqp1": true} {
		req := requestOf(t, `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "n",
			"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "a", "uid": "1", "controller": true}]},
			"spec": {"serviceAccountName": "`+account+`"}}`)
		req.Requester = rule.Requester{User: "system:serviceaccount:kube-system:job-controller", Class: rule.Controller}
		req.Cluster = down{}
		rep := &rule.Report{}
		rep.Begin(&r)
		if err := check(t.Context(), req, rep); errors.Is(err, errDown) != fails || len(rep.Findings()) > 0 {
			t.Errorf("%s: %v, with %v", account, err, rep.Findings())
		}
	}
}
