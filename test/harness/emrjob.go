package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	appsv1 "k8s.io/api/apps/v1"
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
	// EndpointName is the name of the managed endpoint's Deployment.
	EndpointName = "jeg-k4tz7w1qxm0p9"
)

// ManagedAccount returns the name of the managed ServiceAccount of a component
// (client, driver, executor) of the EMR job.
func ManagedAccount(component string) string {
	return "emr-containers-sa-spark-" + component + "-" + JobAccountSuffix
}

// EMRJob is all that one StartJobRun leads to, in the order of creation, and a
// managed endpoint of the same role.
type EMRJob struct {
	// ServiceAccounts to Job are created by the EMR service.
	ServiceAccounts, RBAC, ConfigMaps, Secrets []*unstructured.Unstructured
	Job                                        *unstructured.Unstructured
	// Driver is created by the spark-client account, from the Job's Pod.
	Driver *unstructured.Unstructured
	// Executors are created by the spark-driver account, as the driver's
	// dependents (OwnedBy).
	Executors []*unstructured.Unstructured
	// Endpoint is a managed endpoint, created by the EMR service: ServiceAccount,
	// Deployment, Service and Ingress.
	Endpoint []*unstructured.Unstructured
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
		{"8-endpoint.yaml", &job.Endpoint},
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
	return cp.podMade(ctx, "the job controller to create the Pod of Job "+job.GetName(), job.GetNamespace(),
		"batch.kubernetes.io/job-name="+job.GetName(), func(ctx context.Context) error { return cp.jobFailure(ctx, job) })
}

// EndpointPod waits until the replicaset controller has created the Pod of the
// managed endpoint.
func (cp *ControlPlane) EndpointPod(ctx context.Context, job *EMRJob) (*corev1.Pod, error) {
	namespace, app := job.Job.GetNamespace(), "app="+EndpointName
	return cp.podMade(ctx, "the replicaset controller to create the Pod of Deployment "+EndpointName, namespace, app, func(ctx context.Context) error {
		answer, err := cp.ReplicaSetFailure(ctx, namespace, app)
		if err != nil {
			return err
		}
		return errors.New("there is none yet: " + answer.Text())
	})
}

func (cp *ControlPlane) podMade(ctx context.Context, what, namespace, selector string, failure func(context.Context) error) (*corev1.Pod, error) {
	var pod *corev1.Pod
	err := WaitFor(ctx, what, startTimeout, func(ctx context.Context) error {
		pods, err := cp.clientset.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return err
		}
		if len(pods.Items) == 0 {
			return failure(ctx)
		}
		pod = &pods.Items[0]
		return nil
	})
	return pod, err
}

// ReplicaSetFailure is the refusal of a Pod that the replicaset controller has
// written into the status of a ReplicaSet, zero when there is none.
func (cp *ControlPlane) ReplicaSetFailure(ctx context.Context, namespace, selector string) (Answer, error) {
	sets, err := cp.clientset.AppsV1().ReplicaSets(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return Answer{}, err
	}
	for _, set := range sets.Items {
		for _, c := range set.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
				return ClassifyText(c.Message), nil
			}
		}
	}
	return Answer{}, nil
}

// jobFailure is the last that the job controller said about a Job without a Pod.
func (cp *ControlPlane) jobFailure(ctx context.Context, job *unstructured.Unstructured) error {
	answer, err := cp.EventFailure(ctx, job.GetNamespace(), "Job", job.GetName())
	if err != nil {
		return err
	}
	return errors.New("there is none yet: " + answer.Text())
}

// EventFailure is the last that was said in an event about an object, as an answer;
// zero when there is no event.
func (cp *ControlPlane) EventFailure(ctx context.Context, namespace, kind, name string) (Answer, error) {
	events, err := cp.clientset.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.kind=" + kind + ",involvedObject.name=" + name,
	})
	if err != nil || len(events.Items) == 0 {
		return Answer{}, err
	}
	return ClassifyText(events.Items[len(events.Items)-1].Message), nil
}
