package bench_test

import (
	"bytes"
	"context"
	"net/http"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	ctrladmission "sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// What the benchmarks below compare emrguard with, by the name in their figures.
const (
	guard    = "emrguard"
	decoding = "allow-decoding" // a webhook that decodes the Pod and allows it
	blind    = "allow-blind"    // a webhook that allows every request unseen
)

// mostOfBlind is how much more than the webhook that allows unseen emrguard may cost.
const mostOfBlind = 1.25

// contenders are emrguard and two webhooks on controller-runtime that allow
// everything: they show what a webhook costs before it has judged anything.
func contenders(b *testing.B, f *fixture) map[string]http.Handler {
	b.Helper()
	ctrllog.SetLogger(logr.Discard()) // otherwise it complains after a while
	decoder := ctrladmission.NewDecoder(scheme.Scheme)
	return map[string]http.Handler{
		guard: f.handler(),
		decoding: alwaysAllow(b, func(req ctrladmission.Request) error {
			var pod corev1.Pod
			return decoder.Decode(req, &pod)
		}),
		blind: alwaysAllow(b, func(ctrladmission.Request) error { return nil }),
	}
}

// alwaysAllow is controller-runtime's webhook around a handler that looks at a
// request and allows it.
func alwaysAllow(b *testing.B, look func(ctrladmission.Request) error) http.Handler {
	b.Helper()
	h, err := ctrladmission.StandaloneWebhook(&ctrladmission.Webhook{
		Handler: ctrladmission.HandlerFunc(func(_ context.Context, req ctrladmission.Request) ctrladmission.Response {
			if err := look(req); err != nil {
				return ctrladmission.Errored(http.StatusBadRequest, err)
			}
			return ctrladmission.Allowed("")
		}),
	}, ctrladmission.StandaloneOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// BenchmarkHandlerCPU is the processor time (user and system, garbage collection
// included) that the whole handler takes for the review of the driver pod, beside
// the two webhooks. All get the same request and the same ResponseWriter, without a
// network, because the network's share would only hide the difference.
//
// They take turns in rounds. The figures are the medians of the rounds and, for the
// ratios, the medians of the ratios within each round: so another process on the
// same cores, which slows all of them, changes little. The benchmark fails when
// emrguard takes more than 1.25 times as long as the webhook that allows unseen.
func BenchmarkHandlerCPU(b *testing.B) {
	const rounds, requests = 15, 1000
	f := load(b)
	body := f.review(b)
	handlers := contenders(b, f)
	took := map[string][]float64{}
	ask := func(name string, n int) time.Duration {
		runtime.GC() // the garbage of one contender is not the other one's affair
		start := cpuTime(b)
		for range n {
			answer(b, handlers[name], body)
		}
		runtime.GC()
		return cpuTime(b) - start
	}
	for b.Loop() {
		clear(took)
		for round := range rounds + 1 {
			for _, name := range []string{guard, decoding, blind} {
				if d := ask(name, requests); round > 0 { // the first one fills pools and caches
					took[name] = append(took[name], float64(d.Microseconds())/requests)
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, name := range []string{guard, decoding, blind} {
		b.ReportMetric(median(took[name]), name+"-µs")
		if name != guard {
			b.ReportMetric(ratio(took[guard], took[name]), "cpu/"+name)
		}
	}
	if r := ratio(took[guard], took[blind]); r > mostOfBlind {
		b.Errorf("emrguard takes %.2f times the processor time of a webhook that allows unseen, at most %.2f are allowed", r, mostOfBlind)
	}
}

// answer has a handler answer one request in memory.
func answer(b *testing.B, h http.Handler, body []byte) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://emrguard/managed?timeout=3s", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.RemoteAddr = "192.0.2.1:1234"
	req.Header.Set("Content-Type", "application/json")
	w := memory{header: http.Header{}}
	h.ServeHTTP(&w, req)
	if !bytes.Contains(w.body, []byte(`"allowed":true`)) {
		b.Fatalf("%d %s", w.status, w.body)
	}
}

// memory is a ResponseWriter that keeps the answer.
type memory struct {
	header http.Header
	body   []byte
	status int
}

func (m *memory) Header() http.Header { return m.header }

func (m *memory) WriteHeader(status int) { m.status = status }

func (m *memory) Write(p []byte) (int, error) {
	m.body = append(m.body, p...)
	return len(p), nil
}

// cpuTime is the processor time of this process until now.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkHTTPS asks emrguard and the two webhooks in turn, each over one kept
// connection as the API server does, and reports the medians and their ratios. It fails
// when emrguard's median is more than 1.25 times that of the webhook that allows unseen.
func BenchmarkHTTPS(b *testing.B) {
	f := load(b)
	body := f.review(b)
	servers := map[string]*server{}
	for name, h := range contenders(b, f) {
		servers[name] = serve(b, h)
		for range 200 { // connections, pools and branch predictors
			servers[name].ask(b, body)
		}
	}
	took := map[string][]time.Duration{}
	for b.Loop() {
		for _, name := range []string{guard, decoding, blind} {
			took[name] = append(took[name], servers[name].ask(b, body))
		}
	}
	b.ReportMetric(0, "ns/op") // three requests: no figure of anything
	for _, name := range []string{guard, decoding, blind} {
		p50 := quantile(took[name], .5)
		b.ReportMetric(float64(p50.Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(quantile(took[name], .99).Microseconds()), name+"-p99-µs")
		if name != guard {
			b.ReportMetric(float64(quantile(took[guard], .5))/float64(p50), "p50/"+name)
		}
	}
	if r := float64(quantile(took[guard], .5)) / float64(quantile(took[blind], .5)); r > mostOfBlind && b.N >= 100 {
		b.Errorf("emrguard's median is %.2f times that of a webhook that allows unseen, at most %.2f are allowed", r, mostOfBlind)
	}
}

func median(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }

// ratio is the median of the ratios of each pair.
func ratio(a, b []float64) float64 {
	quotients := make([]float64, len(a))
	for i := range a {
		quotients[i] = a[i] / b[i]
	}
	return median(quotients)
}
