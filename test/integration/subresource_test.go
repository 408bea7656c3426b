package integration

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/emrguard/emrguard/test/fixtures"
	"github.com/emrguard/emrguard/test/harness"
)

// post sends a CONNECT, or a request for a token: neither has a client that sends
// an object.
func post(t *testing.T, f *fixtures.Fixture) harness.Answer {
	t.Helper()
	ctx := t.Context()
	config := cp.ImpersonationConfig(f.User, append(slices.Clone(f.Groups), everything)...)
	warnings := &warningList{}
	config.WarningHandler = warnings
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var uid types.UID // a node may ask for no token without it
	if f.Bound != "" {
		pod, err := cp.Clientset().CoreV1().Pods(f.Object.GetNamespace()).Get(ctx, f.Bound, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		uid = pod.UID
	}
	body, err := f.Body(uid)
	if err != nil {
		t.Fatal(err)
	}
	data, err := body.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	r := client.CoreV1().RESTClient().Post().Resource(f.Plural()).Name(f.Object.GetName()).SubResource(f.Subresource)
	if ns := f.Object.GetNamespace(); ns != "" {
		r.Namespace(ns)
	}
	if f.IsToken() {
		r.SetHeader("Content-Type", "application/json").Body(data)
	} else {
		for key, value := range map[string]string{"command": "true", "stdout": "true"} {
			r.Param(key, value)
		}
	}
	return reached(f, harness.Classify(r.Do(ctx).Error(), warnings.texts()), warnings.texts())
}

// reached is the answer to a CONNECT. There is no kubelet behind the API server, so
// whatever came through admission fails there, as not found too: the proxy of a
// Service looks into a cache.
func reached(f *fixtures.Fixture, a harness.Answer, warnings []string) harness.Answer {
	failed := a.Verdict == harness.Failed || a.Verdict == harness.Invalid
	if f.IsToken() || !failed || slices.Contains([]int32{0, http.StatusForbidden, http.StatusMethodNotAllowed}, a.Code) {
		return a
	}
	through := harness.Classify(nil, warnings)
	through.Message = fmt.Sprintf("(%d) %s", a.Code, a.Message)
	return through
}

// warningList keeps the warnings of one request.
type warningList struct {
	mu   sync.Mutex
	list []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warningList) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, text)
}

func (w *warningList) texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}
