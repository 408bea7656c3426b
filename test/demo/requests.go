package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/test/harness"
)

// send sends the request of a row. The error is for what went wrong before the
// API server could answer.
type send func(ctx context.Context, s *stage) (harness.Answer, error)

// by picks a requester.
type by func(*stage) *harness.Client

func ben(s *stage) *harness.Client   { return s.ben }
func alice(s *stage) *harness.Client { return s.alice }

func sparkDriver(s *stage) *harness.Client { return s.sparkDrive }

// createFile creates the objects of a file until one is refused, and deletes them
// again: a bad request must not disturb the next one.
func createFile(who by, file string, opts ...harness.Option) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		objects, err := manifestsOf(file)
		if err != nil {
			return harness.Answer{}, err
		}
		return s.createAndRemove(ctx, who(s), objects, opts...)
	}
}

func (s *stage) createAndRemove(ctx context.Context, c *harness.Client, objects []*unstructured.Unstructured, opts ...harness.Option) (harness.Answer, error) {
	answer, stored := createEach(ctx, c, objects, opts...)
	for _, obj := range slices.Backward(stored) {
		if err := s.remove(ctx, obj); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// createAndKeep creates the objects of a file, which stay for the next requests.
func createAndKeep(who by, file string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		objects, err := manifestsOf(file)
		if err != nil {
			return harness.Answer{}, err
		}
		answer, stored := createEach(ctx, who(s), objects)
		s.created = append(s.created, stored...)
		return answer, nil
	}
}

// createEach creates objects until one is refused. It returns the stored ones, and
// the refusal, or all that was said.
func createEach(ctx context.Context, c *harness.Client, objects []*unstructured.Unstructured, opts ...harness.Option) (harness.Answer, []*unstructured.Unstructured) {
	all := harness.Answer{Verdict: harness.Allowed}
	var stored []*unstructured.Unstructured
	for _, obj := range objects {
		answer, result := c.Create(ctx, obj, opts...)
		answer.Warnings = slices.Concat(all.Warnings, answer.Warnings)
		if all = answer; !answer.Done() {
			break
		}
		stored = append(stored, result)
		if len(all.Warnings) > 0 {
			all.Verdict = harness.Warned
		}
	}
	return all, stored
}

// createDriver creates the driver with the patch of a file, as what the caller
// of StartJobRun asked for reaches the cluster.
func createDriver(name, file string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		obj, err := patched(s.job.Driver, file)
		if err != nil {
			return harness.Answer{}, err
		}
		obj.SetName(name)
		return s.createAndRemove(ctx, s.sparkClient, []*unstructured.Unstructured{obj})
	}
}

// patch changes an object, and changes it back with undo when that was allowed.
func patch(who by, obj *unstructured.Unstructured, change, undo string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		answer, _ := who(s).Patch(ctx, obj, types.MergePatchType, change)
		if !answer.Done() {
			return answer, nil
		}
		return answer, s.change(ctx, obj, undo)
	}
}

// patchJSON does the same with a JSON patch, which can change one entry of a list.
func patchJSON(who by, obj *unstructured.Unstructured, change, undo string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		answer, _ := who(s).Patch(ctx, obj, types.JSONPatchType, change)
		if !answer.Done() {
			return answer, nil
		}
		if a, _ := s.admin.Patch(ctx, obj, types.JSONPatchType, undo); !a.Done() {
			return answer, fmt.Errorf("change %s back: %s", obj.GetName(), a)
		}
		return answer, nil
	}
}

// createJobPart creates objects of the EMR job, which stay.
func createJobPart(part func(*harness.EMRJob) []*unstructured.Unstructured) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		objects := part(s.job)
		s.created = append(s.created, objects...)
		return s.emr.CreateAll(ctx, objects), nil
	}
}

// waitForJobPod waits for the Pod that the job controller creates.
func waitForJobPod(ctx context.Context, s *stage) (harness.Answer, error) {
	pod, err := s.cp.JobPod(ctx, s.job.Job)
	if err != nil {
		return harness.Answer{}, err
	}
	if role, _ := harness.EnvValue(&pod.Spec.Containers[0], "AWS_ROLE_ARN"); role != harness.JobRoleARN {
		return harness.Answer{}, fmt.Errorf("the pod %s has AWS_ROLE_ARN %q: the pod identity stand-in did not work", pod.Name, role)
	}
	return harness.Answer{Verdict: harness.Allowed}, nil
}

// waitForEndpointPod waits for the Pod of the managed endpoint.
func waitForEndpointPod(ctx context.Context, s *stage) (harness.Answer, error) {
	_, err := s.cp.EndpointPod(ctx, s.job)
	return harness.Answer{Verdict: harness.Allowed}, err
}

func createJobDriver(ctx context.Context, s *stage) (harness.Answer, error) {
	s.created = append(s.created, s.job.Driver)
	answer, stored := s.sparkClient.Create(ctx, s.job.Driver)
	s.driver = stored
	return answer, nil
}

