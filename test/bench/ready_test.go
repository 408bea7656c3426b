package bench_test

import (
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/test/harness"
)

// BenchmarkStartToReady is how long the process takes from its start until it is
// ready, beside a real API server with the smaller of the two clusters.
func BenchmarkStartToReady(b *testing.B) {
	cp, err := harness.Start(b.Context(), harness.Options{WithoutControllers: true, WithoutPodIdentity: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			b.Error(err)
		}
	})
	create(b, cp, worlds[0].objects())
	chart, err := cp.InstallChart(b.Context(), map[string]any{"emr": map[string]any{"namespaces": []string{"team-1"}}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		w, err := cp.StartWebhook(b.Context(), chart, "--shutdown-delay=0s")
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := w.Stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// create creates the objects, namespaces first.
func create(b *testing.B, cp *harness.ControlPlane, objects []client.Object) {
	b.Helper()
	config := cp.AdminConfig()
	config.QPS = -1
	c, err := client.New(config, client.Options{})
	if err != nil {
		b.Fatal(err)
	}
	todo := make(chan client.Object)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for obj := range todo {
				if err := c.Create(b.Context(), obj); err != nil && !apierrors.IsAlreadyExists(err) {
					b.Errorf("create %T %s: %v", obj, obj.GetName(), err)
				}
			}
		})
	}
	for _, obj := range objects {
		todo <- obj
	}
	close(todo)
	workers.Wait()
	if b.Failed() {
		b.FailNow()
	}
}
