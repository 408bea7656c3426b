package harness

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestEMRJobManifests(t *testing.T) {
	job, err := LoadEMRJob("another")
	if err != nil {
		t.Fatal(err)
	}
	if got := job.RBAC[1].Object["subjects"].([]any)[0].(map[string]any)["namespace"]; got != "another" {
		t.Errorf("the binding's subject is in namespace %v", got)
	}
	driver, err := job.DriverPod()
	if err != nil {
		t.Fatal(err)
	}
	if driver.Namespace != "another" {
		t.Errorf("the driver is in namespace %s", driver.Namespace)
	}
	for _, c := range driver.Spec.Containers {
		if role, _ := EnvValue(&c, "AWS_ROLE_ARN"); role != JobRoleARN {
			t.Errorf("container %s has AWS_ROLE_ARN %q", c.Name, role)
		}
	}
	// EMR's nine, the node's local disk, and the injected token.
	if n := len(driver.Spec.Volumes); n != 11 {
		t.Errorf("the driver has %d volumes", n)
	}
	for _, obj := range job.Executors {
		if err := ToObject(obj, &corev1.Pod{}); err != nil {
			t.Error(err)
		}
	}
}
