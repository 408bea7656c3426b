package integration

import (
	"context"
	"errors"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/emrguard/emrguard/test/harness"
)

// Managed accounts of another role than that of harness.ManagedAccount.
const (
	otherRoleARN = "arn:aws:iam::123456789012:role/AdminRole"
	otherSuffix  = "123456789012-72kplvyily2r8l"
)

// TestHijack proves that a mutating webhook cannot give a pod the ServiceAccount of
// another role, whoever creates the pod: the webhook really runs, and each pod is
// created by who creates it on EKS.
func TestHijack(t *testing.T) {
	t.Parallel()
	const ns = "hijack"
	ctx := t.Context()
	namespace(t, ns, managed())
	other := func(component string) string { return "emr-containers-sa-spark-" + component + "-" + otherSuffix }
	setup := planter(t)
	for name, role := range map[string]string{
		harness.ManagedAccount("client"): harness.JobRoleARN, harness.ManagedAccount("driver"): harness.JobRoleARN,
		harness.ManagedAccount("executor"): harness.JobRoleARN,
		other("client"):                    otherRoleARN, other("driver"): otherRoleARN, other("executor"): otherRoleARN,
		"reader": harness.JobRoleARN,
	} {
		a, _ := setup.Create(ctx, account(t, ns, name, role))
		must(t, "plant ServiceAccount "+name, a)
	}
	changer, err := cp.StartAccountChanger(ctx, ns, map[string]string{
		"client": other("client"), "driver": other("driver"), "executor": other("executor"), "reader": "reader",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := changer.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	client := as(t, harness.ServiceAccountUser(ns, harness.ManagedAccount("client")))
	driver := as(t, harness.ServiceAccountUser(ns, harness.ManagedAccount("driver")))
	for _, c := range []struct {
		name string
		// change is the short name of the account that the webhook puts in.
		change string
		// made has the pod made, marked for the webhook or not, and returns the answer.
		made func(t *testing.T, name, mark string) harness.Answer
	}{
		{"the submitter, by the job controller", "client", func(t *testing.T, name, mark string) harness.Answer {
			t.Helper()
			job := workload("batch/v1", "Job", ns, name, harness.ManagedAccount("client"), mark)
			a, _ := as(t, harness.EMRUser).Create(ctx, job)
			must(t, "EMR creates the Job", a)
			return madeBy(t, "Job", ns, name)
		}},
		{"the driver, by the client account", "driver", func(t *testing.T, name, mark string) harness.Answer {
			t.Helper()
			a, _ := client.Create(ctx, podOf(ns, name, harness.ManagedAccount("driver"), mark))
			return a
		}},
		{"an executor, by the driver", "executor", func(t *testing.T, name, mark string) harness.Answer {
			t.Helper()
			a, _ := driver.Create(ctx, podOf(ns, name, harness.ManagedAccount("executor"), mark))
			return a
		}},
		{"a Deployment's, by the replicaset controller", "reader", func(t *testing.T, name, mark string) harness.Answer {
			t.Helper()
			a, _ := administrator(t).Create(ctx, workload("apps/v1", "Deployment", ns, name, "default", mark))
			must(t, "an administrator creates the Deployment", a)
			return madeBy(t, "ReplicaSet", ns, name)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := c.made(t, c.change+"-changed", c.change)
			want(t, "with the webhook", a, harness.Denied)
			if ids := idsIn(a.Text()); !slices.Equal(ids, []string{"service-account-hijack"}) {
				t.Errorf("with the webhook: want service-account-hijack alone, the answer was: %s", a)
			}
			must(t, "without the webhook", c.made(t, c.change+"-untouched", ""))
		})
	}
}

// madeBy is the answer that the controller of a workload of that kind got to the Pod
// that it makes: Allowed when there is one, else the refusal in its event. The names
// of ReplicaSets begin with that of their Deployment.
func madeBy(t *testing.T, kind, namespace, app string) harness.Answer {
	t.Helper()
	var answer harness.Answer
	err := harness.WaitFor(t.Context(), "the controller of "+kind+" "+app, patience, func(ctx context.Context) error {
		core := cp.Clientset().CoreV1()
		pods, err := core.Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
		if err != nil {
			return err
		}
		if len(pods.Items) > 0 {
			answer = harness.Answer{Verdict: harness.Allowed}
			return nil
		}
		if kind == "ReplicaSet" {
			answer, err = cp.ReplicaSetFailure(ctx, namespace, "app="+app)
		} else {
			answer, err = cp.EventFailure(ctx, namespace, kind, app)
		}
		if err == nil && answer.Verdict == "" {
			err = errors.New("neither a Pod nor a refusal yet")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// podOf is a Pod, marked for the AccountChanger unless mark is empty.
func podOf(namespace, name, account, mark string) *unstructured.Unstructured {
	pod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": name, "namespace": namespace, "labels": labelsOf(name, mark)},
		"spec":     podSpec(account),
	}}
	return pod
}

// workload is a Job or Deployment of one such Pod.
func workload(apiVersion, kind, namespace, name, account, mark string) *unstructured.Unstructured {
	spec := map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": labelsOf(name, mark)}, "spec": podSpec(account)}}
	if kind == "Deployment" {
		spec["selector"] = map[string]any{"matchLabels": map[string]any{"app": name}}
	} else {
		spec["template"].(map[string]any)["spec"].(map[string]any)["restartPolicy"] = "Never"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name, "namespace": namespace}, "spec": spec,
	}}
}

func labelsOf(app, mark string) map[string]any {
	labels := map[string]any{"app": app}
	if mark != "" {
		labels[harness.AccountLabel] = mark
	}
	return labels
}

func podSpec(account string) map[string]any {
	return map[string]any{
		"serviceAccountName": account,
		"containers":         []any{map[string]any{"name": "main", "image": "example.com/main:1"}},
	}
}
