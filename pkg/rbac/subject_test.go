package rbac

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

func TestNewSubject(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		subject   rbacv1.Subject
		namespace string
		want      Subject
		nobody    bool
	}{
		"a user":                               {subject: user("alice"), want: Subject{Kind: "User", Name: "alice"}},
		"a group":                              {subject: group("a:b/c"), want: Subject{Kind: "Group", Name: "a:b/c"}},
		"an account":                           {subject: account("n", "a"), want: Subject{Kind: "ServiceAccount", Namespace: "n", Name: "a"}},
		"an account of the binding":            {subject: account("", "a"), namespace: "b", want: Subject{Kind: "ServiceAccount", Namespace: "b", Name: "a"}},
		"an account of another namespace":      {subject: account("n", "a"), namespace: "b", want: Subject{Kind: "ServiceAccount", Namespace: "n", Name: "a"}},
		"an account without any namespace":     {subject: account("", "a"), nobody: true},
		"an account spelled as a user":         {subject: user("system:serviceaccount:n:a"), want: Subject{Kind: "ServiceAccount", Namespace: "n", Name: "a"}},
		"a user that only begins like one":     {subject: user("system:serviceaccount:n"), want: Subject{Kind: "User", Name: "system:serviceaccount:n"}},
		"a user with an empty namespace in it": {subject: user("system:serviceaccount::a"), want: Subject{Kind: "User", Name: "system:serviceaccount::a"}},
		"a group spelled like an account":      {subject: group("system:serviceaccount:n:a"), want: Subject{Kind: "Group", Name: "system:serviceaccount:n:a"}},
		"kinds are case-sensitive":             {subject: rbacv1.Subject{Kind: "user", Name: "alice"}, nobody: true},
		"no kind":                              {subject: rbacv1.Subject{Name: "alice"}, nobody: true},
		"the API group does not count":         {subject: rbacv1.Subject{Kind: "User", APIGroup: "x", Name: "alice"}, want: Subject{Kind: "User", Name: "alice"}},
		"a namespace that nobody has": {
			subject: account("n:m", "a"), want: Subject{Kind: "ServiceAccount", Namespace: "n", Name: "m:a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := NewSubject(tc.subject, tc.namespace)
			if ok == tc.nobody || got != tc.want {
				t.Errorf("got %+v, %t", got, ok)
			}
		})
	}
}

func TestSubjectNames(t *testing.T) {
	t.Parallel()
	a := ServiceAccount("emr", "spark")
	if a.UserName() != "system:serviceaccount:emr:spark" || a.String() != "ServiceAccount emr/spark" || User(a.UserName()) != a {
		t.Errorf("%s is the user %s", a, a.UserName())
	}
	same(t, "groups of an account", a.ImplicitGroups(), []string{"system:serviceaccounts", "system:serviceaccounts:emr", "system:authenticated"})
	u, g := User("alice"), Group("team")
	if u.UserName() != "alice" || u.String() != "User alice" || g.UserName() != "" || g.String() != "Group team" {
		t.Errorf("%s, %s", u, g)
	}
	if u.ImplicitGroups() != nil || g.ImplicitGroups() != nil {
		t.Error("only accounts are in groups by their nature")
	}
}
