package rbac

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// resource is a request for a resource: `pods/exec` of `apps`.
func resource(verb, group, name, sub, object string) Attributes {
	return Attributes{Verb: verb, APIGroup: group, Resource: name, Subresource: sub, Name: object}
}

func TestRuleAllows(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rule  rbacv1.PolicyRule
		yes   []Attributes
		never []Attributes
	}{
		"a resource is not its subresources": {
			rule(`get`, `-`, `pods`),
			[]Attributes{resource("get", "", "pods", "", "a")},
			[]Attributes{resource("get", "", "pods", "exec", "a"), resource("get", "", "pod", "", ""), resource("get", "", "pods2", "", "")},
		},
		"a subresource is not its resource": {
			rule(`get`, `-`, `pods/exec`),
			[]Attributes{resource("get", "", "pods", "exec", "a")},
			[]Attributes{resource("get", "", "pods", "", "a"), resource("get", "", "pods", "attach", "a"), resource("get", "", "p", "ods/exec", "a")},
		},
		"the wildcard is every resource and subresource": {
			rule(`get`, `-`, `*`),
			[]Attributes{resource("get", "", "pods", "", ""), resource("get", "", "pods", "exec", ""), resource("get", "", "x", "y/z", "")},
			[]Attributes{resource("get", "apps", "deployments", "", "")},
		},
		"*/exec is exec of every resource": {
			rule(`create`, `-`, `*/exec`),
			[]Attributes{resource("create", "", "pods", "exec", "a"), resource("create", "", "other", "exec", "")},
			[]Attributes{resource("create", "", "pods", "", ""), resource("create", "", "pods", "attach", ""), resource("create", "", "pods", "xexec", "")},
		},
		"pods/* is nothing": {
			rule(`*`, `*`, `pods/*`), nil,
			[]Attributes{resource("get", "", "pods", "exec", ""), resource("get", "", "pods", "", ""), resource("get", "", "pods", "log", "a")},
		},
		"*/* is nothing": {
			rule(`*`, `*`, `*/*`), nil,
			[]Attributes{resource("get", "", "pods", "exec", ""), resource("get", "", "pods", "", "")},
		},
		"*/ is nothing": {
			rule(`*`, `*`, `*/`), nil,
			[]Attributes{resource("get", "", "pods", "exec", ""), resource("get", "", "pods", "", "")},
		},
		"groups are exact": {
			rule(`get`, `apps`, `deployments`),
			[]Attributes{resource("get", "apps", "deployments", "", "")},
			[]Attributes{resource("get", "", "deployments", "", ""), resource("get", "extensions", "deployments", "", ""), resource("get", "app", "deployments", "", "")},
		},
		"the group wildcard is the core group, too": {
			rule(`get`, `*`, `pods,deployments`),
			[]Attributes{resource("get", "", "pods", "", ""), resource("get", "apps", "deployments", "", "")},
			nil,
		},
		"no group is no match": {
			rule(`get`, ``, `pods`), nil, []Attributes{resource("get", "", "pods", "", "")},
		},
		"verbs are exact": {
			rule(`get,create`, `-`, `pods`),
			[]Attributes{resource("create", "", "pods", "", "")},
			[]Attributes{resource("list", "", "pods", "", ""), resource("GET", "", "pods", "", ""), resource("", "", "pods", "", "")},
		},
		"the verb wildcard is every verb that exists or will": {
			rule(`*`, `-`, `users`),
			[]Attributes{resource("impersonate", "", "users", "", "a"), resource("impersonate-on:user-info:get", "", "users", "", "a")},
			nil,
		},
		"eight verbs are not the wildcard": {
			rule(`get,list,watch,create,update,patch,delete,deletecollection`, `*`, `*`), nil,
			[]Attributes{resource("impersonate", "", "users", "", "a"), resource("escalate", "rbac.authorization.k8s.io", "roles", "", "")},
		},
		"a name matches only requests that carry it": {
			rule(`get,list,create,deletecollection`, `-`, `secrets`, "a"),
			[]Attributes{resource("get", "", "secrets", "", "a"), resource("list", "", "secrets", "", "a")},
			[]Attributes{
				resource("get", "", "secrets", "", "b"), resource("list", "", "secrets", "", ""),
				resource("create", "", "secrets", "", ""), resource("deletecollection", "", "secrets", "", ""),
			},
		},
		"create of a named subresource carries the name": {
			rule(`create`, `-`, `serviceaccounts/token`, "a"),
			[]Attributes{resource("create", "", "serviceaccounts", "token", "a")},
			[]Attributes{resource("create", "", "serviceaccounts", "token", "b")},
		},
		"the empty name matches requests without one": {
			rule(`get,list,create`, `-`, `secrets`, ""),
			[]Attributes{resource("create", "", "secrets", "", ""), resource("list", "", "secrets", "", "")},
			[]Attributes{resource("get", "", "secrets", "", "a"), resource("list", "", "secrets", "", "a")},
		},
		"names know no wildcard": {
			rule(`get`, `-`, `secrets`, "*"), nil, []Attributes{resource("get", "", "secrets", "", "a")},
		},
		"paths": {
			urlRule(`get`, `/healthz,/metrics/*,/a*b`),
			[]Attributes{
				{NonResource: true, Verb: "get", Path: "/healthz"},
				{NonResource: true, Verb: "get", Path: "/metrics/"},
				{NonResource: true, Verb: "get", Path: "/metrics/cadvisor/x"},
				{NonResource: true, Verb: "get", Path: "/a*b"},
			},
			[]Attributes{
				{NonResource: true, Verb: "get", Path: "/healthz/etcd"},
				{NonResource: true, Verb: "get", Path: "/metrics"},
				{NonResource: true, Verb: "get", Path: "/axb"},
				{NonResource: true, Verb: "post", Path: "/healthz"},
				{Verb: "get", Path: "/healthz"}, // a resource request
			},
		},
		"resources say nothing about paths": {
			rule(`*`, `*`, `*`), nil, []Attributes{{NonResource: true, Verb: "get", Path: "/metrics"}},
		},
		"the path wildcard": {
			urlRule(`*`, `*`),
			[]Attributes{{NonResource: true, Verb: "head", Path: ""}, {NonResource: true, Verb: "get", Path: "/x"}},
			[]Attributes{resource("get", "", "pods", "", "")},
		},
		"an empty rule": {rbacv1.PolicyRule{}, nil, []Attributes{resource("get", "", "pods", "", ""), {}, {NonResource: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, a := range tc.yes {
				if !RuleAllows(&tc.rule, a) {
					t.Errorf("%+v is not allowed", a)
				}
			}
			for _, a := range tc.never {
				if RuleAllows(&tc.rule, a) {
					t.Errorf("%+v is allowed", a)
				}
			}
		})
	}
	if RuleAllows(nil, Attributes{}) {
		t.Error("no rule allows something")
	}
}

