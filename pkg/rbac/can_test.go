package rbac

import (
	"testing"

	kruntime "k8s.io/apimachinery/pkg/runtime"
)

func TestCan(t *testing.T) {
	t.Parallel()
	get := func(user, namespace string, groups ...string) Request {
		return Request{User: user, Groups: groups, Attributes: Attributes{Verb: "get", Resource: "secrets", Namespace: namespace, Name: "x"}}
	}
	secrets := rule("get", "-", "secrets")
	for name, tc := range map[string]struct {
		exists []kruntime.Object
		ask    Request
		want   []string // paths; none is no
	}{
		"a RoleBinding": {
			[]kruntime.Object{newRole("n", "r", rule("list", "-", "secrets"), secrets), bind("n", "b", "Role/r", user("alice"))},
			get("alice", "n"),
			[]string{"RoleBinding n/b → Role r → rules[1]"},
		},
		"of another namespace": {
			[]kruntime.Object{newRole("n", "r", secrets), bind("n", "b", "Role/r", user("alice"))},
			get("alice", "m"), nil,
		},
		"over all namespaces needs a ClusterRoleBinding": {
			[]kruntime.Object{newClusterRole("r", secrets), bind("n", "b", "ClusterRole/r", user("alice"))},
			get("alice", ""), nil,
		},
		"every path": {
			[]kruntime.Object{
				newClusterRole("r", secrets, rule("*", "*", "*")), bind("n", "b", "ClusterRole/r", group("g"), user("alice")), bindCluster("c", "ClusterRole/r", group("g"), group("h")),
			},
			get("alice", "n", "g", "h", "g"),
			[]string{
				"ClusterRoleBinding c → ClusterRole r → rules[0]",
				"ClusterRoleBinding c → ClusterRole r → rules[1]",
				"ClusterRoleBinding c → ClusterRole r → rules[0]",
				"ClusterRoleBinding c → ClusterRole r → rules[1]",
				"RoleBinding n/b → ClusterRole r → rules[0]",
				"RoleBinding n/b → ClusterRole r → rules[1]",
				"RoleBinding n/b → ClusterRole r → rules[0]",
				"RoleBinding n/b → ClusterRole r → rules[1]",
			},
		},
		"an account by its user name": {
			[]kruntime.Object{newRole("n", "r", secrets), bind("n", "b", "Role/r", account("", "sa"))},
			get("system:serviceaccount:n:sa", "n"),
			[]string{"RoleBinding n/b → Role r → rules[0]"},
		},
		"a user binding of an account": {
			[]kruntime.Object{newRole("n", "r", secrets), bind("n", "b", "Role/r", user("system:serviceaccount:m:sa"))},
			get("system:serviceaccount:m:sa", "n"),
			[]string{"RoleBinding n/b → Role r → rules[0]"},
		},
		"only the groups that the request has": {
			[]kruntime.Object{newRole("n", "r", secrets), bind("n", "b", "Role/r", group("system:serviceaccounts"))},
			get("system:serviceaccount:m:sa", "n"), nil,
		},
		"a missing role grants nothing": {
			[]kruntime.Object{bind("n", "b", "Role/r", user("alice")), bind("n", "c", "ClusterRole/r", user("alice"))},
			get("alice", "n"), nil,
		},
		"an aggregate that is not filled in": {
			[]kruntime.Object{
				aggregating(newClusterRole("a"), "x"), labelled(newClusterRole("m", secrets), "x"), bind("n", "b", "ClusterRole/a", user("alice")),
			},
			get("alice", "n"), nil,
		},
		"an aggregate that is": {
			[]kruntime.Object{
				aggregating(newClusterRole("a", rule("get", "-", "pods"), secrets), "x"), labelled(newClusterRole("m", secrets), "x"), bind("n", "b", "ClusterRole/a", user("alice")),
			},
			get("alice", "n"),
			[]string{"RoleBinding n/b → ClusterRole a → aggregates ClusterRole m → rules[0]"},
		},
		"an aggregate that has a rule from nobody": {
			[]kruntime.Object{
				aggregating(newClusterRole("a", rule("get", "-", "pods"), secrets), "x"), bind("n", "b", "ClusterRole/a", user("alice")),
			},
			get("alice", "n"),
			[]string{"RoleBinding n/b → ClusterRole a → rules[1]"},
		},
		"a path that is no resource": {
			[]kruntime.Object{newClusterRole("r", urlRule("get", "/metrics")), bindCluster("b", "ClusterRole/r", user("alice")), bind("n", "b", "ClusterRole/r", user("bob"))},
			Request{User: "alice", Attributes: Attributes{NonResource: true, Verb: "get", Path: "/metrics"}},
			[]string{"ClusterRoleBinding b → ClusterRole r → rules[0]"},
		},
		"a RoleBinding grants no path": {
			[]kruntime.Object{newClusterRole("r", urlRule("get", "/metrics")), bind("n", "b", "ClusterRole/r", user("bob"))},
			Request{User: "bob", Attributes: Attributes{NonResource: true, Verb: "get", Path: "/metrics"}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := storeOf(t, tc.exists...).Can(tc.ask)
			got := []string{}
			for _, p := range d.Paths {
				got = append(got, p.String())
			}
			same(t, "paths", got, tc.want)
			if d.Allowed != (len(tc.want) > 0) || d.Superuser {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestCanNamesTheGroupOfThePath(t *testing.T) {
	t.Parallel()
	s := storeOf(t, newRole("n", "r", rule("get", "-", "secrets")), bind("n", "b", "Role/r", group("g")))
	d := s.Can(Request{User: "alice", Groups: []string{"g"}, Attributes: Attributes{Verb: "get", Resource: "secrets", Namespace: "n"}})
	if len(d.Paths) != 1 || d.Paths[0].Subject != Group("g") {
		t.Errorf("%+v", d)
	}
}

// The API server asks RBAC nothing about system:masters.
func TestCanOfMasters(t *testing.T) {
	t.Parallel()
	d := storeOf(t).Can(Request{User: "root", Groups: []string{"system:masters"}, Attributes: Attributes{Verb: "get", Resource: "secrets"}})
	if !d.Allowed || !d.Superuser || len(d.Paths) > 0 {
		t.Errorf("%+v", d)
	}
}

func TestCanAfterAggregation(t *testing.T) {
	t.Parallel()
	s := storeOf(t,
		aggregating(newClusterRole("a"), "x"),
		labelled(aggregating(newClusterRole("b", rule("get", "-", "secrets")), "y"), "x"),
		labelled(newClusterRole("c", rule("list", "-", "secrets"), rule("get", "-", "secrets")), "y"),
		bind("n", "b", "ClusterRole/a", user("alice")))
	d := s.CanAfterAggregation(Request{User: "alice", Attributes: Attributes{Verb: "get", Resource: "secrets", Namespace: "n"}})
	got := []string{}
	for _, p := range d.Paths {
		got = append(got, p.String())
	}
	same(t, "paths", got, []string{"RoleBinding n/b → ClusterRole a → aggregates ClusterRole b → aggregates ClusterRole c → rules[1]"})
}
