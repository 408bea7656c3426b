package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/emrguard/emrguard/test/harness"
)

const (
	// loadNamespaces are managed, so that what concerns all of them costs a hundredfold.
	loadNamespaces = 100
	// loadRate is how many other requests come in a second.
	loadRate = 200
	// mayCost is what the largest request may add to the memory of the process.
	mayCost = 64 << 20
)

// status reads a field of /proc/<pid>/status, in bytes.
func status(t *testing.T, field string) int64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", guard.PID()))
	if err != nil {
		t.Skipf("memory is measured on Linux: %v", err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("/proc/<pid>/status has no %s", field)
	return 0
}

// peak measures how far the memory of the process rises above what it is now.
func peak(t *testing.T) func() int64 {
	t.Helper()
	idle := status(t, "VmRSS")
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", guard.PID()), []byte("5"), 0o600); err != nil {
		t.Skipf("the peak of memory cannot be measured here: %v", err)
	}
	return func() int64 { return status(t, "VmHWM") - idle }
}

// load sends good and bad Pods, so many a second, until it is stopped. Every answer
// has to be the right one; ofBad is that for the bad ones.
type load struct {
	stop func()
	mu   sync.Mutex
	took []time.Duration
	errs []error
}

func startLoad(t *testing.T, ns string, rate int, ofBad harness.Verdict) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{}
	client := administrator(t)
	good, bad := pod(t, ns, "good", nil), pod(t, ns, "bad", func(p *corev1.Pod) { p.Spec.HostNetwork = true })
	var all sync.WaitGroup
	places := make(chan struct{}, 100) // as an API server, this client has an end
	all.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			select {
			case places <- struct{}{}:
			default:
				continue
			}
			all.Go(func() {
				defer func() { <-places }()
				obj, verdict := good, harness.Allowed
				if i%2 == 1 {
					obj, verdict = bad, ofBad
				}
				start := time.Now()
				a, _ := client.Create(context.WithoutCancel(ctx), obj.DeepCopy(), harness.DryRun)
				l.note(time.Since(start), a, verdict)
			})
		}
	})
	l.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(l.stop)
	return l
}

func (l *load) note(took time.Duration, a harness.Answer, want harness.Verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, took)
	if a.Verdict != want {
		l.errs = append(l.errs, fmt.Errorf("after %s: %s, want %s", took, a, want))
	}
}

// end stops the load and reports answers that were not right.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	if len(l.took) == 0 {
		t.Error("nothing was sent beside")
	}
	if len(l.errs) > 0 {
		t.Errorf("%d of %d answers were wrong: %v", len(l.errs), len(l.took), errors.Join(l.errs[:min(3, len(l.errs))]...))
	}
}

// answered says how many answers came so far.
func (l *load) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.took)
}

// p99 is the time within which 99 of 100 answers came, after the end.
func (l *load) p99() time.Duration {
	if len(l.took) == 0 {
		return 0
	}
	slices.Sort(l.took)
	return l.took[(len(l.took)-1)*99/100].Round(100 * time.Microsecond)
}

// largeObjects are of the sizes that etcd takes, each a violation.
func largeObjects(t *testing.T, ns string) map[string]*unstructured.Unstructured {
	t.Helper()
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "mallory"}}
	for i := range 20_000 {
		subjects = append(subjects, rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: fmt.Sprintf("u%d", i)})
	}
	binding, err := harness.FromObject(&rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: "largest"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   subjects,
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := pod(t, ns, "keys", func(p *corev1.Pod) {
		for i := range 55_000 {
			p.Spec.Containers[0].Args = append(p.Spec.Containers[0].Args, "AKIA"+strings.Repeat("A", 9)+strings.Map(digit, fmt.Sprintf("%07s", strconv.FormatInt(int64(i), 6))))
		}
	})
	escaped := pod(t, ns, "escaped", func(p *corev1.Pod) {
		p.Spec.HostNetwork = true
		p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, corev1.EnvVar{Name: "PAD", Value: strings.Repeat("<", 1_300_000)})
	})
	return map[string]*unstructured.Unstructured{"subjects": binding, "keys": keys, "escaped": escaped}
}

