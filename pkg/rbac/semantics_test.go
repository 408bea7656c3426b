package rbac

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// TestSemantics has a case for each point that tools get wrong about RBAC: what
// is gained by a change, as `subject | namespace | capability | permissions`.
func TestSemantics(t *testing.T) {
	t.Parallel()
	alice := user("alice")
	for name, tc := range map[string]struct {
		exists []kruntime.Object
		change Change
		want   []string
	}{
		"01 wildcard resources are subresources, too": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("create", "-", "*"))},
			want: []string{
				"User alice | emr | configmaps | create configmaps",
				"User alice | emr | exec | create pods/exec; create pods/attach",
				"User alice | emr | escalation | create serviceaccounts/token",
			},
		},
		"01 */exec grants exec": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("create", "-", "*/exec"))},
			want:   []string{"User alice | emr | exec | create pods/exec"},
		},
		"01 pods/* and */* grant nothing": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("*", "*", "pods/*,*/*,configmaps/*"))},
		},
		"01 pods does not include pods/exec": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("create,get", "-", "pods"))},
		},
		"02 wildcard groups include the core group": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "*", "secrets"))},
			want:   []string{"User alice | emr | secrets | get secrets"},
		},
		"02 another group is another resource": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("*", "apps,metrics.k8s.io", "secrets,configmaps,pods/exec"))},
			want: []string{
				"User alice | emr | escalation | impersonate-on:* configmaps.apps; impersonate-on:* pods.apps/exec; impersonate-on:* secrets.apps; " +
					"impersonate-on:* configmaps.metrics.k8s.io; impersonate-on:* pods.metrics.k8s.io/exec; impersonate-on:* secrets.metrics.k8s.io",
			},
		},
		"02 the verb wildcard holds verbs that no list has": {
			change: Change{New: bindCluster("b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("*", "-", "users"))},
			want: []string{
				"User alice |  | escalation | impersonate users",
				"User alice | emr | escalation | impersonate-on:* users",
				"User alice | emr-2 | escalation | impersonate-on:* users",
			},
		},
		"02 eight verbs are not the wildcard": {
			change: Change{New: bindCluster("b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("get,list,watch,create,update,patch,delete,deletecollection", "-", "users"))},
		},
		"03 a named get and list still read": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get,list", "-", "secrets", "a"))},
			want:   []string{"User alice | emr | secrets | get, list secrets named a"},
		},
		"03 create and deletecollection never match a name": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("create,deletecollection", "-", "configmaps", "a"))},
		},
		"03 create of a named subresource does": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("create", "-", "serviceaccounts/token,pods/exec", "a"))},
			want: []string{
				"User alice | emr | exec | create pods/exec named a",
				"User alice | emr | escalation | create serviceaccounts/token named a",
			},
		},
		"03 the empty name is create, list and watch of everything": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get,list,create,update,deletecollection", "-", "secrets,configmaps", ""))},
			want: []string{
				"User alice | emr | configmaps | create, deletecollection configmaps",
				"User alice | emr | secrets | list secrets",
			},
		},
		"04 paths are no capability": {
			change: Change{New: bindCluster("b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", urlRule("*", "*"))},
		},
		"05 an account without namespace is one of the RoleBinding's": {
			change: Change{New: bind("emr", "b", "Role/r", account("", "sa"))},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "secrets"))},
			want:   []string{"ServiceAccount emr/sa | emr | secrets | get secrets"},
		},
		"05 an account without namespace in a ClusterRoleBinding is nobody": {
			change: Change{New: bindCluster("b", "ClusterRole/r", account("", "sa"))},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "secrets"))},
		},
		"05 an account of another namespace": {
			change: Change{New: bind("emr", "b", "Role/r", account("ci", "sa"))},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "secrets"))},
			want:   []string{"ServiceAccount ci/sa | emr | secrets | get secrets"},
		},
		"05 a user spelled as an account is that account, which holds it already": {
			change: Change{New: bind("emr", "b", "Role/r", user("system:serviceaccount:emr:sa"))},
			exists: []kruntime.Object{
				newRole("emr", "r", rule("get", "-", "secrets")),
				bind("emr", "old", "Role/r", account("", "sa")),
			},
		},
		"05 a user spelled as an account is named as the account": {
			change: Change{New: bind("emr", "b", "Role/r", user("system:serviceaccount:emr:sa"))},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "secrets"))},
			want:   []string{"ServiceAccount emr/sa | emr | secrets | get secrets"},
		},
		"05 an account holds what its groups hold": {
			change: Change{New: bind("emr", "b", "Role/r", account("emr", "a"), account("ci", "b"))},
			exists: []kruntime.Object{
				newRole("emr", "r", rule("get,create", "-", "secrets,configmaps,pods/exec")),
				newRole("emr", "some", rule("get", "-", "secrets")),
				newRole("emr", "more", rule("create", "-", "configmaps")),
				newRole("emr", "most", rule("get", "-", "pods/exec")),
				bind("emr", "1", "Role/some", group("system:serviceaccounts")),
				bind("emr", "2", "Role/more", group("system:serviceaccounts:emr")),
				bind("emr", "3", "Role/most", group("system:authenticated")),
			},
			want: []string{
				"ServiceAccount ci/b | emr | configmaps | create configmaps",
				"ServiceAccount ci/b | emr | exec | create pods/exec",
				"ServiceAccount emr/a | emr | exec | create pods/exec",
			},
		},
		"05 users and groups are compared as they are written": {
			change: Change{New: bind("emr", "b", "Role/r", alice, group("team"))},
			exists: []kruntime.Object{
				newRole("emr", "r", rule("get", "-", "secrets")),
				bind("emr", "1", "Role/r", group("system:authenticated")),
			},
			want: []string{"Group team | emr | secrets | get secrets", "User alice | emr | secrets | get secrets"},
		},
		"05 the system groups gain like everybody": {
			change: Change{New: bindCluster("b", "ClusterRole/r", group("system:unauthenticated"), group("system:masters"))},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "secrets"))},
			want: []string{
				"Group system:masters | emr | secrets | get secrets",
				"Group system:masters | emr-2 | secrets | get secrets",
				"Group system:unauthenticated | emr | secrets | get secrets",
				"Group system:unauthenticated | emr-2 | secrets | get secrets",
			},
		},
		"06 a ClusterRole bound by a RoleBinding grants in its namespace only": {
			change: Change{New: bind("emr", "b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "secrets"))},
			want:   []string{"User alice | emr | secrets | get secrets"},
		},
		"06 cluster-scoped resources are void in a RoleBinding": {
			change: Change{New: bind("emr", "b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("create,impersonate,get", "*", "mutatingwebhookconfigurations,users,nodes/proxy"))},
		},
		"06 and count in a ClusterRoleBinding": {
			change: Change{New: bindCluster("b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("create,impersonate,get", "*", "mutatingwebhookconfigurations,users,nodes/proxy"))},
			want: []string{
				"User alice |  | exec | create, get, impersonate nodes/proxy",
				"User alice |  | webhooks | create mutatingwebhookconfigurations.admissionregistration.k8s.io",
				"User alice |  | escalation | impersonate users",
			},
		},
		"06 a RoleBinding grants its own Namespace object": {
			change: Change{New: bind("emr", "b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("patch", "-", "namespaces"))},
			want:   []string{"User alice | emr | escalation | patch namespaces"},
		},
		"06 named namespaces count where they are": {
			change: Change{New: bindCluster("b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("patch", "-", "namespaces", "emr-2", "other"))},
			want:   []string{"User alice | emr-2 | escalation | patch namespaces"},
		},
		"06 another namespace is not asked for": {
			change: Change{New: bind("other", "b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "secrets"))},
		},
		"06 a Role in a ClusterRoleBinding grants nothing": {
			change: Change{New: bindCluster("b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "secrets")), newClusterRole("r", rule("get", "-", "secrets"))},
		},
		"07 a role that appears grants to those who were bound before": {
			change: Change{New: newRole("emr", "r", rule("get", "-", "secrets"))},
			exists: []kruntime.Object{bind("emr", "b", "Role/r", alice), bind("emr-2", "b", "Role/r", alice)},
			want:   []string{"User alice | emr | secrets | get secrets"},
		},
		"07 a ClusterRole that appears, too": {
			change: Change{New: newClusterRole("r", rule("get", "-", "secrets"))},
			exists: []kruntime.Object{bind("emr", "b", "ClusterRole/r", alice), bindCluster("c", "ClusterRole/r", group("team"))},
			want: []string{
				"Group team | emr | secrets | get secrets",
				"Group team | emr-2 | secrets | get secrets",
				"User alice | emr | secrets | get secrets",
			},
		},
		"08 a ClusterRole joins an aggregate by its label": {
			change: Change{
				Old: newClusterRole("mine", rule("get", "-", "secrets")),
				New: labelled(newClusterRole("mine", rule("get", "-", "secrets")), "to-admin"),
			},
			exists: []kruntime.Object{
				newClusterRole("mine", rule("get", "-", "secrets")),
				aggregating(newClusterRole("admin"), "to-admin"),
				bind("emr", "b", "ClusterRole/admin", alice),
			},
			want: []string{"User alice | emr | secrets | get secrets"},
		},
		"08 the same through another aggregate": {
			change: Change{New: labelled(newClusterRole("mine", rule("get", "-", "secrets")), "to-view")},
			exists: []kruntime.Object{
				labelled(aggregating(newClusterRole("view"), "to-view"), "to-edit"),
				labelled(aggregating(newClusterRole("edit"), "to-edit"), "to-admin"),
				aggregating(newClusterRole("admin"), "to-admin"),
				bind("emr", "b", "ClusterRole/admin", alice),
			},
			want: []string{"User alice | emr | secrets | get secrets"},
		},
		"08 an aggregationRule is changed": {
			change: Change{
				Old: aggregating(newClusterRole("admin"), "to-admin"),
				New: aggregating(newClusterRole("admin"), "to-admin", "secret"),
			},
			exists: []kruntime.Object{
				labelled(newClusterRole("secret-reader", rule("get", "-", "secrets")), "secret"),
				aggregating(newClusterRole("admin"), "to-admin"),
				bind("emr", "b", "ClusterRole/admin", alice),
			},
			want: []string{"User alice | emr | secrets | get secrets"},
		},
		"08 the controller fills in what was judged before": {
			change: Change{
				Old: aggregating(newClusterRole("admin"), "to-admin"),
				New: aggregating(newClusterRole("admin", rule("get", "-", "secrets")), "to-admin"),
			},
			exists: []kruntime.Object{
				labelled(newClusterRole("mine", rule("get", "-", "secrets")), "to-admin"),
				aggregating(newClusterRole("admin"), "to-admin"),
				bind("emr", "b", "ClusterRole/admin", alice),
			},
		},
		"08 somebody writes rules into an aggregate": {
			change: Change{
				Old: aggregating(newClusterRole("admin"), "to-admin"),
				New: aggregating(newClusterRole("admin", rule("get", "-", "secrets")), "to-admin"),
			},
			exists: []kruntime.Object{
				aggregating(newClusterRole("admin"), "to-admin"),
				bind("emr", "b", "ClusterRole/admin", alice),
			},
			want: []string{"User alice | emr | secrets | get secrets"},
		},
		"08 a rule of a labelled ClusterRole is widened": {
			change: Change{
				Old: labelled(newClusterRole("mine", rule("get", "-", "pods")), "to-admin"),
				New: labelled(newClusterRole("mine", rule("get", "-", "pods,secrets")), "to-admin"),
			},
			exists: []kruntime.Object{
				labelled(newClusterRole("mine", rule("get", "-", "pods")), "to-admin"),
				aggregating(newClusterRole("admin", rule("get", "-", "pods")), "to-admin"),
				bindCluster("b", "ClusterRole/admin", alice),
			},
			want: []string{"User alice | emr | secrets | get secrets", "User alice | emr-2 | secrets | get secrets"},
		},
		"08 binding an aggregate whose rules are not filled in yet": {
			change: Change{New: bind("emr", "b", "ClusterRole/admin", alice)},
			exists: []kruntime.Object{
				labelled(newClusterRole("mine", rule("get", "-", "secrets")), "to-admin"),
				aggregating(newClusterRole("admin"), "to-admin"),
			},
			want: []string{"User alice | emr | secrets | get secrets"},
		},
		"09 escalate and bind on a role are verbs like others": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("escalate,bind", "rbac.authorization.k8s.io", "roles"))},
		},
		"10 constrained impersonation": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("impersonate-on:user-info:list,impersonate", "-", "pods"))},
			want:   []string{"User alice | emr | escalation | impersonate-on:user-info:list pods"},
		},
		"11 get is exec, too": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "pods/exec"))},
			want:   []string{"User alice | emr | exec | get pods/exec"},
		},
		"12 get of nodes/proxy is enough": {
			change: Change{New: bindCluster("b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "nodes/proxy,nodes/metrics"))},
			want:   []string{"User alice |  | exec | get nodes/proxy"},
		},
		"12 nodes is not nodes/proxy": {
			change: Change{New: bindCluster("b", "ClusterRole/r", alice)},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "nodes"), rule("get", "-", "nodes/stats"))},
		},

		"mistake of kubectl-who-can: a wildcard before a subresource": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "*/attach"))},
			want:   []string{"User alice | emr | exec | get pods/attach"},
		},
		"mistake of rbac-police: get of pods/exec": {
			change: Change{New: bind("emr", "b", "Role/r", account("emr", "unused"))},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "pods/exec"))},
			want:   []string{"ServiceAccount emr/unused | emr | exec | get pods/exec"},
		},
		"mistake of rbac-police: watch, inside of a namespace, by name": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("watch", "-", "secrets", "a"))},
			want:   []string{"User alice | emr | secrets | watch secrets named a"},
		},
		"mistake of KubiScan: one verb, one group": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("deletecollection", "-", "configmaps"))},
			want:   []string{"User alice | emr | configmaps | deletecollection configmaps"},
		},
		"mistake of rbac-tool: a wildcard resource has subresources": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "*"))},
			want: []string{
				"User alice | emr | exec | get pods/exec; get pods/attach",
				"User alice | emr | secrets | get secrets",
			},
		},
		"mistake of rbac-tool: list without get": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("list", "-", "secrets"))},
			want:   []string{"User alice | emr | secrets | list secrets"},
		},
		"mistake of Polaris: names that begin with system": {
			change: Change{New: bindCluster("system:b", "ClusterRole/system:r", user("system:alice"))},
			exists: []kruntime.Object{newClusterRole("system:r", rule("update", "*", "mutatingwebhookconfigurations"))},
			want:   []string{"User system:alice |  | webhooks | update mutatingwebhookconfigurations.admissionregistration.k8s.io"},
		},
		"mistake of Polaris: all verbs in two rules": {
			change: Change{New: bind("emr", "b", "Role/r", alice)},
			exists: []kruntime.Object{newRole("emr", "r", rule("get", "-", "secrets"), rule("list,watch", "-", "secrets"))},
			want:   []string{"User alice | emr | secrets | get, list, watch secrets"},
		},
		"mistake of kube-linter: the role is in no file": {
			change: Change{New: bind("emr", "b", "ClusterRole/edit", alice)},
			exists: []kruntime.Object{newClusterRole("edit", rule("create", "-", "configmaps"))},
			want:   []string{"User alice | emr | configmaps | create configmaps"},
		},
		"mistake of Kyverno: RoleBindings of other namespaces": {
			change: Change{New: newClusterRole("r", rule("get", "-", "secrets"))},
			exists: []kruntime.Object{bind("elsewhere", "b", "ClusterRole/r", alice)},
		},

		"of another API group": {
			change: Change{New: &rbacv1.RoleBinding{
				ObjectMeta: bind("emr", "b", "").ObjectMeta, Subjects: []rbacv1.Subject{alice},
				RoleRef: rbacv1.RoleRef{APIGroup: "example.com", Kind: "ClusterRole", Name: "r"},
			}},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "secrets"))},
		},
		"without an API group, as in a file": {
			change: Change{New: &rbacv1.RoleBinding{
				ObjectMeta: bind("emr", "b", "").ObjectMeta, Subjects: []rbacv1.Subject{alice},
				RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "r"},
			}},
			exists: []kruntime.Object{newClusterRole("r", rule("get", "-", "secrets"))},
			want:   []string{"User alice | emr | secrets | get secrets"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gainsOf(t, storeOf(t, tc.exists...), tc.change)
			same(t, "gains", say(r.Gains), tc.want)
			if len(r.Latent) > 0 {
				t.Errorf("latent: %+v", r.Latent)
			}
		})
	}
}
