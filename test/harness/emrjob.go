package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The EMR job of test/demo/emr-job.
const (
	// JobNamespace is the namespace that the manifests are written for.
	JobNamespace = "emr-jobs"
	// JobAccountSuffix is the end of its ServiceAccounts' names: the account id
	// and the base36 form of JobExecutionRole.
	JobAccountSuffix = "123456789012-4en4r3jtsjjcf75iqnuasdqp1"
	// JobRoleARN is its execution role.
	JobRoleARN = "arn:aws:iam::123456789012:role/JobExecutionRole"
	// JobID is the id of its job run, and its Job's name.
	JobID = "000000034f2r8k1m7qa"
)

// ManagedAccount returns the name of the managed ServiceAccount of a component
// (client, driver, executor) of the EMR job.
func ManagedAccount(component string) string {
	return "emr-containers-sa-spark-" + component + "-" + JobAccountSuffix
}

// EMRJob is all that one StartJobRun leads to, in the order of creation.
type EMRJob struct {
	// ServiceAccounts to Job are created by the EMR service.
	ServiceAccounts, RBAC, ConfigMaps, Secrets []*unstructured.Unstructured
	Job                                        *unstructured.Unstructured
	// Driver is created by the spark-client account, from the Job's Pod.
	Driver *unstructured.Unstructured
	// Executors are created by the spark-driver account, as the driver's
	// dependents (OwnedBy).
	Executors []*unstructured.Unstructured
}

// LoadEMRJob reads the manifests of test/demo/emr-job for a namespace.
func LoadEMRJob(namespace string) (*EMRJob, error) {
	root, err := RepoRoot()
	if err != nil {
		return nil, err
	}
	files := os.DirFS(filepath.Join(root, "test", "demo", "emr-job"))
	job := &EMRJob{}
	var jobs, drivers []*unstructured.Unstructured
	for _, part := range []struct {
		file string
		into *[]*unstructured.Unstructured
	}{
		{"1-serviceaccounts.yaml", &job.ServiceAccounts},
		{"2-rbac.yaml", &job.RBAC},
		{"3-configmaps.yaml", &job.ConfigMaps},
		{"4-secret.yaml", &job.Secrets},
		{"5-job.yaml", &jobs},
		{"6-driver.yaml", &drivers},
		{"7-executors.yaml", &job.Executors},
	} {
		objects, err := ReadManifests(files, part.file)
		if err != nil {
			return nil, fmt.Errorf("load the EMR job: %w", err)
		}
		for _, obj := range objects {
			InNamespace(obj, namespace)
		}
		*part.into = objects
	}
	if len(jobs) != 1 || len(drivers) != 1 || len(job.Executors) == 0 {
		return nil, errors.New("load the EMR job: want one Job, one driver and at least one executor")
	}
	job.Job, job.Driver = jobs[0], drivers[0]
	return job, nil
}

// DriverPod returns the driver as EKS stores it: with the credentials that the
// pod identity webhook injects.
func (j *EMRJob) DriverPod() (*corev1.Pod, error) {
	var pod corev1.Pod
	if err := ToObject(j.Driver, &pod); err != nil {
		return nil, err
	}
	for _, obj := range j.ServiceAccounts {
		if obj.GetName() != pod.Spec.ServiceAccountName {
			continue
		}
		var account corev1.ServiceAccount
		if err := ToObject(obj, &account); err != nil {
			return nil, err
		}
		InjectIRSA(&pod, &account)
		return &pod, nil
	}
	return nil, fmt.Errorf("the EMR job has no ServiceAccount %s", pod.Spec.ServiceAccountName)
}

// OwnedBy returns a copy of a dependent that is owned by a stored object, as
// Spark makes the driver the owner of its executors.
func OwnedBy(dependent, owner *unstructured.Unstructured) *unstructured.Unstructured {
	owned := dependent.DeepCopy()
	yes := true
	owned.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID(), Controller: &yes,
	}})
	return owned
}

// JobPod waits until the job controller has created the Pod of a Job.
func (cp *ControlPlane) JobPod(ctx context.Context, job *unstructured.Unstructured) (*corev1.Pod, error) {
	var pod *corev1.Pod
	err := WaitFor(ctx, "the job controller to create the Pod of Job "+job.GetName(), startTimeout, func(ctx context.Context) error {
		pods, err := cp.clientset.CoreV1().Pods(job.GetNamespace()).List(ctx, metav1.ListOptions{
			LabelSelector: "batch.kubernetes.io/job-name=" + job.GetName(),
		})
		if err != nil {
			return err
		}
		if len(pods.Items) == 0 {
			return cp.jobFailure(ctx, job)
		}
		pod = &pods.Items[0]
		return nil
	})
	return pod, err
}

// jobFailure is the last that the job controller said about a Job without a Pod.
func (cp *ControlPlane) jobFailure(ctx context.Context, job *unstructured.Unstructured) error {
	events, err := cp.clientset.CoreV1().Events(job.GetNamespace()).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.kind=Job,involvedObject.name=" + job.GetName(),
	})
	if err != nil {
		return err
	}
	if len(events.Items) == 0 {
		return errors.New("there is none yet")
	}
	return errors.New("there is none yet: " + events.Items[len(events.Items)-1].Message)
}
