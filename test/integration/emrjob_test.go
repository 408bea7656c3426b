package integration

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/emrguard/emrguard/test/harness"
)

// TestEMRJob proves that a complete EMR job and a managed endpoint, created by the principals that
// create it on EKS and with the rights that they have there, passes without a
// single finding.
func TestEMRJob(t *testing.T) {
	ctx := t.Context()
	job, err := harness.LoadEMRJob(harness.JobNamespace)
	if err != nil {
		t.Fatal(err)
	}
	client := func(user string) *harness.Client {
		c, err := cp.As(user)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	emr := client(harness.EMRUser)
	for _, objects := range [][]*unstructured.Unstructured{job.ServiceAccounts, job.RBAC, job.ConfigMaps, job.Secrets, {job.Job}} {
		a := emr.CreateAll(ctx, objects)
		if a.Verdict != harness.Allowed {
			t.Fatalf("%s: the answer was: %s", objects[0].GetKind(), a)
		}
	}
	submitter, err := cp.JobPod(ctx, job.Job)
	if err != nil {
		t.Fatal(err)
	}
	checkInjected(t, submitter)

	want(t, "the managed endpoint", emr.CreateAll(ctx, job.Endpoint), harness.Allowed)
	gateway, err := cp.EndpointPod(ctx, job)
	if err != nil {
		t.Fatal(err)
	}
	checkInjected(t, gateway)

	answer, driver := client(harness.ServiceAccountUser(harness.JobNamespace, harness.ManagedAccount("client"))).Create(ctx, job.Driver)
	if answer.Verdict != harness.Allowed {
		t.Fatalf("the driver: the answer was: %s", answer)
	}
	var pod corev1.Pod
	if err := harness.ToObject(driver, &pod); err != nil {
		t.Fatal(err)
	}
	checkInjected(t, &pod)
	spark := client(harness.ServiceAccountUser(harness.JobNamespace, harness.ManagedAccount("driver")))
	for _, executor := range job.Executors {
		answer, _ := spark.Create(ctx, harness.OwnedBy(executor, driver))
		want(t, "the executor "+executor.GetName(), answer, harness.Allowed)
	}
	want(t, "end the job", emr.Delete(ctx, job.Job, harness.Background), harness.Allowed)
	want(t, "delete a ConfigMap", emr.Delete(ctx, job.ConfigMaps[0]), harness.Allowed)
	want(t, "delete an account", emr.Delete(ctx, job.ServiceAccounts[0]), harness.Allowed)

	// The last request of the list, so that all others are in the log before.
	auditEvent(t, "the deletion of the account", about(harness.EMRUser, "delete", harness.JobNamespace, job.ServiceAccounts[0].GetName()))
	events, err := cp.AuditEvents(func(e *auditv1.Event) bool {
		// alice asks as well in this namespace, in TestScope, and TestEveryEndpoint plants there.
		return namespaceOf(e) == harness.JobNamespace && userOf(e) != harness.Submitter && userOf(e) != planterUser
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if annotations, _ := recorded(&events[i]); len(annotations) > 0 {
			t.Errorf("%s %s by %s: the audit log has %q", events[i].Verb, events[i].RequestURI, userOf(&events[i]), annotations)
		}
	}
}

// checkInjected keeps the test honest: a Pod without credentials would prove
// nothing.
func checkInjected(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if role, _ := harness.EnvValue(c, "AWS_ROLE_ARN"); role != harness.JobRoleARN {
			t.Errorf("Pod %s, container %s: AWS_ROLE_ARN is %q, want %q", pod.Name, c.Name, role, harness.JobRoleARN)
		}
	}
}
