package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// AccountLabel on a Pod is the short name of the ServiceAccount that an
// AccountChanger puts into it. A label value is too short for managed names.
const AccountLabel = "emrguard-test/account"

// AccountChanger is a mutating webhook that does what the guide fears of one: it
// changes the ServiceAccount of new Pods. It acts in one namespace, and on Pods with
// AccountLabel alone.
type AccountChanger struct {
	*mutator
	accounts map[string]string
	remove   func(context.Context) error
}

// StartAccountChanger serves an AccountChanger for a namespace on the loopback
// address and registers it. accounts are the names of ServiceAccounts by their short
// names. It returns when the API server calls the webhook.
func (cp *ControlPlane) StartAccountChanger(ctx context.Context, namespace string, accounts map[string]string) (*AccountChanger, error) {
	c := &AccountChanger{accounts: accounts}
	var err error
	if c.mutator, err = cp.serveMutator("account changer", c.handle); err != nil {
		return nil, err
	}

	name := "account-changer-" + namespace
	configurations := cp.clientset.AdmissionregistrationV1().MutatingWebhookConfigurations()
	config := accountChangerConfiguration(name, namespace, c.url, cp.CA.PEM)
	if _, err := configurations.Create(ctx, config, metav1.CreateOptions{}); err != nil {
		return nil, errors.Join(fmt.Errorf("register the account changer: %w", err), c.Stop(ctx))
	}
	c.remove = func(ctx context.Context) error { return configurations.Delete(ctx, name, metav1.DeleteOptions{}) }
	if err := c.waitUntilCalled(ctx, cp, namespace); err != nil {
		return nil, errors.Join(err, c.Stop(ctx))
	}
	return c, nil
}

func accountChangerConfiguration(name, namespace, url string, ca []byte) *admissionregistrationv1.MutatingWebhookConfiguration {
	fail := admissionregistrationv1.Fail
	none := admissionregistrationv1.SideEffectClassNone
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name:          "account-changer.example.com",
			FailurePolicy: &fail,
			SideEffects:   &none,
			ClientConfig:  admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"},
				},
			}},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
			ObjectSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
				Key: AccountLabel, Operator: metav1.LabelSelectorOpExists,
			}}},
			AdmissionReviewVersions: []string{"v1"},
		}},
	}
}

// waitUntilCalled returns when the API server calls the webhook. The Pod with which
// it tries is one that the webhook refuses.
func (c *AccountChanger) waitUntilCalled(ctx context.Context, cp *ControlPlane, namespace string) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "account-changer-probe-", Labels: map[string]string{AccountLabel: "probe"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "probe"}}},
	}
	return WaitFor(ctx, "the API server to call the account changer", startTimeout, func(ctx context.Context) error {
		_, err := cp.clientset.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if a := Classify(err, nil); a.Webhook != "account-changer.example.com" {
			return fmt.Errorf("the answer to a Pod of an unknown account was: %s", a)
		}
		return nil
	})
}

// Stop removes the registration and ends the server.
func (c *AccountChanger) Stop(ctx context.Context) error {
	var errs []error
	if c.remove != nil {
		errs = append(errs, c.remove(ctx))
	}
	return errors.Join(append(errs, c.stop())...)
}

func (c *AccountChanger) handle(_ context.Context, req admission.Request) admission.Response {
	var pod corev1.Pod
	if err := json.Unmarshal(req.Object.Raw, &pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	short := pod.Labels[AccountLabel]
	name, ok := c.accounts[short]
	if !ok {
		return admission.Denied(fmt.Sprintf("no account is called %q", short))
	}
	pod.Spec.ServiceAccountName, pod.Spec.DeprecatedServiceAccount = name, name
	changed, err := json.Marshal(&pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(req.Object.Raw, changed)
}
