package rbac

import (
	"testing"
)

func TestHolders(t *testing.T) {
	t.Parallel()
	s := storeOf(t,
		newRole("emr", "r", rule("get,list", "-", "secrets", "a", "b"), rule("create", "-", "configmaps")),
		newRole("emr", "r2", rule("get", "-", "secrets")),
		newClusterRole("c", rule("update", "*", "configmaps,mutatingwebhookconfigurations,namespaces")),
		bind("emr", "1", "Role/r", user("alice"), account("", "sa"), group("team")),
		bind("emr", "2", "Role/r2", user("alice")),
		bind("emr", "3", "ClusterRole/c", account("emr", "sa")),
		bindCluster("4", "ClusterRole/c", group("team"), account("", "nobody")),
		bind("elsewhere", "5", "ClusterRole/c", user("bob")),
		bind("emr", "6", "Role/missing", user("carol")),
	)
	c := forbidden(t)
	same(t, "holders in emr", say(s.Holders("emr", c)), []string{
		"Group team | emr | configmaps | create, update configmaps",
		"Group team | emr | secrets | get, list secrets named a, b",
		"Group team | emr | escalation | update namespaces",
		"ServiceAccount emr/sa | emr | configmaps | create, update configmaps",
		"ServiceAccount emr/sa | emr | secrets | get, list secrets named a, b",
		"ServiceAccount emr/sa | emr | escalation | update namespaces",
		"User alice | emr | configmaps | create configmaps",
		"User alice | emr | secrets | get secrets; list secrets named a, b",
	})
	same(t, "holders in the cluster", say(s.Holders("", c)), []string{
		"Group team |  | webhooks | update mutatingwebhookconfigurations.admissionregistration.k8s.io",
	})
	same(t, "holders in a namespace without bindings", say(s.Holders("new", c)), []string{
		"Group team | new | configmaps | update configmaps",
		"Group team | new | escalation | update namespaces",
	})
	for _, g := range s.Holders("emr", c) {
		if g.Subject == User("alice") && g.Capability == "secrets" {
			same(t, "paths of alice", sayPaths([]Grant{g}), []string{
				"RoleBinding emr/1 → Role r → rules[0]",
				"RoleBinding emr/2 → Role r2 → rules[0]",
			})
		}
	}
}

func TestHeldBy(t *testing.T) {
	t.Parallel()
	s := storeOf(t,
		newClusterRole("c", rule("get", "-", "secrets")), newClusterRole("d", rule("create", "-", "configmaps")),
		bindCluster("1", "ClusterRole/c", group("system:serviceaccounts:emr")),
		bind("emr", "2", "ClusterRole/d", group("team")),
	)
	c := forbidden(t)
	same(t, "an account", say(s.HeldBy(ServiceAccount("emr", "sa"), nil, "emr", c)), []string{"ServiceAccount emr/sa | emr | secrets | get secrets"})
	same(t, "of another namespace", say(s.HeldBy(ServiceAccount("ci", "sa"), nil, "emr", c)), nil)
	held := s.HeldBy(User("alice"), []string{"team", "team"}, "emr", c)
	same(t, "a user", say(held), []string{"User alice | emr | configmaps | create configmaps"})
	if len(held) != 1 || len(held[0].Paths) != 1 || held[0].Paths[0].Subject != Group("team") {
		t.Errorf("%+v", held)
	}
	same(t, "a user without groups", say(s.HeldBy(User("alice"), nil, "emr", c)), nil)
}
