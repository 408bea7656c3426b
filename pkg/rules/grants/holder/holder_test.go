package holder_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/holder"
)

func settings(t *testing.T) rule.Settings {
	t.Helper()
	set := func(names ...string) pattern.Set {
		s, err := pattern.ParseSet(names)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	jobs, err := emr.ParseJobAccounts([]string{"flink"})
	if err != nil {
		t.Fatal(err)
	}
	return rule.Settings{
		JobAccounts: jobs, EMRUsers: set("emr-containers"), Administrators: set("root"), AdminGroups: []string{"admins"}, Trusted: set("system:serviceaccount:tools:*"),
		BreakGlass: []string{"break-glass"}, BreakGlassUsers: set("ann"), BreakGlassUserGroups: []string{"on-call", "system:authenticated"},
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	s := settings(t)
	managed := func(namespace string) bool { return namespace == "emr-jobs" || namespace == "emr-more" }
	secrets := []rbac.Permission{{Resource: "secrets", Verbs: []string{"get"}}}
	glass := []rbac.Permission{{Resource: "groups", Verbs: []string{"impersonate"}, Names: []string{"break-glass"}}, {Resource: "users", Verbs: []string{"impersonate"}, Names: []string{"ann"}}}
	wider := []rbac.Permission{{Resource: "groups", Verbs: []string{"impersonate"}}}
	binding := func(kind, name, role string) rbac.Path {
		return rbac.Path{Binding: rbac.ObjectRef{Kind: kind, Name: name}, Role: rbac.ObjectRef{Kind: rbac.KindClusterRole, Name: role}}
	}
	shipped := binding(rbac.KindClusterRoleBinding, "system:monitoring", "system:monitoring")
	livy := []rbac.Permission{{Resource: "configmaps", Verbs: []string{"create"}}}
	for name, c := range map[string]struct {
		subject     rbac.Subject
		namespace   string
		permissions []rbac.Permission
		paths       []rbac.Path
		want        holder.Kind
	}{
		"a user":                         {rbac.User("mallory"), "emr-jobs", secrets, nil, holder.Submitter},
		"a group":                        {rbac.Group("team"), "emr-jobs", secrets, nil, holder.Submitter},
		"an account":                     {rbac.ServiceAccount("emr-jobs", "etl"), "emr-jobs", secrets, nil, holder.Submitter},
		"EMR":                            {rbac.User("emr-containers"), "emr-jobs", secrets, nil, holder.Trusted},
		"an administrator":               {rbac.User("root"), "", secrets, nil, holder.Trusted},
		"administrators":                 {rbac.Group("admins"), "", secrets, nil, holder.Trusted},
		"masters":                        {rbac.Group("system:masters"), "", secrets, nil, holder.Trusted},
		"everybody":                      {rbac.Group("system:authenticated"), "emr-jobs", secrets, nil, holder.Submitter},
		"an account of kube-system":      {rbac.ServiceAccount("kube-system", "x"), "emr-jobs", secrets, nil, holder.Trusted},
		"a trusted account":              {rbac.ServiceAccount("tools", "x"), "emr-jobs", secrets, nil, holder.Trusted},
		"an account elsewhere":           {rbac.ServiceAccount("web", "x"), "emr-jobs", secrets, nil, holder.Platform},
		"a job account":                  {rbac.ServiceAccount("emr-jobs", "flink"), "emr-jobs", secrets, nil, holder.JobAccount},
		"a job account, elsewhere":       {rbac.ServiceAccount("emr-jobs", "flink"), "emr-more", secrets, nil, holder.ForeignJobAccount},
		"a job account, everywhere":      {rbac.ServiceAccount("emr-jobs", "flink"), "", secrets, nil, holder.ForeignJobAccount},
		"a user with that name":          {rbac.User("flink"), "emr-jobs", secrets, nil, holder.Submitter},
		"by a binding of Kubernetes":     {rbac.Group("system:monitoring"), "", secrets, []rbac.Path{shipped}, holder.Trusted},
		"by another binding, too":        {rbac.Group("system:monitoring"), "", secrets, []rbac.Path{shipped, binding(rbac.KindClusterRoleBinding, "x", "x")}, holder.Submitter},
		"by no binding":                  {rbac.Group("system:monitoring"), "", secrets, nil, holder.Submitter},
		"may break the glass":            {rbac.User("ann"), "", glass, nil, holder.Trusted},
		"may break the glass, by group":  {rbac.Group("on-call"), "", glass, nil, holder.Trusted},
		"everybody breaks the glass":     {rbac.Group("system:authenticated"), "", glass, nil, holder.Submitter},
		"breaks more than the glass":     {rbac.User("ann"), "", wider, nil, holder.Submitter},
		"somebody else breaks the glass": {rbac.User("mallory"), "", glass, nil, holder.Submitter},
		"Livy, as published":             {rbac.ServiceAccount("emr-jobs", "emr-containers-sa-livy"), "emr-jobs", livy, []rbac.Path{binding(rbac.KindRoleBinding, "livy", "livy")}, holder.Platform},
		"Livy, beyond it":                {rbac.ServiceAccount("emr-jobs", "emr-containers-sa-livy"), "emr-jobs", secrets, nil, holder.JobAccount},
		"Livy, everywhere":               {rbac.ServiceAccount("emr-jobs", "emr-containers-sa-livy"), "", livy, []rbac.Path{binding(rbac.KindClusterRoleBinding, "livy", "livy")}, holder.ForeignJobAccount},
	} {
		g := holder.Holding{Subject: c.subject, Namespace: c.namespace, Permissions: c.permissions, Paths: func() []rbac.Path { return c.paths }}
		if got := holder.KindOf(s, g, managed); got != c.want {
			t.Errorf("%s is a %s, want a %s", name, got, c.want)
		}
		// What is said of somebody alone agrees with it, unless it says that it depends; a
		// job account is one wherever it is looked at.
		alone, single := holder.KindAlone(s, c.subject, managed)
		if same := alone == c.want || alone == holder.JobAccount && c.want == holder.ForeignJobAccount; !single && !same {
			t.Errorf("%s alone is a %s, want a %s", name, alone, c.want)
		}
	}
}
