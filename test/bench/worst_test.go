package bench_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	emrmetrics "github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rules"
)

// Limits of the whole admission of the largest objects that etcd takes, in a hundred
// managed namespaces.
const (
	worstNamespaces = 100
	worstMillis     = 500
	worstMiB        = 64
)

func worstRole(name string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"}, ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
}

func worstBinding(role string, subjects int) *rbacv1.ClusterRoleBinding {
	b := &rbacv1.ClusterRoleBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"}, ObjectMeta: metav1.ObjectMeta{Name: "big"},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
	for i := range subjects {
		b.Subjects = append(b.Subjects, rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: fmt.Sprintf("user-%d", i)})
	}
	return b
}

// namedRules are as many as fit into an object.
func namedRules(format string, verbs, resources []string) []rbacv1.PolicyRule {
	out := make([]rbacv1.PolicyRule, 11_000)
	for i := range out {
		out[i] = rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{""}, Resources: resources, ResourceNames: []string{fmt.Sprintf(format, i)}}
	}
	return out
}

// BenchmarkWorstRBAC is the admission of changes of RBAC that cost most. It fails when
// one takes too long, or too much memory.
func BenchmarkWorstRBAC(b *testing.B) {
	all := rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}
	get, secrets := []string{"get"}, []string{"secrets"}
	for name, w := range map[string]struct {
		exists []any
		review func(b *testing.B) []byte
	}{
		"subjects=20000": {[]any{worstRole("cluster-admin", all)}, func(b *testing.B) []byte {
			b.Helper()
			return rbacReview(b, admissionv1.Create, "clusterrolebindings", "ClusterRoleBinding", "", worstBinding("cluster-admin", 20_000), nil)
		}},
		"subjects=1000": {[]any{worstRole("cluster-admin", all)}, func(b *testing.B) []byte {
			b.Helper()
			return rbacReview(b, admissionv1.Create, "clusterrolebindings", "ClusterRoleBinding", "", worstBinding("cluster-admin", 1_000), nil)
		}},
		"rules=11000": {[]any{worstBinding("r", 10)}, func(b *testing.B) []byte {
			b.Helper()
			return rbacReview(b, admissionv1.Update, "clusterroles", "ClusterRole", "", worstRole("r", namedRules("a%d", get, secrets)...), worstRole("r", namedRules("m%d", get, secrets)...))
		}},
		"rules=11000-of-everything": {[]any{worstBinding("r", 10)}, func(b *testing.B) []byte {
			b.Helper()
			every := []string{"*"}
			return rbacReview(b, admissionv1.Update, "clusterroles", "ClusterRole", "", worstRole("r", namedRules("a%d", every, every)...), worstRole("r", namedRules("m%d", every, every)...))
		}},
	} {
		b.Run(name, func(b *testing.B) {
			facts := &cluster.Snapshot{}
			for _, o := range w.exists {
				facts.Set(o)
			}
			measureWorst(b, worstHandler(b, facts), w.review(b))
		})
	}
}

func worstHandler(tb testing.TB, facts *cluster.Snapshot) http.Handler {
	tb.Helper()
	c := config.Default()
	for i := range worstNamespaces {
		c.EMR.Namespaces = append(c.EMR.Namespaces, fmt.Sprintf("emr-%d", i))
	}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		tb.Fatal(err)
	}
	return &admission.Handler{
		Budget: admission.DefaultBudget(),
		Reviewer: admission.Reviewer{
			Endpoint: admission.Cluster, Engine: func() *engine.Engine { return e }, Facts: facts, Metrics: emrmetrics.New(prometheus.NewRegistry()), Log: logr.Discard(),
		},
	}
}

// post asks the handler.
func post(tb testing.TB, h http.Handler, body []byte) *httptest.ResponseRecorder {
	tb.Helper()
	req := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, "/cluster?timeout=3s", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// measureWorst has the handler answer again and again, with a garbage collector as the
// chart's memory limit makes it, and watches the heap meanwhile.
func measureWorst(b *testing.B, h http.Handler, body []byte) {
	b.Helper()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(230 << 20)) // 90 % of 256 MiB
	var took []time.Duration
	var most uint64
	for b.Loop() {
		runtime.GC()
		idle := heapBytes()
		watched := watchHeap(idle)
		start := time.Now()
		w := post(b, h, body)
		took = append(took, time.Since(start))
		most = max(most, watched())
		if w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), []byte(`"allowed":false`)) {
			b.Fatalf("%d %.500s", w.Code, w.Body)
		}
	}
	p99, peak := quantile(took, .99), float64(most)/(1<<20)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(quantile(took, .5).Milliseconds()), "p50-ms")
	b.ReportMetric(float64(p99.Milliseconds()), "p99-ms")
	b.ReportMetric(peak, "peak-MiB")
	if p99 > worstMillis*time.Millisecond || peak > worstMiB {
		b.Errorf("p99 %s and %.0f MiB, at most %d ms and %d MiB are allowed", p99, peak, worstMillis, worstMiB)
	}
}

// heapBytes is what objects take, those that are garbage and not collected yet too.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watchHeap looks at the heap until the function that it returns is called, which says
// how much it had grown at most.
func watchHeap(idle uint64) func() uint64 {
	stop := make(chan struct{})
	var most uint64
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			most = max(most, heapBytes())
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
		}
	})
	return func() uint64 {
		close(stop)
		done.Wait()
		return most - min(most, idle)
	}
}
