package harness

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// TestControlPlane proves that what the other integration tests take for granted
// is real: a complete EMR job is created by the principals that create it on
// EKS, with the job controller and the pod identity webhook doing their parts.
func TestControlPlane(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	ctx := t.Context()
	cp, err := Start(ctx, Options{Progress: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(cp.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the temporary folder is left: %v", err)
		}
	})
	if err := cp.PrepareNamespace(ctx, JobNamespace); err != nil {
		t.Fatal(err)
	}
	job, err := LoadEMRJob(JobNamespace)
	if err != nil {
		t.Fatal(err)
	}
	emr := must(cp.User(EMRUser))
	alice := must(cp.User(Submitter, SubmitterGroup))

	allowed := func(t *testing.T, a Answer) {
		t.Helper()
		if a.Verdict != Allowed {
			t.Fatalf("the answer was: %s", a)
		}
	}
	for _, objects := range [][]*unstructured.Unstructured{job.ServiceAccounts, job.RBAC, job.ConfigMaps, job.Secrets, {job.Job}} {
		allowed(t, emr.CreateAll(ctx, objects))
	}

	submitter, err := cp.JobPod(ctx, job.Job)
	if err != nil {
		t.Fatal(err)
	}
	checkInjected(t, submitter)
	checkCreator(t, cp, submitter.Name, ServiceAccountUser("kube-system", "job-controller"))

	client := must(cp.As(ServiceAccountUser(JobNamespace, ManagedAccount("client"))))
	answer, driver := client.Create(ctx, job.Driver)
	allowed(t, answer)
	checkInjected(t, typed(t, driver))
	checkCreator(t, cp, driver.GetName(), ServiceAccountUser(JobNamespace, ManagedAccount("client")))

	spark := must(cp.As(ServiceAccountUser(JobNamespace, ManagedAccount("driver"))))
	for _, executor := range job.Executors {
		answer, stored := spark.Create(ctx, OwnedBy(executor, driver))
		allowed(t, answer)
		checkInjected(t, typed(t, stored))
	}

	t.Run("a Pod that opts out of injection", func(t *testing.T) {
		pod := job.Driver.DeepCopy()
		pod.SetName("skipped")
		pod.SetLabels(map[string]string{skipWebhookLabel: "true"})
		answer, stored := alice.Create(ctx, pod, DryRun)
		allowed(t, answer)
		if _, ok := EnvValue(&typed(t, stored).Spec.Containers[0], "AWS_ROLE_ARN"); ok {
			t.Error("was injected all the same")
		}
	})
	t.Run("RBAC is not taken for a denial", func(t *testing.T) {
		pod := job.Driver.DeepCopy()
		pod.SetNamespace(metav1.NamespaceDefault)
		if answer, _ := alice.Create(ctx, pod); answer.Verdict != Unauthorized {
			t.Errorf("the answer was: %s", answer)
		}
		if answer, _ := alice.RunKubectl(ctx, metav1.NamespaceDefault, "delete", "pod", "x"); answer.Verdict != Unauthorized {
			t.Errorf("kubectl: the answer was: %s", answer)
		}
	})
	t.Run("validation is not taken for a denial", func(t *testing.T) {
		pod := job.Driver.DeepCopy()
		pod.SetName("Not A Name")
		if answer, _ := alice.Create(ctx, pod); answer.Verdict != Invalid {
			t.Errorf("the answer was: %s", answer)
		}
	})
	t.Run("the garbage collector ends the job", func(t *testing.T) {
		allowed(t, emr.Delete(ctx, job.Job, Background))
		err := WaitFor(ctx, "the submitter to be deleted", time.Minute, func(ctx context.Context) error {
			_, err := cp.Clientset().CoreV1().Pods(JobNamespace).Get(ctx, submitter.Name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return errors.Join(err, errors.New("it is still there"))
		})
		if err != nil {
			t.Error(err)
		}
		// Its owner has an apiVersion that does not exist.
		if _, err := client.Get(ctx, driver); err != nil {
			t.Errorf("the driver: %v", err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func typed(t *testing.T, obj *unstructured.Unstructured) *corev1.Pod {
	t.Helper()
	var pod corev1.Pod
	if err := ToObject(obj, &pod); err != nil {
		t.Fatal(err)
	}
	return &pod
}

func checkInjected(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	for _, c := range pod.Spec.Containers {
		if role, _ := EnvValue(&c, "AWS_ROLE_ARN"); role != JobRoleARN {
			t.Errorf("Pod %s, container %s: AWS_ROLE_ARN is %q, want %q", pod.Name, c.Name, role, JobRoleARN)
		}
	}
	mounted := false
	for _, v := range pod.Spec.Volumes {
		mounted = mounted || strings.HasPrefix(v.Name, "kube-api-access-")
	}
	if !mounted {
		t.Errorf("Pod %s: the ServiceAccount plugin did not mount a token", pod.Name)
	}
}

// checkCreator looks into the audit log for who created a Pod. The job
// controller's request names no Pod (generateName), so its response must.
func checkCreator(t *testing.T, cp *ControlPlane, pod, user string) {
	t.Helper()
	events, err := cp.AuditEvents(func(e *auditv1.Event) bool {
		return e.Verb == "create" && e.ObjectRef != nil && e.ObjectRef.Resource == "pods" && e.ObjectRef.Subresource == "" &&
			(e.ObjectRef.Name == pod || e.ObjectRef.Name == "" && e.User.Username == user)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		t.Fatalf("nobody created Pod %s", pod)
	}
	e := events[0]
	got := e.User.Username
	if e.ImpersonatedUser != nil {
		got = e.ImpersonatedUser.Username
	}
	if got != user {
		t.Errorf("Pod %s was created by %s, want %s", pod, got, user)
	}
}