// The fuzzer looks for a request for which the tables that Gains and Holders use
// say something else than RuleAllows, which test/rbacdiff compares with
// kube-apiserver.
func FuzzCapabilitiesAgreeWithRuleAllows(f *testing.F) {
	f.Add("get", "", "pods/exec", "a", "get", "", "pods/exec", "a")
	f.Add("*", "*", "*/exec", "", "create", "apps", "pods/exec", "a")
	f.Add("get", "", "*", "", "impersonate-on:x:get", "x", "userextras/a", "n")
	f.Fuzz(func(t *testing.T, verb, apiGroup, res, name, wantVerb, wantGroup, wantRes, wantName string) {
		main, sub, _ := cut(wantRes)
		c, err := Compile(capability("x", Target{APIGroups: []string{wantGroup}, Resources: []string{wantRes}, Verbs: []string{wantVerb}, Scope: Cluster}))
		if err != nil || wantName == "" || hasWildcard(wantVerb, wantGroup, wantRes) || namesNothing(wantRes, wantVerb) || readsMany(wantVerb) {
			t.Skip("no capability that one request decides")
		}
		r := rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{apiGroup}, Resources: []string{res}}
		if name != "" {
			r.ResourceNames = []string{name}
		}
		want := RuleAllows(&r, Attributes{Verb: wantVerb, APIGroup: wantGroup, Resource: main, Subresource: sub, Name: wantName})
		m := c.rulesMask([]rbacv1.PolicyRule{r}, nil)
		got := m.full.has(0)
		for _, names := range m.parts {
			got = got || contains(names, wantName)
		}
		if got != want {
			t.Errorf("the rule %+v allows %s %s of %q named %q: %t, but the capability says %t", r, wantVerb, wantRes, wantGroup, wantName, want, got)
		}
	})
}
