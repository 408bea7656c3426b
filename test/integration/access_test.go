package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emrguard/emrguard/pkg/cli"
	"github.com/emrguard/emrguard/test/harness"
)

// accessReport is what the test reads of `emrguard access -o json`.
type accessReport struct {
	Holdings []struct {
		Namespace, Subject, Standing string
		Capabilities                 map[string]struct {
			Action string
			Paths  []string
		}
	}
	Differences []struct {
		User, Namespace, Request string
		RBAC, Server             bool
	}
}

// access runs the command on the live cluster.
func access(t *testing.T, args ...string) (accessReport, int) {
	t.Helper()
	binary, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := harness.WriteKubeconfig(kubeconfig, cp.AdminConfig(), "default"); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"access", "--kubeconfig", kubeconfig, "-o", "json"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	code := 0
	if err := cmd.Run(); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	var report accessReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("exit code %d: %v: %s", code, err, out.Bytes())
	}
	return report, code
}

// TestAccess asks the command about a grant that went past the guard.
func TestAccess(t *testing.T) {
	const ns = "access"
	namespace(t, ns, managed())
	for _, manifest := range []string{
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"old","namespace":"access"},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}]}`,
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"old","namespace":"access"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"old"},"subjects":[{"kind":"Group","name":"access-readers"}]}`,
	} {
		objects, err := harness.ParseManifests("grant", []byte(manifest))
		if err != nil {
			t.Fatal(err)
		}
		plant(t, planter(t), objects[0])
	}
	report, code := access(t, "-n", ns)
	if code != 1 {
		t.Errorf("exit code %d with a forbidden grant, want 1", code)
	}
	found := false
	for _, h := range report.Holdings {
		if h.Subject != "Group access-readers" {
			continue
		}
		held := h.Capabilities["rbac-secret-read"]
		found = held.Action == "deny" && slices.Contains(held.Paths, "RoleBinding access/old → Role old → rules[0]")
	}
	if !found {
		t.Errorf("the grant is not shown: %+v", report.Holdings)
	}
}

// TestAccessComparesWithTheAPIServer uses the node authorizer for what an EKS access
// policy is elsewhere: it allows what RBAC does not know of.
func TestAccessComparesWithTheAPIServer(t *testing.T) {
	const ns = "access-policy"
	namespace(t, ns, managed())
	report, _ := access(t, "-n", ns, "--submitter", "system:node:n1,system:nodes", "--submitter", "nobody-at-all")
	found := false
	for _, d := range report.Differences {
		if d.User == "nobody-at-all" {
			t.Errorf("a user who may nothing is answered otherwise than by RBAC: %+v", d)
		}
		found = found || d.User == "system:node:n1" && d.Namespace == ns && d.Request == "create pods" && d.Server && !d.RBAC
	}
	if !found {
		t.Errorf("the node authorizer lets a node create pods, RBAC does not, but the differences are %+v", report.Differences)
	}
}

// TestAuditAsksTheAPIServer has the audit report what an authorizer allows that RBAC
// does not know of.
func TestAuditAsksTheAPIServer(t *testing.T) {
	const ns = "audit-access-policy"
	namespace(t, ns, managed())
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := harness.WriteKubeconfig(kubeconfig, cp.AdminConfig(), "default"); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code := cli.Execute([]string{
		"audit", "--kubeconfig", kubeconfig, "-n", ns, "--rules", "rbac-pod-create", "-o", "json",
		"--submitter", "system:node:n1,system:nodes", "--submitter", "nobody-at-all",
	}, &out, &errOut)
	var report struct {
		Findings []struct {
			Rule, Action, Subject, Via string
			Object                     struct{ Kind, Name string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("exit code %d: %v: %s", code, err, errOut.Bytes())
	}
	found := false
	for _, f := range report.Findings {
		if f.Subject == "User nobody-at-all" {
			t.Errorf("a user who may nothing is reported: %+v", f)
		}
		found = found || f.Subject == "User system:node:n1" && f.Rule == "rbac-pod-create" && f.Action == "deny" &&
			f.Object.Kind == "Namespace" && f.Object.Name == ns && f.Via == "the API server"
	}
	if !found || code != 1 {
		t.Errorf("exit code %d, the findings are %+v", code, report.Findings)
	}
}
