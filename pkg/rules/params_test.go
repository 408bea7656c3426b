package rules_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// TestBadParameters proves that a parameter that would do something else than it
// seems to is refused, and that the error names it.
func TestBadParameters(t *testing.T) {
	t.Parallel()
	for id, list := range map[string]map[string]string{
		"execution-role-isolation": {
			`{namespaces: []}`: "invalid",
			`{"namespaces": [{"namespaces": ["a"], "roles": ["JobExecutionRole"]}]}`:                        "namespaces[0].roles[0]: ",
			`{"namespaces": [{"roles": ["*"]}]}`:                                                            "namespaces[0].namespaces is empty",
			`{"namespaces": [{"namespaces": [""], "roles": ["*"]}]}`:                                        "namespaces[0].namespaces[0]: ",
			`{"groups": [{"name": "a", "roles": []}]}`:                                                      "groups[0].roles is empty",
			`{"groups": [{"roles": ["*"]}]}`:                                                                "groups[0].name is empty",
			`{"groups": [{"name": "a", "roles": ["*"]}, {"name": "b", "roles": ["arn:aws:iam::1:role*"]}]}`: "groups[1].roles[0]: ",
			`{"maxRoles": 0}`: "maxRoles is less than 1",
			`{"maxrole": 4}`:  "maxrole",
		},
		"cross-namespace-role": {`{"x": 1}`: "x"},
		"image-registry": {
			`{"registries": ["https://example.com"]}`:            "registries[0]: ",
			`{"registries": ["example.com", "library/busybox"]}`: "registries[1]: ",
		},
		"image-release": {
			`{"minimum": ["7.9.0"]}`:                   "minimum[0]: ",
			`{"minimum": ["emr-7.9.0", "emr-6.15.0"]}`: "minimum[1]: emr-6.15.0 is the second one of its line",
			`{"maxReleasesBehind": -1}`:                "maxReleasesBehind is negative",
			`{"maxAge": 0}`:                            "maxAge is less than one day",
			`{"maxAge": "180d"}`:                       "maxAge",
		},
		"image-mutable-tag": {`{"x": 1}`: "x"},
	} {
		all := rules.All()
		r := all[slices.IndexFunc(all, func(r rule.Rule) bool { return r.ID == id })]
		for params, want := range list {
			_, err := r.New(rule.Settings{Params: map[string]json.RawMessage{id: json.RawMessage(params)}})
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "rules["+id+"].params") {
				t.Errorf("%s %s: %v, want %q", id, params, err, want)
			}
		}
	}
}

// Parameters are decoded over their defaults, which JSON does in place: a default that
// engines share would take over what the configuration of one of them says.
func TestParametersLeaveDefaultsAlone(t *testing.T) {
	t.Parallel()
	defaults := func() map[string]any {
		seen := map[string]any{}
		for _, r := range rules.All() {
			s := rule.Settings{Decoding: func(id string, into any) {
				text, err := json.Marshal(into)
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
				seen[id] = string(text)
			}}
			if _, err := r.New(s); err != nil {
				t.Errorf("%s: %v", r.ID, err)
			}
		}
		return seen
	}
	before := defaults()
	for id, params := range map[string]string{
		"guard-protection": `{"caBundleWriters": ["somebody"]}`,
		"token-request":    `{"brokers": ["somebody"]}`,
		"mutating-webhook": `{"allowed": [{"name": "somebody", "users": ["somebody"]}], "known": ["somebody"]}`,
	} {
		if _, err := ruleOf(t, id).New(rule.Settings{Params: map[string]json.RawMessage{id: json.RawMessage(params)}}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if after := defaults(); !reflect.DeepEqual(before, after) {
		t.Errorf("the defaults are %v, want %v", after, before)
	}
	for name, list := range map[string]func() []string{"DefaultCABundleWriters": rules.DefaultCABundleWriters, "DefaultAllowedWebhooks": func() []string {
		return rules.DefaultAllowedWebhooks()[0].Users
	}} {
		want := slices.Clone(list())
		list()[0] = "changed"
		if got := list(); !slices.Equal(got, want) {
			t.Errorf("%s answers a list that callers share: %v", name, got)
		}
	}
}
