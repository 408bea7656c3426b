package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/emrguard/emrguard/pkg/emr"
)

// What EKS's pod identity webhook reads
// (github.com/aws/amazon-eks-pod-identity-webhook).
const (
	roleARNAnnotation = "eks.amazonaws.com/role-arn"
	skipWebhookLabel  = "eks.amazonaws.com/skip-pod-identity-webhook"
)

// Region is the AWS region that the pod identity stand-in injects.
const Region = "us-east-1"

// podIdentityName is the name of the real webhook's configuration.
const podIdentityName = "pod-identity-webhook"

// PodIdentityStandIn is a mutating webhook that does to a new Pod what EKS's pod
// identity webhook does, for IAM roles for service accounts. On EKS that webhook
// is a part of the managed control plane. Unlike the real one it reads the
// ServiceAccount from the API server for every Pod, so that no cache can lag
// behind.
type PodIdentityStandIn struct {
	*mutator
	accounts kubernetes.Interface
}

// startPodIdentity serves the stand-in on the loopback address and registers it.
func startPodIdentity(ctx context.Context, cp *ControlPlane) (*PodIdentityStandIn, error) {
	p := &PodIdentityStandIn{accounts: cp.clientset}
	var err error
	if p.mutator, err = cp.serveMutator("pod identity stand-in", p.handle); err != nil {
		return nil, err
	}

	config := podIdentityConfiguration(p.url, cp.CA.PEM)
	if _, err := cp.clientset.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(ctx, config, metav1.CreateOptions{}); err != nil {
		return nil, errors.Join(fmt.Errorf("register the pod identity stand-in: %w", err), p.stop())
	}
	if err := p.waitUntilCalled(ctx, cp); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// podIdentityConfiguration is the registration as the project publishes it, with
// a URL in place of a Service.
func podIdentityConfiguration(url string, ca []byte) *admissionregistrationv1.MutatingWebhookConfiguration {
	ignore := admissionregistrationv1.Ignore
	none := admissionregistrationv1.SideEffectClassNone
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: podIdentityName},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name:          podIdentityName + ".amazonaws.com",
			FailurePolicy: &ignore,
			SideEffects:   &none,
			ClientConfig:  admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"},
				},
			}},
			ObjectSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
				Key: skipWebhookLabel, Operator: metav1.LabelSelectorOpDoesNotExist,
			}}},
			AdmissionReviewVersions: []string{"v1"},
		}},
	}
}

// waitUntilCalled returns when the API server calls the stand-in: it learns of a
// new registration a moment after storing it, and the policy Ignore would hide
// that from a test.
func (p *PodIdentityStandIn) waitUntilCalled(ctx context.Context, cp *ControlPlane) error {
	const name = "pod-identity-probe"
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
		Name: name, Annotations: map[string]string{roleARNAnnotation: "arn:aws:iam::123456789012:role/probe"},
	}}
	accounts := cp.clientset.CoreV1().ServiceAccounts(metav1.NamespaceDefault)
	if _, err := accounts.Create(ctx, account, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("probe the pod identity stand-in: %w", err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			ServiceAccountName: name,
			Containers:         []corev1.Container{{Name: "probe", Image: "probe"}},
		},
	}
	err := WaitFor(ctx, "the API server to call the pod identity stand-in", startTimeout, func(ctx context.Context) error {
		got, err := cp.clientset.CoreV1().Pods(metav1.NamespaceDefault).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return err
		}
		if _, ok := EnvValue(&got.Spec.Containers[0], "AWS_ROLE_ARN"); !ok {
			return errors.New("a Pod came back without AWS_ROLE_ARN")
		}
		return nil
	})
	return errors.Join(err, accounts.Delete(ctx, name, metav1.DeleteOptions{}))
}

func (p *PodIdentityStandIn) handle(ctx context.Context, req admission.Request) admission.Response {
	if req.Operation != admissionv1.Create || req.Resource.Resource != "pods" {
		return admission.Allowed("")
	}
	var pod corev1.Pod
	if err := json.Unmarshal(req.Object.Raw, &pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	name := pod.Spec.ServiceAccountName
	if name == "" {
		name = "default"
	}
	account, err := p.accounts.CoreV1().ServiceAccounts(req.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return admission.Allowed("") // the ServiceAccount admission plugin refuses the Pod
	}
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	if !InjectIRSA(&pod, account) {
		return admission.Allowed("")
	}
	changed, err := json.Marshal(&pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(req.Object.Raw, changed)
}

// InjectIRSA changes a new Pod as EKS's pod identity webhook does for a
// ServiceAccount, and reports whether it changed anything.
func InjectIRSA(pod *corev1.Pod, account *corev1.ServiceAccount) bool {
	return emr.Inject(&pod.ObjectMeta, &pod.Spec, emr.Injection{Annotations: account.Annotations, Region: Region})
}

// EnvValue returns the literal value of an environment variable of a container.
func EnvValue(c *corev1.Container, name string) (string, bool) {
	for _, e := range c.Env {
		if e.Name == name && e.ValueFrom == nil {
			return e.Value, true
		}
	}
	return "", false
}
