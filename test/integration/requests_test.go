package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/emrguard/emrguard/test/harness"
)

// TestDryRun proves that a server-side dry run gets the answer of the real
// request and leaves nothing behind.
func TestDryRun(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "dry-run", managed())
	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		want   harness.Verdict
	}{
		"denied":  {onHostNetwork, harness.Denied},
		"warned":  {func(p *corev1.Pod) { p.Spec.ServiceAccountName = "default" }, harness.Warned},
		"allowed": {nil, harness.Allowed},
	} {
		t.Run(name, func(t *testing.T) {
			obj := pod(t, "dry-run", name, c.change)
			dry, _ := administrator(t).Create(ctx, obj, harness.DryRun)
			want(t, "the dry run", dry, c.want)
			if _, err := administrator(t).Get(ctx, obj); !apierrors.IsNotFound(err) {
				t.Errorf("the dry run left the Pod behind: %v", err)
			}
			done, _ := administrator(t).Create(ctx, obj)
			if done.String() != dry.String() {
				t.Errorf("the dry run's answer: %s\nthe real one: %s", dry, done)
			}
			e := auditEvent(t, "the dry run", func(e *auditv1.Event) bool {
				return about(author, "create", "dry-run", name)(e) && strings.Contains(e.RequestURI, "dryRun=All")
			})
			annotations, _ := recorded(e)
			if recordedReal, _ := recorded(auditEvent(t, "the real request", func(e *auditv1.Event) bool {
				return about(author, "create", "dry-run", name)(e) && !strings.Contains(e.RequestURI, "dryRun")
			})); !maps.Equal(annotations, recordedReal) {
				t.Errorf("recorded of the dry run: %q, of the real request: %q", annotations, recordedReal)
			}
		})
	}
}

// TestFinalizerRemoval proves that an object which only waits for its finalizer
// can go, whatever is wrong with it.
func TestFinalizerRemoval(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "finalizer", managed())
	violating := pod(t, "finalizer", "violating", func(p *corev1.Pod) {
		onHostNetwork(p)
		p.Finalizers = []string{"example.com/cleanup"}
	})
	managedAccount := account(t, "finalizer", harness.ManagedAccount("driver"), "arn:aws:iam::123456789012:role/Other")
	managedAccount.SetFinalizers([]string{"example.com/cleanup"})
	for _, obj := range []*unstructured.Unstructured{violating, managedAccount} {
		plant(t, planter(t), obj)
		must(t, "delete", planter(t).Delete(ctx, obj))
		a, _ := alice(t).Patch(ctx, obj, types.MergePatchType, `{"metadata":{"finalizers":null}}`)
		want(t, "remove the finalizer of "+obj.GetKind(), a, harness.Allowed)
		if _, err := alice(t).Get(ctx, obj); !apierrors.IsNotFound(err) {
			t.Errorf("%s is still there: %v", obj.GetKind(), err)
		}
	}
}

// TestKubelet proves that what happens to a running Pod from the side of its
// node is never hindered.
func TestKubelet(t *testing.T) {
	const node = "node-1"
	ctx := t.Context()
	podNamespace(t, "kubelet", managed())
	violating := pod(t, "kubelet", "violating", func(p *corev1.Pod) {
		onHostNetwork(p)
		p.Spec.NodeName = node
	})
	plant(t, planter(t), violating)

	t.Run("the kubelet reports the status", func(t *testing.T) {
		// Not through the group that may do everything: the authorizer for nodes
		// and NodeRestriction take their part.
		kubelet, err := cp.As("system:node:"+node, "system:nodes")
		if err != nil {
			t.Fatal(err)
		}
		a, _ := kubelet.Patch(ctx, violating, types.StrategicMergePatchType,
			`{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}`, harness.Subresource("status"))
		want(t, "patch pods/status", a, harness.Allowed)
	})
	t.Run("an agent of the nodes labels the Pod", func(t *testing.T) {
		// NodeRestriction lets a kubelet itself change nothing but the status.
		a, _ := as(t, "node-agent", "system:nodes").Patch(ctx, violating, types.MergePatchType, `{"metadata":{"labels":{"zone":"a"}}}`)
		want(t, "patch pods", a, harness.Allowed)
	})
	t.Run("a controller annotates the Pod", func(t *testing.T) {
		a, _ := as(t, harness.ServiceAccountUser("kube-system", "replicaset-controller")).Patch(ctx, violating, types.MergePatchType,
			`{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"1"}}}`)
		want(t, "patch pods", a, harness.Allowed)
	})
}

