package rules_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
)

// find returns a rule by its id.
func find(t *testing.T, id string) rule.Rule {
	t.Helper()
	all := rules.All()
	i := slices.IndexFunc(all, func(r rule.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("there is no rule %s", id)
	}
	return all[i]
}

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
		"imds-network-policy": {
			`{"blockedElsewhere": [""]}`: "blockedElsewhere[0]: the pattern is empty",
			`{"blocked": true}`:          `unknown field "blocked"`,
		},
		"karpenter-instance-metadata": {
			`{"hopLimit": 0}`:  "hopLimit: 0 is not in 1 to 64",
			`{"hopLimit": 65}`: "hopLimit: 65 is not in 1 to 64",
		},
		"execution-role-policy": {
			`{"executionRoles": [""]}`:                                "executionRoles[0]: the pattern is empty",
			`{"executionRoles": ["arn:aws:iam::123456789012:role/"]}`: "executionRoles[0]: it ends in /: a role's name belongs there",
		},
		"vpc-cni-credentials": {`{"x": 1}`: `unknown field "x"`},
		"endpoint-exposure": {
			`{"widestIPv4": 33}`:  "widestIPv4: 33",
			`{"widestIPv4": -1}`:  "widestIPv4: -1",
			`{"widestIPv6": 129}`: "widestIPv6: 129",
			`{"widestIPv4": "8"}`: "widestIPv4",
			`{"widestIpv4": 8}`:   "widestIpv4",
		},
	} {
		r := find(t, id)
		for params, want := range list {
			_, err := r.New(rule.Settings{Params: map[string]json.RawMessage{id: json.RawMessage(params)}})
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "rules["+id+"].params") {
				t.Errorf("%s %s: %v, want %q", id, params, err, want)
			}
		}
	}
}

// The bounds of parameters are allowed, and null is like nothing.
func TestGoodParameters(t *testing.T) {
	t.Parallel()
	for id, list := range map[string][]string{
		"endpoint-exposure":           {`{"widestIPv4": 32}`, `{"widestIPv6": 0}`, `{"widestIPv4": null}`},
		"karpenter-instance-metadata": {`{"hopLimit": 1}`, `{"hopLimit": 64}`},
	} {
		for _, params := range list {
			if _, err := find(t, id).New(rule.Settings{Params: map[string]json.RawMessage{id: json.RawMessage(params)}}); err != nil {
				t.Errorf("%s %s: %v", id, params, err)
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
		if _, err := find(t, id).New(rule.Settings{Params: map[string]json.RawMessage{id: json.RawMessage(params)}}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if after := defaults(); !reflect.DeepEqual(before, after) {
		t.Errorf("the defaults are %v, want %v", after, before)
	}
	for name, list := range map[string]func() []string{"DefaultCABundleWriters": admissioncontrol.DefaultCABundleWriters, "DefaultAllowedWebhooks": func() []string {
		return admissioncontrol.DefaultAllowedWebhooks()[0].Users
	}} {
		want := slices.Clone(list())
		list()[0] = "changed"
		if got := list(); !slices.Equal(got, want) {
			t.Errorf("%s answers a list that callers share: %v", name, got)
		}
	}
}
