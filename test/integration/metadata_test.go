package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/emrguard/emrguard/test/harness"
)

// called is how often the API server has called the entries of the webhook for
// changed metadata, and how often their conditions spared it the call.
func called(t *testing.T) (calls, spared float64) {
	t.Helper()
	text, err := cp.Clientset().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := func(name string) (sum float64) {
		for _, m := range regexp.MustCompile(`(?m)^`+name+`\{[^}]*name="[a-z0-9-]*-metadata\.emrguard\.dev"[^}]*\} (\S+)$`).FindAllStringSubmatch(string(text), -1) {
			n, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum
	}
	return sum("apiserver_admission_webhook_admission_duration_seconds_count"), sum("apiserver_admission_match_condition_exclusions_total")
}

// metadataStage has one object of each kind whose labels and annotations change by a
// subresource.
func metadataStage(t *testing.T, ns string) {
	t.Helper()
	namespace(t, ns, managed())
	for _, text := range []string{
		`{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: NS}, spec: {containers: [{name: main, image: "public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest"}]}}`,
		`{apiVersion: v1, kind: Pod, metadata: {name: two, namespace: NS}, spec: {containers: [{name: main, image: "public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest"}]}}`,
		`{apiVersion: v1, kind: Service, metadata: {name: one, namespace: NS}, spec: {ports: [{port: 80}]}}`,
		`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: one, namespace: NS}, spec: {defaultBackend: {service: {name: one, port: {number: 80}}}}}`,
	} {
		plant(t, planter(t), parse(t, inPlace(text, ns))[0])
	}
}

// What kubelets, the scheduler and controllers write all day never leaves the API
// server: a status, the same labels and annotations written again, a pod put on a node.
func TestStatusWithoutMetadataIsNotSent(t *testing.T) {
	const ns = "metadata-status"
	metadataStage(t, ns)
	ctx := t.Context()
	// Who it is does not matter to the conditions; a node may not bind.
	kubelet, err := kubernetes.NewForConfig(cp.ImpersonationConfig("system:kube-scheduler", everything))
	if err != nil {
		t.Fatal(err)
	}
	callsBefore, sparedBefore := called(t)
	spared := 0.0
	done := func(what string, err error) {
		t.Helper()
		if spared++; err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	core := kubelet.CoreV1()
	done("put a pod on a node", core.Pods(ns).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: ns, Labels: map[string]string{"topology.kubernetes.io/zone": "a"}},
		Target:     corev1.ObjectReference{Kind: "Node", Name: "node-1"},
	}, metav1.CreateOptions{}))
	for _, phase := range []corev1.PodPhase{corev1.PodPending, corev1.PodRunning} {
		_, err := core.Pods(ns).Patch(ctx, "one", types.StrategicMergePatchType, []byte(fmt.Sprintf(`{"status":{"phase":%q,"message":"x"}}`, phase)), metav1.PatchOptions{}, "status")
		done("patch the status of a pod", err)
	}
	pod, err := core.Pods(ns).Get(ctx, "one", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod.Status.Message = "the whole object, with its labels and annotations"
	_, err = core.Pods(ns).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	done("update the status of a pod", err)
	_, err = core.Services(ns).Patch(ctx, "one", types.MergePatchType, []byte(`{"status":{"conditions":[]}}`), metav1.PatchOptions{}, "status")
	done("patch the status of a Service", err)
	_, err = kubelet.NetworkingV1().Ingresses(ns).Patch(ctx, "one", types.MergePatchType, []byte(`{"status":{"loadBalancer":{"ingress":[{"hostname":"a.example.com"}]}}}`), metav1.PatchOptions{}, "status")
	done("patch the status of an Ingress", err)
	_, err = core.Namespaces().Patch(ctx, ns, types.MergePatchType, []byte(`{"status":{"conditions":[]}}`), metav1.PatchOptions{}, "status")
	done("patch the status of a Namespace", err)

	calls, sparedNow := called(t)
	if calls != callsBefore {
		t.Errorf("the webhook was called %v times", calls-callsBefore)
	}
	if sparedNow-sparedBefore < spared {
		t.Errorf("conditions spared %v calls, want those of %v requests", sparedNow-sparedBefore, spared)
	}
}

// Each subresource that takes labels or annotations is judged when it changes them.
func TestMetadataBySubresourceIsJudged(t *testing.T) {
	const ns = "metadata-changes"
	metadataStage(t, ns)
	iam, public := map[string]string{"iam.amazonaws.com/role": "PayrollRole"}, map[string]string{"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}
	plant(t, planter(t), parse(t, inPlace(`{apiVersion: v1, kind: Service, metadata: {name: balanced, namespace: NS, annotations: {service.beta.kubernetes.io/aws-load-balancer-security-groups: sg-1}}, `+
		`spec: {type: LoadBalancer, loadBalancerClass: service.k8s.aws/nlb, ports: [{port: 80}]}}`, ns))[0])
	patches := []struct {
		object, subresource, rule string
		annotations               map[string]string
		labels                    map[string]string
	}{
		{"{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: NS}}", "status", "kube2iam-kiam-annotation", iam, nil},
		{"{apiVersion: v1, kind: Service, metadata: {name: balanced, namespace: NS}}", "status", "endpoint-exposure", public, nil},
		{"{apiVersion: v1, kind: Namespace, metadata: {name: NS}}", "status", "managed-namespace-scope", nil, map[string]string{managedLabel: "false"}},
		{"{apiVersion: v1, kind: Namespace, metadata: {name: NS}}", "status", "kube2iam-kiam-annotation", map[string]string{"iam.amazonaws.com/allowed-roles": "[]"}, nil},
	}
	for _, p := range patches {
		obj := parse(t, inPlace(p.object, ns))[0]
		data, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": p.annotations, "labels": p.labels}})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := alice(t).Patch(t.Context(), obj, types.MergePatchType, string(data), harness.Subresource(p.subresource))
		refusedBy(t, fmt.Sprintf("patch %s/%s", obj.GetKind(), p.subresource), a, p.rule)
	}
	binding := func(name string) string {
		return inPlace(`{"apiVersion":"v1","kind":"Binding","metadata":{"name":"`+name+`","namespace":"NS","annotations":{"iam.amazonaws.com/role":"PayrollRole"}},"target":{"kind":"Node","name":"node-1"}}`, ns)
	}
	for path, name := range map[string]string{"pods/one/binding": "one", "bindings": "two"} {
		refusedBy(t, "post "+path, posted(t.Context(), t, "/api/v1/namespaces/"+ns+"/"+path, binding(name)), "kube2iam-kiam-annotation")
	}
}

func refusedBy(t *testing.T, what string, a harness.Answer, rule string) {
	t.Helper()
	if a.Verdict != harness.Denied || !harness.NamesRule(a.Message, rule) {
		t.Errorf("%s: want it denied by %s, the answer was: %s", what, rule, a)
	}
}

// posted is the answer to a submitter who posts JSON to a path.
func posted(ctx context.Context, t *testing.T, path, body string) harness.Answer {
	t.Helper()
	client, err := kubernetes.NewForConfig(cp.ImpersonationConfig(harness.Submitter, harness.SubmitterGroup, everything))
	if err != nil {
		t.Fatal(err)
	}
	err = client.RESTClient().Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(ctx).Error()
	return harness.Classify(err, nil)
}
