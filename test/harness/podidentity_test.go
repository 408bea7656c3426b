package harness

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/emr"
)

const testRole = "arn:aws:iam::123456789012:role/JobExecutionRole"

func roleAccount(annotations map[string]string) *corev1.ServiceAccount {
	all := map[string]string{roleARNAnnotation: testRole}
	maps.Copy(all, annotations)
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "n", Annotations: all}}
}

func twoContainerPod() *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "init"}},
		Containers:     []corev1.Container{{Name: "main"}, {Name: "side"}},
	}}
}

func envNames(c corev1.Container) []string {
	var names []string
	for _, e := range c.Env {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

var allInjected = []string{
	"AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ROLE_ARN", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_WEB_IDENTITY_TOKEN_FILE",
}

func TestInjectIRSA(t *testing.T) {
	pod := twoContainerPod()
	if !InjectIRSA(pod, roleAccount(nil)) {
		t.Fatal("not injected")
	}
	for _, c := range append(slices.Clone(pod.Spec.InitContainers), pod.Spec.Containers...) {
		if got := envNames(c); !slices.Equal(got, allInjected) {
			t.Errorf("%s: env %q, want %q", c.Name, got, allInjected)
		}
		if role, _ := EnvValue(&c, "AWS_ROLE_ARN"); role != testRole {
			t.Errorf("%s: AWS_ROLE_ARN %q", c.Name, role)
		}
		if file, _ := EnvValue(&c, "AWS_WEB_IDENTITY_TOKEN_FILE"); file != "/var/run/secrets/eks.amazonaws.com/serviceaccount/token" {
			t.Errorf("%s: token file %q", c.Name, file)
		}
		if len(c.VolumeMounts) != 1 || c.VolumeMounts[0].Name != "aws-iam-token" || !c.VolumeMounts[0].ReadOnly {
			t.Errorf("%s: mounts %v", c.Name, c.VolumeMounts)
		}
	}
	if len(pod.Spec.Volumes) != 1 {
		t.Fatalf("volumes %v", pod.Spec.Volumes)
	}
	token := pod.Spec.Volumes[0].Projected.Sources[0].ServiceAccountToken
	if token.Audience != "sts.amazonaws.com" || *token.ExpirationSeconds != 86400 || token.Path != "token" {
		t.Errorf("token %+v", token)
	}
	if InjectIRSA(pod, roleAccount(nil)) {
		t.Error("a second injection changed the Pod")
	}
}

func TestInjectIRSALeavesAlone(t *testing.T) {
	t.Run("an account without a role", func(t *testing.T) {
		if InjectIRSA(twoContainerPod(), &corev1.ServiceAccount{}) {
			t.Error("injected")
		}
	})
	t.Run("containers of skip-containers", func(t *testing.T) {
		pod := twoContainerPod()
		pod.Annotations = map[string]string{emr.AnnotationSkipContainers: "side, init"}
		InjectIRSA(pod, roleAccount(nil))
		if len(pod.Spec.InitContainers[0].Env) != 0 || len(pod.Spec.Containers[1].Env) != 0 {
			t.Error("a skipped container was injected")
		}
		if len(pod.Spec.Containers[0].Env) == 0 {
			t.Error("main was not injected")
		}
	})
	t.Run("a role set by hand", func(t *testing.T) {
		pod := twoContainerPod()
		pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "AWS_ROLE_ARN", Value: "mine"}, {Name: "AWS_REGION", Value: "eu-west-1"}}
		InjectIRSA(pod, roleAccount(nil))
		if got, want := envNames(pod.Spec.Containers[0]), []string{"AWS_REGION", "AWS_ROLE_ARN", "AWS_STS_REGIONAL_ENDPOINTS"}; !slices.Equal(got, want) {
			t.Errorf("env %q, want %q", got, want)
		}
		if role, _ := EnvValue(&pod.Spec.Containers[0], "AWS_ROLE_ARN"); role != "mine" {
			t.Errorf("AWS_ROLE_ARN %q was overridden", role)
		}
	})
}

func TestInjectIRSAAnnotations(t *testing.T) {
	pod := twoContainerPod()
	pod.Annotations = map[string]string{"eks.amazonaws.com/token-expiration": "1"}
	InjectIRSA(pod, roleAccount(map[string]string{
		"eks.amazonaws.com/audience": "example.com", "eks.amazonaws.com/sts-regional-endpoints": "false", "eks.amazonaws.com/token-expiration": "3600",
	}))
	token := pod.Spec.Volumes[0].Projected.Sources[0].ServiceAccountToken
	if token.Audience != "example.com" {
		t.Errorf("audience %q", token.Audience)
	}
	if *token.ExpirationSeconds != 600 {
		t.Errorf("expiration %d: the Pod's goes first and is at least 600", *token.ExpirationSeconds)
	}
	if _, ok := EnvValue(&pod.Spec.Containers[0], "AWS_STS_REGIONAL_ENDPOINTS"); ok {
		t.Error("AWS_STS_REGIONAL_ENDPOINTS although the account turns it off")
	}
}
