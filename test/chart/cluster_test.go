package chart_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// patience bounds every wait for the API server.
const patience = 30 * time.Second

// cluster is a real kube-apiserver with its etcd.
type cluster struct {
	client.WithWatch
	config     *rest.Config
	kubeconfig string
}

// assets are the control plane's binaries, built when KUBEBUILDER_ASSETS is
// not set.
var assets = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("KUBEBUILDER_ASSETS"); path != "" {
		return path, nil
	}
	return runScript(filepath.Join(repository, "test/kube/build.sh"))
})

// startCluster starts an API server for one test.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	folder, err := assets()
	if err != nil {
		t.Fatalf("no control plane: %v", err)
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: folder,
		// Many processes may be busy when all tests of the project run.
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	config, err := environment.Start()
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stop the control plane: %v", err)
		}
	})
	if err != nil {
		t.Fatalf("start the control plane of %s: %v", folder, err)
	}
	watching, err := client.NewWithWatch(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, environment.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return &cluster{WithWatch: watching, config: config, kubeconfig: kubeconfig}
}

// helm runs Helm against the cluster and answers its output.
func (c *cluster) helm(t *testing.T, helm string, args ...string) string {
	t.Helper()
	args = append(args, "--namespace", releaseNamespace)
	stdout, stderr, err := run(t, []string{"KUBECONFIG=" + c.kubeconfig}, helm, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", helm, strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// eventually waits until the condition answers nil.
func eventually(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		last = condition(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v: %v", what, err, last)
	}
}

func (c *cluster) createNamespace(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	if err := c.Create(t.Context(), namespace); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatalf("create namespace %s: %v", name, err)
	}
}

// createPod creates a pod, and deletes it when that succeeds.
func (c *cluster) createPod(ctx context.Context, namespace, name string) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest"}}},
	}
	if err := c.Create(ctx, pod); err != nil {
		return fmt.Errorf("create pod %s/%s: %w", namespace, name, err)
	}
	return c.Delete(ctx, pod, client.GracePeriodSeconds(0))
}