// TestBreakGlass proves that the break-glass group turns a denial into a warning
// and that the audit log says so.
func TestBreakGlass(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "break-glass", managed())
	violating := pod(t, "break-glass", "violating", onHostNetwork)

	a, _ := administrator(t).Create(ctx, violating)
	want(t, "without the group", a, harness.Denied)

	a, stored := as(t, author, "system:masters", harness.BreakGlassGroup).Create(ctx, violating)
	want(t, "with the group", a, harness.Warned)
	if len(told(a)) != 1 || !harness.NamesRule(told(a)[0], "instance-profile-access") || !strings.Contains(told(a)[0], "] break glass, else refused: ") {
		t.Errorf("the warnings are %q", a.Warnings)
	}
	if stored == nil {
		t.Fatal("the Pod was not created")
	}
	e := auditEvent(t, "the broken glass", func(e *auditv1.Event) bool {
		return about(author, "create", "break-glass", "violating")(e) && e.ResponseStatus.Code < 300
	})
	if got := e.Annotations["managed-label.emrguard.dev/break-glass"]; got != "instance-profile-access" {
		t.Errorf("the annotation break-glass is %q, all are %q", got, e.Annotations)
	}
}

// TestDeleteCollection proves that managed accounts cannot be deleted wholesale
// either: the request then names no object.
func TestDeleteCollection(t *testing.T) {
	ctx := t.Context()
	namespace(t, "delete-collection", managed())
	driver := account(t, "delete-collection", harness.ManagedAccount("driver"), harness.JobRoleARN)
	plant(t, planter(t), driver)

	remove := func(user string, groups ...string) harness.Answer {
		clients, err := kubernetes.NewForConfig(cp.ImpersonationConfig(user, append(groups, everything)...))
		if err != nil {
			t.Fatal(err)
		}
		err = clients.CoreV1().ServiceAccounts("delete-collection").DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
		return harness.Classify(err, nil)
	}
	a := remove(harness.Submitter, harness.SubmitterGroup)
	want(t, "by a submitter", a, harness.Denied)
	if !slices.Equal(idsIn(a.Message), []string{"managed-service-account"}) {
		t.Errorf("the answer was: %s", a)
	}
	if _, err := alice(t).Get(ctx, driver); err != nil {
		t.Errorf("the account: %v", err)
	}
	want(t, "by EMR", remove(harness.EMRUser), harness.Allowed)
	if _, err := alice(t).Get(ctx, driver); !apierrors.IsNotFound(err) {
		t.Errorf("the account is still there: %v", err)
	}
}

// TestKubectlDebug proves that the real kubectl debug is judged.
func TestKubectlDebug(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "kubectl-debug", managed())
	plant(t, planter(t), pod(t, "kubectl-debug", "job", nil))
	debug := func(c *harness.Client, profile string) harness.Answer {
		a, _ := c.RunKubectl(ctx, "kubectl-debug", "debug", "job", "--image=public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest", "--attach=false", "--profile="+profile, "--container=debug-"+profile)
		return a
	}
	a := debug(administrator(t), "sysadmin")
	want(t, "a privileged container", a, harness.Denied)
	if !slices.Equal(idsIn(a.Message), []string{"instance-profile-access"}) || !strings.Contains(a.Message, "spec.ephemeralContainers[0].securityContext.privileged") {
		t.Errorf("the answer was: %s", a)
	}
	a = debug(alice(t), "restricted")
	want(t, "an ordinary container by the submitter", a, harness.Denied)
	if !slices.Equal(idsIn(a.Message), []string{"pod-exec"}) {
		t.Errorf("the answer was: %s", a)
	}
	want(t, "an ordinary container", debug(administrator(t), "restricted"), harness.Allowed)
}
