package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// What EKS's pod identity webhook reads and writes
// (github.com/aws/amazon-eks-pod-identity-webhook).
const (
	roleARNAnnotation         = "eks.amazonaws.com/role-arn"
	audienceAnnotation        = "eks.amazonaws.com/audience"
	regionalSTSAnnotation     = "eks.amazonaws.com/sts-regional-endpoints"
	tokenExpirationAnnotation = "eks.amazonaws.com/token-expiration"
	skipContainersAnnotation  = "eks.amazonaws.com/skip-containers"
	skipWebhookLabel          = "eks.amazonaws.com/skip-pod-identity-webhook"

	tokenVolume     = "aws-iam-token"
	tokenMountPath  = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
	defaultAudience = "sts.amazonaws.com"
	minExpiration   = int64(600)
	maxExpiration   = int64(86400)
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
	server   *http.Server
	accounts kubernetes.Interface
	failed   chan error
}

// startPodIdentity serves the stand-in on the loopback address and registers it.
func startPodIdentity(ctx context.Context, cp *ControlPlane) (*PodIdentityStandIn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the pod identity stand-in: %w", err)
	}
	p := &PodIdentityStandIn{accounts: cp.clientset, failed: make(chan error, 1)}
	tlsConfig, err := cp.CA.serverTLS()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	handler, err := admission.StandaloneWebhook(&admission.Webhook{Handler: admission.HandlerFunc(p.handle)}, admission.StandaloneOptions{})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.server = &http.Server{Handler: handler, TLSConfig: tlsConfig, ReadHeaderTimeout: 5 * time.Second}
	go func() { p.failed <- p.server.ServeTLS(listener, "", "") }()

	config := podIdentityConfiguration("https://"+listener.Addr().String()+"/mutate", cp.CA.PEM)
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

func (p *PodIdentityStandIn) stop() error {
	err := p.server.Close()
	if served := <-p.failed; served != nil && !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("pod identity stand-in: %w", served))
	}
	return err
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
// ServiceAccount, and reports whether it changed anything. Init and regular
// containers get the environment and the token's mount; ephemeral ones, which no
// new Pod has, do not. What a container sets itself is not overridden: with
// either AWS_ROLE_ARN or AWS_WEB_IDENTITY_TOKEN_FILE in its env it gets neither.
func InjectIRSA(pod *corev1.Pod, account *corev1.ServiceAccount) bool {
	role := account.Annotations[roleARNAnnotation]
	if role == "" {
		return false
	}
	var skip []string
	for name := range strings.SplitSeq(pod.Annotations[skipContainersAnnotation], ",") {
		skip = append(skip, strings.TrimSpace(name))
	}
	regional := true
	if value, err := strconv.ParseBool(account.Annotations[regionalSTSAnnotation]); err == nil {
		regional = value
	}
	changed := false
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			if !slices.Contains(skip, containers[i].Name) && injectContainer(&containers[i], role, regional) {
				changed = true
			}
		}
	}
	hasVolume := slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == tokenVolume })
	if changed && !hasVolume {
		pod.Spec.Volumes = append(pod.Spec.Volumes, irsaVolume(pod, account))
	}
	return changed
}

func injectContainer(c *corev1.Container, role string, regional bool) bool {
	has := func(names ...string) bool {
		return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return slices.Contains(names, e.Name) })
	}
	before := len(c.Env) + len(c.VolumeMounts)
	add := func(name, value string) { c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value}) }
	if regional && !has("AWS_STS_REGIONAL_ENDPOINTS") {
		add("AWS_STS_REGIONAL_ENDPOINTS", "regional")
	}
	if !has("AWS_REGION", "AWS_DEFAULT_REGION") {
		add("AWS_DEFAULT_REGION", Region)
		add("AWS_REGION", Region)
	}
	if !has("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE") {
		add("AWS_ROLE_ARN", role)
		add("AWS_WEB_IDENTITY_TOKEN_FILE", path.Join(tokenMountPath, "token"))
	}
	if !slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == tokenVolume }) {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: tokenVolume, ReadOnly: true, MountPath: tokenMountPath})
	}
	return len(c.Env)+len(c.VolumeMounts) != before
}

// irsaVolume is the projected token. The Pod's expiration goes before the
// account's.
func irsaVolume(pod *corev1.Pod, account *corev1.ServiceAccount) corev1.Volume {
	audience := account.Annotations[audienceAnnotation]
	if audience == "" {
		audience = defaultAudience
	}
	expiration := maxExpiration
	for _, annotations := range []map[string]string{account.Annotations, pod.Annotations} {
		if seconds, err := strconv.ParseInt(annotations[tokenExpirationAnnotation], 10, 64); err == nil {
			expiration = min(max(seconds, minExpiration), maxExpiration)
		}
	}
	return corev1.Volume{
		Name: tokenVolume,
		VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{
				ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
					Audience: audience, ExpirationSeconds: &expiration, Path: "token",
				},
			}},
		}},
	}
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
