package rbac

import (
	"strings"
	"testing"
)

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		capabilities []Capability
		want         string
	}{
		"an ID twice":               {[]Capability{capability("x"), capability("x")}, `"x" is there twice`},
		"no group":                  {[]Capability{capability("x", target(Namespaced, "get", "", "pods"))}, "at least one API group"},
		"no resource":               {[]Capability{capability("x", target(Namespaced, "get", "-", ""))}, "at least one"},
		"no verb":                   {[]Capability{capability("x", target(Namespaced, "", "-", "pods"))}, "at least one"},
		"a scope that is none":      {[]Capability{capability("x", target(7, "get", "-", "pods"))}, "scope 7"},
		"*/* is nothing":            {[]Capability{capability("x", target(Namespaced, "get", "-", "*/*"))}, "matches nothing"},
		"an empty subresource":      {[]Capability{capability("x", target(Namespaced, "get", "-", "pods/"))}, "matches nothing"},
		"namespaces are not inside": {[]Capability{capability("x", target(Namespaced, "update", "-", "namespaces"))}, "OwnNamespace"},
		"nor are their parts":       {[]Capability{capability("x", target(Namespaced, "update", "-", "namespaces/status"))}, "OwnNamespace"},
		"pods are no namespace":     {[]Capability{capability("x", target(OwnNamespace, "update", "-", "pods"))}, "no Namespace"},
		"create names no namespace": {[]Capability{capability("x", target(OwnNamespace, "get,create", "-", "namespaces"))}, "use Cluster"},
		"list names no namespace":   {[]Capability{capability("x", target(OwnNamespace, "list", "-", "namespaces"))}, "use Cluster"},
	} {
		if _, err := Compile(tc.capabilities...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v does not say %q", name, err, tc.want)
		}
	}
	c := compile(t, capability("a"), capability("b", target(Cluster, "create", "-", "namespaces")))
	same(t, "IDs", c.IDs(), []string{"a", "b"})
}

// A capability can be about named objects only.
func TestCapabilityOfNamedObjects(t *testing.T) {
	t.Parallel()
	only := target(Namespaced, "get,list,update", "-", "configmaps")
	only.Names = []string{"aws-auth", "coredns"}
	c := compile(t, capability("x", only))
	s := storeOf(t,
		newRole("n", "all", rule("update", "-", "configmaps")), bind("n", "1", "Role/all", user("all")),
		newRole("n", "one", rule("*", "-", "configmaps", "coredns", "other")), bind("n", "2", "Role/one", user("one")),
		newRole("n", "other", rule("*", "-", "configmaps", "other")), bind("n", "3", "Role/other", user("other")),
		newRole("n", "list", rule("*", "-", "configmaps", "")), bind("n", "4", "Role/list", user("list")),
	)
	same(t, "holders", say(s.Holders("n", c)), []string{
		"User all | n | x | update configmaps named aws-auth; update configmaps named coredns",
		"User list | n | x | list configmaps named aws-auth; list configmaps named coredns",
		"User one | n | x | get, list, update configmaps named coredns",
	})
}

func TestPermissionString(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Permission{
		"get secrets":                         {Resource: "secrets", Verbs: []string{"get"}},
		"get, list secrets named a, b":        {Resource: "secrets", Verbs: []string{"get", "list"}, Names: []string{"a", "b"}},
		"create deployments.apps":             {APIGroup: "apps", Resource: "deployments", Verbs: []string{"create"}},
		"update deployments.apps/scale":       {APIGroup: "apps", Resource: "deployments/scale", Verbs: []string{"update"}},
		"impersonate:* * in any API group":    {APIGroup: "*", Resource: "*", Verbs: []string{"impersonate:*"}},
		"create pods/exec in any API group":   {APIGroup: "*", Resource: "pods/exec", Verbs: []string{"create"}},
		"approve signers.certificates.k8s.io": {APIGroup: "certificates.k8s.io", Resource: "signers", Verbs: []string{"approve"}},
	} {
		if got := p.String(); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
