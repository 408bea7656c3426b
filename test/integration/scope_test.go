package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/emrguard/emrguard/test/harness"
)

// waitFor polls with dry runs until a request of the submitter has a verdict:
// emrguard learns of indicators by its informers.
func waitFor(t *testing.T, what string, obj *unstructured.Unstructured, verdict harness.Verdict) harness.Answer {
	t.Helper()
	var a harness.Answer
	err := harness.WaitFor(t.Context(), what, patience, func(ctx context.Context) error {
		if a, _ = alice(t).Create(ctx, obj, harness.DryRun); a.Verdict != verdict {
			return errors.New("the answer was: " + a.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestScope proves which namespaces are guarded, and by which entry of the
// webhook configuration.
func TestScope(t *testing.T) {
	ctx := t.Context()
	t.Run("by name", func(t *testing.T) {
		namespace(t, harness.JobNamespace, nil)
		a := waitFor(t, "a denial", pod(t, harness.JobNamespace, "violating", func(p *corev1.Pod) {
			onHostNetwork(p)
			p.Spec.ServiceAccountName = "default"
		}), harness.Denied)
		if a.Webhook != "managed.emrguard.dev" {
			t.Errorf("denied by %s", a.Webhook)
		}
	})
	t.Run("by label", func(t *testing.T) {
		podNamespace(t, "scope-label", managed())
		if a := waitFor(t, "a denial", pod(t, "scope-label", "violating", onHostNetwork), harness.Denied); a.Webhook != "managed-label.emrguard.dev" {
			t.Errorf("denied by %s", a.Webhook)
		}
	})
	t.Run("by a RoleBinding to EMR", func(t *testing.T) {
		podNamespace(t, "scope-binding", nil)
		violating := pod(t, "scope-binding", "violating", onHostNetwork)
		waitFor(t, "a namespace without indicators to be left alone", violating, harness.Allowed)
		binding, err := harness.FromObject(&rbacv1.RoleBinding{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
			ObjectMeta: metav1.ObjectMeta{Name: "emr-containers", Namespace: "scope-binding"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "emr-containers"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: harness.EMRUser}},
		})
		if err != nil {
			t.Fatal(err)
		}
		plant(t, planter(t), binding)
		if a := waitFor(t, "a denial", violating, harness.Denied); a.Webhook != "cluster.emrguard.dev" {
			t.Errorf("denied by %s", a.Webhook)
		}
		must(t, "delete the RoleBinding", planter(t).Delete(ctx, binding))
		waitFor(t, "the namespace to be left alone again", violating, harness.Allowed)
	})
	t.Run("by a managed ServiceAccount", func(t *testing.T) {
		podNamespace(t, "scope-account", nil)
		violating := pod(t, "scope-account", "violating", onHostNetwork)
		waitFor(t, "a namespace without indicators to be left alone", violating, harness.Allowed)
		plant(t, planter(t), account(t, "scope-account", harness.ManagedAccount("driver"), harness.JobRoleARN))
		if a := waitFor(t, "a denial", violating, harness.Denied); a.Webhook != "cluster.emrguard.dev" {
			t.Errorf("denied by %s", a.Webhook)
		}
	})
}

// TestElsewhere proves that a namespace which is not EMR's is left alone, but
// for what concerns every namespace.
func TestElsewhere(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "elsewhere", nil)
	violating := pod(t, "elsewhere", "violating", func(p *corev1.Pod) {
		onHostNetwork(p)
		p.Annotations = map[string]string{"iam.amazonaws.com/role": "admin"}
		p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "AWS_ACCESS_KEY_ID", Value: "AKIAIOSFODNN7EXAMPLE"}}
	})
	a, _ := alice(t).Create(ctx, violating)
	want(t, "a Pod that would violate everything", a, harness.Allowed)
	if annotations, _ := recorded(auditEvent(t, "the Pod", about(harness.Submitter, "create", "elsewhere", "violating"))); len(annotations) > 0 {
		t.Errorf("the audit log has %q", annotations)
	}
	a, _ = alice(t).Create(ctx, account(t, "elsewhere", "notebook", "arn:aws:iam::123456789012:role/NotebookRole"))
	want(t, "an account with a role", a, harness.Allowed)

	a, _ = alice(t).Create(ctx, kube2iam("elsewhere"))
	want(t, "kube2iam", a, harness.Warned)
	if warnings := told(a); len(warnings) != 1 || !harness.NamesRule(warnings[0], "kube2iam-kiam-daemonset") {
		t.Errorf("the warnings are %q", a.Warnings)
	}
	a, _ = planter(t).Create(ctx, kube2iam("kube-system"))
	want(t, "kube2iam in kube-system, which the chart leaves out", a, harness.Allowed)
}

func kube2iam(namespace string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "DaemonSet",
		"metadata": map[string]any{"name": "kube2iam", "namespace": namespace},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"app": "kube2iam"}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"app": "kube2iam"}},
				"spec": map[string]any{
					"hostNetwork": true,
					"containers":  []any{map[string]any{"name": "kube2iam", "image": "jtblin/kube2iam:0.11.2", "args": []any{"--iptables=true"}}},
				},
			},
		},
	}}
}

// TestNamespaceDeletion proves that a namespace goes with all that is in it.
func TestNamespaceDeletion(t *testing.T) {
	const name = "deleted"
	ctx := t.Context()
	podNamespace(t, name, managed())
	emr := as(t, harness.EMRUser)
	for _, component := range []string{"client", "driver", "executor"} {
		a, _ := emr.Create(ctx, account(t, name, harness.ManagedAccount(component), harness.JobRoleARN))
		want(t, "create an account of EMR", a, harness.Allowed)
	}
	plant(t, planter(t), pod(t, name, "violating", onHostNetwork))
	if err := cp.Clientset().CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	err := harness.WaitFor(ctx, "the namespace to be gone", patience, func(ctx context.Context) error {
		ns, err := cp.Clientset().CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("it is %s: %v", ns.Status.Phase, ns.Status.Conditions)
	})
	if err != nil {
		t.Fatal(err)
	}
	controller := harness.ServiceAccountUser("kube-system", "namespace-controller")
	events, err := cp.AuditEvents(func(e *auditv1.Event) bool { return userOf(e) == controller && namespaceOf(e) == name })
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		t.Error("the namespace controller did nothing: what was this test about?")
	}
	for i := range events {
		if annotations, _ := recorded(&events[i]); len(annotations) > 0 {
			t.Errorf("%s: the audit log has %q", events[i].RequestURI, annotations)
		}
	}
}