func labelledNamespace(t *testing.T, name string, labels map[string]string) *unstructured.Unstructured {
	t.Helper()
	obj, err := harness.FromObject(&corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// digit turns a digit of base 6 into one of the six that keys have, and padding into
// the first.
func digit(r rune) rune {
	if r == ' ' {
		return '2'
	}
	return r - '0' + '2'
}

// TestLargestObjects proves that the largest objects that etcd takes are refused, in
// a hundred managed namespaces, while others come as always: nothing times out, and
// the memory of the process stays bounded.
func TestLargestObjects(t *testing.T) {
	const ns = "load"
	podNamespace(t, ns, managed())
	client := administrator(t)
	for i := range loadNamespaces {
		namespace := labelledNamespace(t, fmt.Sprintf("load-%d", i), managed())
		a, _ := client.Create(t.Context(), namespace)
		if !a.Done() {
			t.Fatal(a)
		}
		// Policies ask about every managed namespace: those of other tests need not wait.
		t.Cleanup(func() { _ = client.Delete(context.WithoutCancel(t.Context()), namespace) })
	}
	large := largeObjects(t, ns)
	// The API server, etcd and the client take their part of the two cores as well, so
	// the others wait for a large object even where nobody judges it.
	control := map[string]slowed{}
	withoutGuard(t, ns, func() {
		for _, name := range slices.Sorted(maps.Keys(large)) {
			control[name], _ = besideLarge(t, ns, name, large[name], harness.Allowed)
		}
	})
	for _, name := range slices.Sorted(maps.Keys(large)) {
		t.Run(name, func(t *testing.T) {
			with, rise := besideLarge(t, ns, name, large[name], harness.Denied)
			if rise > mayCost {
				t.Errorf("the memory rose by %d MiB", rise>>20)
			}
			t.Logf("%s: the memory rose by %d MiB; 99 of 100 others were answered within %s; where nobody judges anything, within %s", name, rise>>20, with, control[name])
		})
	}
}

// slowed is how long 99 of 100 requests took, without large objects and beside them.
type slowed struct{ without, beside time.Duration }

func (s slowed) String() string {
	return fmt.Sprintf("%s (%s without the large ones: %.1f times)", s.beside, s.without, float64(s.beside)/float64(s.without))
}

// besideLarge sends one large object after the other while others are sent, and
// returns how long those took and how far the memory of the process rose.
func besideLarge(t *testing.T, ns, name string, obj *unstructured.Unstructured, verdict harness.Verdict) (slowed, int64) {
	t.Helper()
	client := administrator(t)
	warm := startLoad(t, ns, loadRate, verdict) // what runs anyway belongs to idle
	for warm.answered() < 5*loadRate {
		if a, _ := client.Create(t.Context(), pod(t, ns, "good", nil), harness.DryRun); a.Verdict != harness.Allowed {
			t.Fatal(a)
		}
	}
	warm.end(t)
	risen := peak(t)
	beside := startLoad(t, ns, loadRate, verdict)
	for range 10 {
		want(t, name, sendPlain(t, http.MethodPost, obj, true), verdict)
	}
	beside.end(t)
	return slowed{warm.p99(), beside.p99()}, risen()
}

// withoutGuard takes the webhook configuration away for a time.
func withoutGuard(t *testing.T, ns string, do func()) {
	t.Helper()
	client := administrator(t)
	configuration := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": map[string]any{"name": harness.ReleaseName},
	}}
	was, err := client.Get(t.Context(), configuration)
	if err != nil {
		t.Fatal(err)
	}
	was.SetResourceVersion("")
	was.SetUID("")
	wait := func(verdict harness.Verdict) {
		if err := guard.WaitForGuard(t.Context(), ns, verdict); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "take the webhook configuration away", client.Delete(t.Context(), configuration))
	defer func() {
		a, _ := client.Create(t.Context(), was)
		must(t, "bring the webhook configuration back", a)
		wait(harness.Denied)
	}()
	wait(harness.Allowed)
	do()
}

// TestLargestBodies proves that an update of the largest ConfigMap of characters that
// JSON escapes is judged, not refused for its size.
func TestLargestBodies(t *testing.T) {
	const ns = "largest-bodies"
	podNamespace(t, ns, managed())
	cm, err := harness.FromObject(&corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: "escaped", Namespace: ns},
		Data:       map[string]string{"page": strings.Repeat("<", 1_040_000)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "create", sendPlain(t, http.MethodPost, cm, false), harness.Allowed)
	cm.SetLabels(map[string]string{"a": "b"})
	want(t, "update", sendPlain(t, http.MethodPut, cm, false), harness.Allowed)
}

// sendPlain sends an object as JSON without escapes, as whoever wants to get past a
// limit would: the API server itself escapes what it sends to webhooks.
func sendPlain(t *testing.T, method string, obj *unstructured.Unstructured, dryRun bool) harness.Answer {
	t.Helper()
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(obj.Object); err != nil {
		t.Fatal(err)
	}
	path := map[string]string{
		"Pod": "/api/v1/namespaces/" + obj.GetNamespace() + "/pods", "ConfigMap": "/api/v1/namespaces/" + obj.GetNamespace() + "/configmaps",
		"ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
	}[obj.GetKind()]
	if method == http.MethodPut {
		path += "/" + obj.GetName()
	}
	req := cp.Clientset().RESTClient().Verb(method).AbsPath(path).SetHeader("Content-Type", "application/json").Body(body.Bytes()).MaxRetries(0)
	if dryRun {
		req.Param("dryRun", "All")
	}
	return harness.Classify(req.Do(t.Context()).Error(), nil)
}
