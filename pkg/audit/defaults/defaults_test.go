package defaults_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/emrguard/emrguard/pkg/audit/defaults"
)

// The aggregates hold what the aggregation controller fills in.
func TestDefaultsAreWhole(t *testing.T) {
	t.Parallel()
	objects, err := defaults.Objects()
	if err != nil {
		t.Fatal(err)
	}
	roles, bindings := map[string]*rbacv1.ClusterRole{}, map[string]*rbacv1.ClusterRoleBinding{}
	counts := map[string]int{}
	for _, obj := range objects {
		switch o := obj.(type) {
		case *rbacv1.ClusterRole:
			roles[o.Name] = o
			counts[o.Kind]++
		case *rbacv1.ClusterRoleBinding:
			bindings[o.Name] = o
			counts[o.Kind]++
			if role := roles[o.RoleRef.Name]; role == nil {
				t.Errorf("ClusterRoleBinding %s binds to %s, which is not there, or comes later", o.Name, o.RoleRef.Name)
			}
		case *rbacv1.Role:
			counts[o.Kind]++
			if o.Namespace == "" {
				t.Errorf("Role %s has no namespace", o.Name)
			}
		case *rbacv1.RoleBinding:
			counts[o.Kind]++
			if o.Namespace == "" {
				t.Errorf("RoleBinding %s has no namespace", o.Name)
			}
		}
	}
	for kind, least := range map[string]int{"ClusterRole": 70, "ClusterRoleBinding": 50, "Role": 7, "RoleBinding": 7} {
		if counts[kind] < least {
			t.Errorf("there are %d objects %s, want at least %d", counts[kind], kind, least)
		}
	}
	for name, want := range map[string]struct{ resource, verb string }{
		"view": {"configmaps", "list"}, "edit": {"pods/exec", "create"}, "admin": {"rolebindings", "create"}, "cluster-admin": {"*", "*"},
		"system:auth-delegator": {"tokenreviews", "create"}, "eks:node-bootstrapper": {"certificatesigningrequests/selfnodeserver", "create"},
	} {
		role := roles[name]
		if role == nil || !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
			return slices.Contains(r.Resources, want.resource) && slices.Contains(r.Verbs, want.verb)
		}) {
			t.Errorf("ClusterRole %s does not grant %s of %s", name, want.verb, want.resource)
		}
	}
	for _, name := range []string{"view", "edit", "admin"} {
		if roles[name].AggregationRule == nil {
			t.Errorf("ClusterRole %s aggregates nothing", name)
		}
	}
	if b := bindings["cluster-admin"]; b == nil || b.Subjects[0].Name != "system:masters" {
		t.Errorf("ClusterRoleBinding cluster-admin is %+v", b)
	}
}

// The data are those of the control plane that the tests run, and the documentation
// names its version: `make generate` writes them.
func TestVersionOfTheDefaults(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../../test/kube/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^\tk8s\.io/kubernetes (v[0-9.]+)`).FindSubmatch(mod)
	if version == nil {
		t.Fatal("test/kube/go.mod names no version of k8s.io/kubernetes")
	}
	files, err := filepath.Glob("kubernetes-*.json")
	if err != nil || len(files) != 1 || files[0] != "kubernetes-"+string(version[1])+".json" {
		t.Errorf("the files are %q, %v; the control plane is %s: run make generate", files, err, version[1])
	}
	page, err := os.ReadFile("../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`those of Kubernetes ` + regexp.QuoteMeta(string(version[1][1:])) + ` `).Match(page) {
		t.Errorf("docs/cli.md does not say that the defaults are those of Kubernetes %s", version[1][1:])
	}
}
