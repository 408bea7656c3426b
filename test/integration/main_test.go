// Package integration proves emrguard on a real API server: etcd,
// kube-apiserver and kube-controller-manager as processes, the chart installed
// by Helm, and the webhook as a process with the rights of the chart's
// ServiceAccount. One such stage serves all tests of the package.
package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/emrguard/emrguard/test/fixtures"
	"github.com/emrguard/emrguard/test/harness"
)

const (
	// managedLabel is what the chart's emr.namespaceSelector selects.
	managedLabel = fixtures.ScopeLabel
	// everything is a group that may do everything but is no administrator's: so
	// RBAC is never what refuses a test's request.
	everything = "integration-everything"
	// patience bounds every wait. It is never what a test takes.
	patience = time.Minute
	// parallel is how many fixtures are sent at a time.
	parallel = "8"
)

// The stage.
var (
	cp    *harness.ControlPlane
	chart *harness.Chart
	guard *harness.Webhook
)

func TestMain(m *testing.M) {
	flag.Parse()
	log.SetLogger(logr.Discard()) // of envtest
	if testing.Short() {
		fmt.Println("the integration tests start a control plane: skipped with -short")
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if flag.Lookup("test.parallel").Value.String() == flag.Lookup("test.parallel").DefValue {
		if err := flag.Set("test.parallel", parallel); err != nil {
			return 1, err
		}
	}
	dir, err := os.MkdirTemp("", "emrguard-bin-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx := context.Background() // a TestMain has no test whose context it could take
	if err := build(ctx, dir); err != nil {
		return 1, err
	}
	if cp, err = harness.Start(ctx, harness.Options{}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cp.Stop()) }()
	if err := set(ctx); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// build makes the binary under test from the working tree, unless one is named.
func build(ctx context.Context, dir string) error {
	if os.Getenv(harness.EnvBinary) != "" {
		return nil
	}
	root, err := harness.RepoRoot()
	if err != nil {
		return err
	}
	binary := filepath.Join(dir, "emrguard")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/emrguard")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build emrguard: %w", err)
	}
	return os.Setenv(harness.EnvBinary, binary)
}

// set installs what the tests share.
func set(ctx context.Context) error {
	admin, err := cp.Admin()
	if err != nil {
		return err
	}
	binding, err := harness.FromObject(&rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: everything},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: everything}},
	})
	if err != nil {
		return err
	}
	if a, _ := admin.Create(ctx, binding); !a.Done() {
		return fmt.Errorf("set the stage: %s", a)
	}
	// The grants of this namespace are older than emrguard.
	if err := cp.PrepareNamespace(ctx, harness.JobNamespace); err != nil {
		return err
	}
	chart, err = cp.InstallChart(ctx, map[string]any{
		"emr": map[string]any{
			"namespaces":        []any{harness.JobNamespace},
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{managedLabel: "true"}},
		},
		// Hundreds of tests share this cluster and have the same few roles, each in a
		// namespace of its own.
		"overrides": []any{
			map[string]any{"namespaces": []any{apart + "*"}, "rules": []any{sharedRole}, "mode": "warn"},
			map[string]any{"namespaces": []any{"*"}, "rules": []any{sharedRole}, "mode": "off"},
		},
	})
	if err != nil {
		return err
	}
	if err := startGuard(ctx); err != nil {
		return err
	}
	const probe = "guard-probe"
	if err := cp.EnsureNamespace(ctx, probe, managed()); err != nil {
		return err
	}
	return guard.WaitForGuard(ctx, probe, harness.Denied)
}

// The rule that sees what other tests do, and what begins the names of namespaces
// in which it is asked all the same.
const (
	sharedRole = "cross-namespace-role"
	apart      = "apart-"
)

// startGuard starts the webhook, which looks at its configuration often.
func startGuard(ctx context.Context) (err error) {
	guard, err = cp.StartWebhook(ctx, chart, "--config-reload-interval=200ms")
	return err
}

func managed() map[string]string { return map[string]string{managedLabel: "true"} }

// namespace makes a namespace for a test.
func namespace(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	if err := cp.EnsureNamespace(t.Context(), name, labels); err != nil {
		t.Fatal(err)
	}
}

// as returns a client of somebody whom RBAC lets do everything.
func as(t *testing.T, user string, groups ...string) *harness.Client {
	t.Helper()
	c, err := cp.As(user, append(groups, everything)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func alice(t *testing.T) *harness.Client {
	t.Helper()
	return as(t, harness.Submitter, harness.SubmitterGroup)
}

// author is an administrator, who is not excused from the rules on Pods.
const author = "ann"

func administrator(t *testing.T) *harness.Client {
	t.Helper()
	return as(t, author, "system:masters")
}

const planterUser = "planter"

// planter plants what the rules forbid: an administrator who breaks the glass.
func planter(t *testing.T) *harness.Client {
	t.Helper()
	return as(t, planterUser, "system:masters", harness.BreakGlassGroup)
}

// must fails the test unless the request was carried out.
func must(t *testing.T, what string, a harness.Answer) {
	t.Helper()
	if !a.Done() {
		t.Fatalf("%s: the answer was: %s", what, a)
	}
}

// want compares the verdict of an answer.
func want(t *testing.T, what string, a harness.Answer, verdict harness.Verdict) {
	t.Helper()
	if a.Verdict != verdict {
		t.Errorf("%s: want %s, the answer was: %s", what, verdict, a)
	}
}

// account is a ServiceAccount, with the annotation of IRSA unless the role is
// empty.
func account(t *testing.T, namespace, name, roleARN string) *unstructured.Unstructured {
	t.Helper()
	sa := &corev1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
	}
	if roleARN != "" {
		sa.Annotations = map[string]string{"eks.amazonaws.com/role-arn": roleARN}
	}
	obj, err := harness.FromObject(sa)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// pod is a Pod as an account with a role, changed by the test.
func pod(t *testing.T, namespace, name string, change func(*corev1.Pod)) *unstructured.Unstructured {
	t.Helper()
	p := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: corev1.PodSpec{
			ServiceAccountName: "reader",
			Containers:         []corev1.Container{{Name: "main", Image: "public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest"}},
		},
	}
	if change != nil {
		change(p)
	}
	obj, err := harness.FromObject(p)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// onHostNetwork is a violation that no update of a Pod can add or take away.
func onHostNetwork(p *corev1.Pod) { p.Spec.HostNetwork = true }

// podNamespace makes a namespace with the account reader.
func podNamespace(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	namespace(t, name, labels)
	a, _ := planter(t).Create(t.Context(), account(t, name, "reader", harness.JobRoleARN))
	must(t, "create the account reader", a)
}