func createExecutors(ctx context.Context, s *stage) (harness.Answer, error) {
	if s.driver == nil {
		return harness.Answer{}, errors.New("there is no driver")
	}
	var owned []*unstructured.Unstructured
	for _, executor := range s.job.Executors {
		owned = append(owned, harness.OwnedBy(executor, s.driver))
	}
	s.created = append(s.created, owned...)
	return s.sparkDrive.CreateAll(ctx, owned), nil
}

func createDeployment(ctx context.Context, s *stage) (harness.Answer, error) {
	obj, err := manifest("deployment-kube2iam.yaml")
	if err != nil {
		return harness.Answer{}, err
	}
	answer, stored := s.ben.Create(ctx, obj)
	if stored != nil {
		s.created = append(s.created, stored)
	}
	return answer, nil
}

// deploymentPod is the answer that the replicaset controller got: a Pod, or the
// refusal that it has written into its ReplicaSet's status.
func deploymentPod(ctx context.Context, s *stage) (harness.Answer, error) {
	var answer harness.Answer
	selector := metav1.ListOptions{LabelSelector: "app=dashboard"}
	err := harness.WaitFor(ctx, "the replicaset controller", time.Minute, func(ctx context.Context) error {
		pods, err := s.cp.Clientset().CoreV1().Pods(emrNamespace).List(ctx, selector)
		if err != nil {
			return err
		}
		if len(pods.Items) > 0 {
			answer = harness.Answer{Verdict: harness.Allowed}
			return nil
		}
		if answer, err = s.cp.ReplicaSetFailure(ctx, emrNamespace, selector.LabelSelector); err != nil || answer.Verdict != "" {
			return err
		}
		return errors.New("neither a Pod nor a refusal yet")
	})
	if err != nil {
		return answer, err
	}
	obj, err := manifest("deployment-kube2iam.yaml")
	if err != nil {
		return answer, err
	}
	return answer, s.remove(ctx, obj)
}

// breakGlass creates the objects of a file as the engineer on call, with the
// break-glass group.
func breakGlass(file string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		objects, err := manifestsOf(file)
		if err != nil {
			return harness.Answer{}, err
		}
		c, err := s.olga.WithGroups(harness.OnCall, harness.SubmitterGroup, harness.BreakGlassGroup)
		if err != nil {
			return harness.Answer{}, err
		}
		return s.createAndRemove(ctx, c, objects)
	}
}

func deleteJob(ctx context.Context, s *stage) (harness.Answer, error) {
	return s.emr.Delete(ctx, s.job.Job, harness.Background), nil
}

// jobPodGone waits until the garbage collector has deleted the Job's Pod and the
// job controller has taken its finalizer away.
func jobPodGone(ctx context.Context, s *stage) (harness.Answer, error) {
	selector := metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + s.job.Job.GetName()}
	err := harness.WaitFor(ctx, "the Pod of the deleted Job to go", time.Minute, func(ctx context.Context) error {
		pods, err := s.cp.Clientset().CoreV1().Pods(emrNamespace).List(ctx, selector)
		if err != nil {
			return err
		}
		if len(pods.Items) > 0 {
			return errors.New("it is still there")
		}
		return nil
	})
	return harness.Answer{Verdict: harness.Allowed}, err
}

// manifest reads the one object of a file of requests.
func manifest(file string) (*unstructured.Unstructured, error) {
	objects, err := manifestsOf(file)
	if err != nil {
		return nil, err
	}
	if len(objects) != 1 {
		return nil, fmt.Errorf("requests/%s holds %d objects, want one", file, len(objects))
	}
	return objects[0], nil
}

// manifestsOf reads the objects of a file of requests.
func manifestsOf(file string) ([]*unstructured.Unstructured, error) {
	objects, err := harness.ReadManifests(manifests, "requests/"+file)
	if err == nil && len(objects) == 0 {
		err = fmt.Errorf("requests/%s is empty", file)
	}
	return objects, err
}

// patched returns a copy of a Pod with the strategic merge patch of a file.
func patched(pod *unstructured.Unstructured, file string) (*unstructured.Unstructured, error) {
	text, err := manifests.ReadFile("requests/" + file)
	if err != nil {
		return nil, err
	}
	change, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, fmt.Errorf("requests/%s: %w", file, err)
	}
	original, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	data, err := strategicpatch.StrategicMergePatch(original, change, corev1.Pod{})
	if err != nil {
		return nil, fmt.Errorf("requests/%s: %w", file, err)
	}
	result := &unstructured.Unstructured{}
	return result, result.UnmarshalJSON(data)
}

// named is a core object of which only the identity matters.
func named(kind, namespace, name string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetAPIVersion("v1")
	obj.SetKind(kind)
	obj.SetNamespace(namespace)
	obj.SetName(name)
	return obj
}
