package chart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/test/harness"
)

const onCall = "emr.namespaces={emr-jobs},breakGlass.users={oncall,oncall-*},breakGlass.userGroups={sre},breakGlassBinding.create=true"

// TestBreakGlassCanBeSetUp: the binding that the chart makes is one that emrguard, with
// the configuration that the chart makes, accepts; and it would not without.
func TestBreakGlassCanBeSetUp(t *testing.T) {
	t.Parallel()
	rendered := render(t, "helm3", "--set", onCall)
	role := object[rbacv1.ClusterRole](t, rendered, "ClusterRole/emrguard-break-glass")
	binding := object[rbacv1.ClusterRoleBinding](t, rendered, "ClusterRoleBinding/emrguard-break-glass")
	if len(binding.Subjects) != 2 || binding.Subjects[0].Name != "oncall" || binding.Subjects[1].Name != "sre" {
		t.Errorf("the subjects are %v, want the user who is no pattern and the group", binding.Subjects)
	}
	config := object[corev1.ConfigMap](t, rendered, "ConfigMap/emrguard").Data["config.yaml"]
	for name, c := range map[string]struct {
		config string
		code   int
	}{
		"people on call are named": {config, 0},
		"nobody is named":          {strings.NewReplacer("- oncall-*", "", "- oncall", "- somebody", "- sre", "- somebodies").Replace(config), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			// The group itself is past every refusal and may hold what it takes.
			rights := &rbacv1.ClusterRoleBinding{
				TypeMeta: binding.TypeMeta, ObjectMeta: metav1.ObjectMeta{Name: "break-glass-rights"},
				RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
				Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "emrguard:break-glass"}},
			}
			for file, content := range map[string]any{"role.yaml": role, "binding.yaml": binding, "rights.yaml": rights} {
				raw, err := yaml.Marshal(content)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), raw, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(path, []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			binary, err := harness.Binary()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), binary, "check", "--config", path, dir)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, want %d:\n%s", code, c.code, out)
			}
		})
	}
}

// TestBreakGlassForNobodyIsRefused: a binding without subjects would look like one that
// works.
func TestBreakGlassForNobodyIsRefused(t *testing.T) {
	t.Parallel()
	for _, values := range []string{"breakGlassBinding.create=true", "breakGlassBinding.create=true,breakGlass.users={oncall-*}"} {
		_, err := templateFolder(t, "helm3", chart, "--set", values)
		if err == nil || !strings.Contains(err.Error(), "breakGlass.userGroups") {
			t.Errorf("%s: %v", values, err)
		}
	}
}
