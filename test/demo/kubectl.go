package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/emrguard/emrguard/test/harness"
)

// hubImage is the image of the Deployment in setup.yaml.
const hubImage = "123456789012.dkr.ecr.us-east-1.amazonaws.com/notebook-hub:4.1"

// kubectlTimeout ends a kubectl that waits for something.
const kubectlTimeout = 20 * time.Second

// kubectl runs the real kubectl.
func kubectl(who by, args ...string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		ctx, cancel := context.WithTimeout(ctx, kubectlTimeout)
		defer cancel()
		answer, _ := who(s).RunKubectl(ctx, emrNamespace, args...)
		return answer, nil
	}
}

// undoing changes the object back when the request was allowed.
func undoing(obj *unstructured.Unstructured, undo string, request send) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		answer, err := request(ctx, s)
		if err != nil || !answer.Done() {
			return answer, err
		}
		return answer, s.change(ctx, obj, undo)
	}
}

// change patches an object as the cluster itself would: a merge patch by somebody
// whom no rule minds.
func (s *stage) change(ctx context.Context, obj *unstructured.Unstructured, patch string, opts ...harness.Option) error {
	if a, _ := s.admin.Patch(ctx, obj, types.MergePatchType, patch, opts...); !a.Done() {
		return fmt.Errorf("change %s %s: %s", obj.GetKind(), obj.GetName(), a)
	}
	return nil
}

// connect runs a kubectl command of alice's that connects to an executor. Where
// the guard lets it pass, the API server finds no kubelet to connect to; kubectl
// shows no warning of such a request, so that the audit log has to.
func connect(command string, executor int, args ...string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		pod := s.job.Executors[executor]
		// kubectl asks for a running Pod before it asks for the connection.
		if err := s.change(ctx, pod, "status: {phase: Running}", harness.Subresource("status")); err != nil {
			return harness.Answer{}, err
		}
		answer, err := kubectl(alice, append([]string{command, "pod/" + pod.GetName()}, args...)...)(ctx, s)
		if err != nil || !strings.Contains(answer.Message, noKubelet) {
			return answer, err
		}
		told, err := s.cp.AuditAnnotation(ctx, harness.Submitter, pod.GetName(), strings.ReplaceAll(command, "-", ""), guardSuffix+"/warn")
		answer.Verdict = harness.Allowed
		answer.Message += "\nAudit log: " + told
		return answer, err
	}
}

// noKubelet is the API server's word for a Pod on no node, after admission.
const noKubelet = "does not have a host assigned"

// debug runs `kubectl debug` of an executor. An ephemeral container cannot be
// removed, so the Pod goes when it was allowed.
func debug(who by, executor int, args ...string) send {
	return func(ctx context.Context, s *stage) (harness.Answer, error) {
		pod := s.job.Executors[executor]
		answer, err := kubectl(who, append([]string{
			"debug", "pod/" + pod.GetName(),
			"--image=public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest", "--container=debugger", "--profile=general",
		}, args...)...)(ctx, s)
		if err != nil || !answer.Done() {
			return answer, err
		}
		return answer, s.remove(ctx, pod)
	}
}

// lowerPodSecurity takes the label away by which Pod Security enforces a level. It
// is there only for this request: the demo's Pods break the level.
func lowerPodSecurity(ctx context.Context, s *stage) (harness.Answer, error) {
	ns := named("Namespace", "", emrNamespace)
	if err := s.change(ctx, ns, "metadata: {labels: {pod-security.kubernetes.io/enforce: baseline}}"); err != nil {
		return harness.Answer{}, err
	}
	answer, err := kubectl(alice, "label", "namespace", emrNamespace, "pod-security.kubernetes.io/enforce-")(ctx, s)
	if err != nil {
		return answer, err
	}
	return answer, s.change(ctx, ns, "metadata: {labels: {pod-security.kubernetes.io/enforce: null}}")
}
