// Package bench measures emrguard beside webhooks that always allow, so that a
// figure never depends on the machine alone.
package bench_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/test/harness"
)

const namespace = "emr-jobs"

// fixture is the realistic driver pod of a complete EMR job, after mutation, and
// the cluster around it.
type fixture struct {
	engine *engine.Engine
	facts  *cluster.Snapshot
	pod    []byte
	user   authenticationv1.UserInfo
}

func load(tb testing.TB) *fixture {
	tb.Helper()
	job, err := harness.LoadEMRJob(namespace)
	if err != nil {
		tb.Fatal(err)
	}
	pod, err := job.DriverPod()
	if err != nil {
		tb.Fatal(err)
	}
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	raw, err := json.Marshal(pod)
	if err != nil {
		tb.Fatal(err)
	}
	c := config.Default()
	c.EMR.Namespaces = []string{namespace}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		tb.Fatal(err)
	}
	facts := &cluster.Snapshot{}
	for _, account := range job.ServiceAccounts {
		var sa corev1.ServiceAccount
		if err := harness.ToObject(account, &sa); err != nil {
			tb.Fatal(err)
		}
		facts.Set(&sa)
	}
	user := harness.ServiceAccountUser(namespace, harness.ManagedAccount("client"))
	return &fixture{e, facts, raw, authenticationv1.UserInfo{Username: user, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}}}
}

func (f *fixture) decode(tb testing.TB) *object.Object {
	tb.Helper()
	res, _ := object.Find(schema.GroupResource{Resource: "pods"})
	o, err := object.Decode(res, f.pod)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

func (f *fixture) request(o *object.Object) *rule.Request {
	res, _ := object.Find(schema.GroupResource{Resource: "pods"})
	return f.engine.NewRequest(&engine.Incoming{
		Operation: rule.Create, Resource: res, Namespace: namespace, Name: o.Meta.Name, User: f.user.Username, Groups: f.user.Groups, Object: o,
	}, f.facts)
}

// review is what the API server posts.
func (f *fixture) review(b *testing.B) []byte {
	b.Helper()
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "1", Kind: metav1.GroupVersionKind{Version: "v1", Kind: "Pod"}, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			Namespace: namespace, Name: "driver", Operation: admissionv1.Create, UserInfo: f.user, Object: runtime.RawExtension{Raw: f.pod},
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return body
}

func (f *fixture) handler() http.Handler {
	return &admission.Handler{
		Budget: admission.DefaultBudget(),
		Reviewer: admission.Reviewer{
			Endpoint: admission.Managed, Engine: func() *engine.Engine { return f.engine }, Facts: f.facts, Metrics: metrics.New(prometheus.NewRegistry()), Log: logr.Discard(),
		},
	}
}

// BenchmarkDecode is the Pod from its JSON, with everything that rules read.
func BenchmarkDecode(b *testing.B) {
	f := load(b)
	b.SetBytes(int64(len(f.pod)))
	b.ReportAllocs()
	for b.Loop() {
		f.decode(b)
	}
}

// BenchmarkEngine is all rules and the decision for the decoded Pod.
func BenchmarkEngine(b *testing.B) {
	f := load(b)
	o := f.decode(b)
	b.ReportAllocs()
	for b.Loop() {
		if v := f.engine.Review(b.Context(), f.request(o), nil); !v.Allowed() || len(v.Warned)+len(v.Audited) > 0 {
			b.Fatalf("the driver pod has findings: %+v", v)
		}
	}
}

// Allocations are counted, not timed, so a test can hold them.
func TestEngineAllocations(t *testing.T) {
	f := load(t)
	o := f.decode(t)
	const most = 60
	if got := testing.AllocsPerRun(100, func() { f.engine.Review(t.Context(), f.request(o), nil) }); got > most {
		t.Errorf("the engine makes %.0f allocations for the driver pod, at most %d are allowed", got, most)
	}
}

func quantile(list []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(float64(len(sorted)-1)*q)]
}

type server struct {
	url    string
	client *http.Client
}

func serve(b *testing.B, h http.Handler) *server {
	b.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	s.StartTLS()
	b.Cleanup(s.Close)
	return &server{s.URL, s.Client()}
}

func (s *server) ask(b *testing.B, body []byte) time.Duration {
	b.Helper()
	start := time.Now()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.url+"/?timeout=3s", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	took := time.Since(start)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte(`"allowed":true`)) {
		b.Fatalf("%s: %s: %v", resp.Status, answer, err)
	}
	if err := resp.Body.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}
