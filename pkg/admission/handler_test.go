package admission_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

const badPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"hostNetwork":true,"containers":[{"name":"c","env":[{"name":"AWS_ACCESS_KEY_ID","value":"AKIAIOSFODNN7EXAMPLE"}]}]}}`

// endpoint is a handler behind a real HTTP server.
type endpoint struct {
	*httptest.Server
	metrics *prometheus.Registry
}

func open(t *testing.T, d admission.Endpoint, facts engine.Facts, change func(*config.Guard)) *endpoint {
	t.Helper()
	return openWith(t, d, facts, change, logr.Discard())
}

func openWith(t *testing.T, d admission.Endpoint, facts engine.Facts, change func(*config.Guard), log logr.Logger) *endpoint {
	t.Helper()
	return openRules(t, d, rules.All(), facts, change, log)
}

func openRules(t *testing.T, d admission.Endpoint, list []rule.Rule, facts engine.Facts, change func(*config.Guard), log logr.Logger) *endpoint {
	t.Helper()
	c := config.Default()
	c.EMR.Namespaces = []string{"emr-jobs"}
	if change != nil {
		change(c)
	}
	e, err := engine.New(c, list, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	s := httptest.NewServer(&admission.Handler{
		Budget: admission.DefaultBudget(),
		Reviewer: admission.Reviewer{
			Endpoint: d, Engine: func() *engine.Engine { return e }, Facts: facts, Metrics: metrics.New(registry), Log: log,
		},
	})
	t.Cleanup(s.Close)
	return &endpoint{s, registry}
}

func podReview(raw string) *admissionv1.AdmissionReview {
	return &admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "1", Kind: metav1.GroupVersionKind{Version: "v1", Kind: "Pod"}, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			Namespace: "emr-jobs", Name: "x", Operation: admissionv1.Create, UserInfo: authenticationv1.UserInfo{Username: "alice"},
			Object: runtime.RawExtension{Raw: []byte(raw)},
		},
	}
}

func encode(t *testing.T, review *admissionv1.AdmissionReview) []byte {
	t.Helper()
	body, err := json.Marshal(review)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post returns the HTTP status, and the response when there is one.
func (d *endpoint) post(t *testing.T, contentType string, body []byte) (int, *admissionv1.AdmissionResponse, string) {
	t.Helper()
	return d.postWithin(t, contentType, body, "30s")
}

// postWithin says as well how long the API server would wait.
func (d *endpoint) postWithin(t *testing.T, contentType string, body []byte, timeout string) (int, *admissionv1.AdmissionResponse, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+"/?timeout="+timeout, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := d.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // read only
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var review admissionv1.AdmissionReview
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(answer, &review); err != nil || review.Response == nil {
			t.Fatalf("answer %s: %v", answer, err)
		}
	}
	return resp.StatusCode, review.Response, string(answer)
}

func (d *endpoint) ask(t *testing.T, review *admissionv1.AdmissionReview) *admissionv1.AdmissionResponse {
	t.Helper()
	status, response, answer := d.post(t, "application/json", encode(t, review))
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, answer)
	}
	if response.UID != review.Request.UID {
		t.Fatalf("uid %q, asked with %q", response.UID, review.Request.UID)
	}
	return response
}

// askAgain asks as clients of Kubernetes do: again when the answer is to try again.
func (d *endpoint) askAgain(t *testing.T, review *admissionv1.AdmissionReview) *admissionv1.AdmissionResponse {
	t.Helper()
	const attempts = 20
	for i := 0; ; i++ {
		status, response, answer := d.post(t, "application/json", encode(t, review))
		switch again := status == http.StatusTooManyRequests || status == http.StatusRequestTimeout; {
		case again && i < attempts:
		case status != http.StatusOK:
			t.Fatalf("status %d: %s", status, answer)
		case i == attempts || response.Allowed || response.Result.Code != http.StatusTooManyRequests:
			return response
		}
	}
}

func TestDenialListsEveryFinding(t *testing.T) {
	t.Parallel()
	r := open(t, admission.Managed, &cluster.Snapshot{}, nil).ask(t, podReview(badPod))
	if r.Allowed || r.Result.Code != http.StatusForbidden || r.Result.Reason != metav1.StatusReasonForbidden {
		t.Fatalf("response %+v", r)
	}
	lines := strings.Split(r.Result.Message, "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[1], "[static-aws-credentials/") || !strings.Contains(lines[1], "] spec.containers[0].env[0]: ") ||
		!strings.HasPrefix(lines[2], "[instance-profile-access/") || !strings.Contains(lines[2], "] spec.hostNetwork: ") ||
		lines[3] != "Read more: emrguard rules static-aws-credentials, https://github.com/emrguard/emrguard/blob/main/docs/rules/static-aws-credentials.md" {
		t.Errorf("message %q, want a line for each finding with rule and path", r.Result.Message)
	}
	if strings.Contains(r.Result.Message, "AKIA") || strings.Contains(r.AuditAnnotations["deny"], "AKIA") {
		t.Error("the key is printed")
	}
	if r.AuditAnnotations["deny"] == "" {
		t.Errorf("audit annotations %v", r.AuditAnnotations)
	}
	if len(r.Warnings) != 0 {
		t.Errorf("a refused request is warned as well: %q", r.Warnings)
	}
}

func TestWarningsAreShortAndDistinct(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, func(c *config.Guard) { c.Mode = rule.Warn })
	env := strings.Repeat(`{"name":"AWS_ACCESS_KEY_ID","value":"x"},`, 40)
	long := `{"name":"` + strings.Repeat("é", 300) + `","value":"AKIAIOSFODNN7EXAMPLE"}`
	mounts := make([]string, 0, 30)
	for i := range 30 {
		mounts = append(mounts, `{"name":"v`+strings.Repeat("x", i)+`","mountPath":"/root/.aws"}`)
	}
	r := d.ask(t, podReview(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"name":"c","env":[`+env+long+`],"volumeMounts":[`+strings.Join(mounts, ",")+`]}]}}`))
	if !r.Allowed || len(r.Warnings) == 0 || len(r.Warnings) > 16 {
		t.Fatalf("allowed %t with %d warnings, want 1 to 16", r.Allowed, len(r.Warnings))
	}
	seen := map[string]bool{}
	for _, w := range r.Warnings {
		if n := len([]rune(w)); n > 256 {
			t.Errorf("a warning has %d characters", n)
		}
		if strings.Contains(w, "AKIA") {
			t.Error("the key is printed")
		}
		if seen[w] {
			t.Errorf("warned twice: %q", w)
		}
		seen[w] = true
	}
	if r.AuditAnnotations["mode"] != "warn" || r.AuditAnnotations["warn"] == "" {
		t.Errorf("audit annotations %v", r.AuditAnnotations)
	}
}

func TestBadRequestsAreNeverAllowed(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	good := encode(t, podReview(badPod))
	change := func(f func(*admissionv1.AdmissionRequest)) []byte {
		r := podReview(badPod)
		f(r.Request)
		return encode(t, r)
	}
	for name, c := range map[string]struct {
		contentType string
		body        []byte
		status      int
	}{
		"empty body":         {"application/json", nil, http.StatusBadRequest},
		"empty review":       {"application/json", []byte("{}"), http.StatusBadRequest},
		"no request":         {"application/json", []byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`), http.StatusBadRequest},
		"null request":       {"application/json", []byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null}`), http.StatusBadRequest},
		"wrong content type": {"text/plain", good, http.StatusBadRequest},
		"no content type":    {"", good, http.StatusBadRequest},
		"truncated":          {"application/json", good[:len(good)/2], http.StatusBadRequest},
		"not JSON":           {"application/json", []byte("apiVersion: v1"), http.StatusBadRequest},
		"another version":    {"application/json", bytes.Replace(good, []byte("admission.k8s.io/v1"), []byte("admission.k8s.io/v2"), 1), http.StatusBadRequest},
		"10 MiB":             {"application/json", bytes.Repeat([]byte(" "), 10<<20), http.StatusRequestEntityTooLarge},
		"no uid":             {"application/json", change(func(r *admissionv1.AdmissionRequest) { r.UID = "" }), http.StatusBadRequest},
		"kind does not fit":  {"application/json", change(func(r *admissionv1.AdmissionRequest) { r.Kind.Kind = "PodExecOptions" }), http.StatusBadRequest},
		"object does not fit": {"application/json", change(func(r *admissionv1.AdmissionRequest) {
			r.Object.Raw = []byte(`{"apiVersion":"apps/v1","kind":"Deployment"}`)
		}), http.StatusBadRequest},
		"object has no kind": {"application/json", change(func(r *admissionv1.AdmissionRequest) { r.Object.Raw = []byte(`{}`) }), http.StatusBadRequest},
		"no object":          {"application/json", change(func(r *admissionv1.AdmissionRequest) { r.Object.Raw = nil }), http.StatusBadRequest},
		"field of wrong type": {"application/json", change(func(r *admissionv1.AdmissionRequest) {
			r.Object.Raw = []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":{}}}`)
		}), http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if status, _, answer := d.post(t, c.contentType, c.body); status != c.status {
				t.Errorf("status %d: %s, want %d", status, answer, c.status)
			}
		})
	}
}

func TestGetIsNoQuestion(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := d.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // read only
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("status %s", resp.Status)
	}
}

// broken is a cluster that panics or does not answer.
type broken struct {
	cluster.Snapshot
	answer func(context.Context) error
}

func (b *broken) ServiceAccount(ctx context.Context, _, _ string) (rule.ServiceAccount, error) {
	return rule.ServiceAccount{}, b.answer(ctx)
}

const plainPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"serviceAccountName":"reader","containers":[{"name":"c"}]}}`

// A panic is no HTTP error either: the failure policy Ignore would let the request in.
func TestPanicLetsNobodyIn(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Cluster, &broken{answer: func(context.Context) error { panic("boom") }}, nil)
	for range 2 { // the second proves that the server lives on
		r := d.ask(t, podReview(plainPod))
		if r.Allowed || !strings.Contains(r.Result.Message, "mistake in emrguard") || strings.Contains(r.Result.Message, "boom") {
			t.Errorf("the answer is %+v", r)
		}
	}
}

func TestFailedLookUpIsNotAFinding(t *testing.T) {
	t.Parallel()
	facts := &broken{answer: func(context.Context) error { return errors.New("connection refused") }}
	r := open(t, admission.Managed, facts, nil).ask(t, podReview(plainPod))
	if r.Allowed || !strings.Contains(r.Result.Message, "could not judge") || r.AuditAnnotations["error"] == "" {
		t.Errorf("a rule that denies could not judge: %+v", r)
	}
	warn := func(c *config.Guard) {
		c.Rules = map[string]config.Rule{"irsa-credentials": {OnError: rule.Warn}, "service-account-hijack": {OnError: rule.Warn}}
	}
	if r := open(t, admission.Managed, facts, warn).ask(t, podReview(plainPod)); !r.Allowed || len(r.Warnings) != 2 {
		t.Errorf("onError: warn: %+v", r)
	}
}

// The API server says how long it waits; whoever answers later answers nobody.
func TestTimeoutOfTheAPIServerIsTheDeadline(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &broken{answer: func(ctx context.Context) error {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 3*time.Second {
			return errors.New("no deadline")
		}
		return rule.ErrNotFound
	}}, nil)
	if r := d.ask(t, podReview(plainPod)); !r.Allowed {
		t.Errorf("the look-up had no deadline: %+v", r.Result)
	}
}

func TestDryRunGivesTheSameAnswer(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	forReal := d.ask(t, podReview(badPod))
	review, yes := podReview(badPod), true
	review.Request.DryRun = &yes
	dry := d.ask(t, review)
	if dry.Allowed != forReal.Allowed || dry.Result.Message != forReal.Result.Message {
		t.Errorf("dry run: %+v, for real: %+v", dry, forReal)
	}
}

func TestClusterEndpointLeavesOtherNamespacesAlone(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Cluster, &cluster.Snapshot{}, nil)
	review := podReview(badPod)
	review.Request.Namespace = "other"
	if r := d.ask(t, review); !r.Allowed || len(r.Warnings) != 0 || r.AuditAnnotations != nil {
		t.Errorf("a pod of another namespace: %+v", r)
	}
	if r := d.ask(t, podReview(badPod)); r.Allowed {
		t.Error("a namespace that is managed by name is not guarded at the other endpoint")
	}
}

func TestNamespaceIsJudgedByItsOwnLabels(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Cluster, &cluster.Snapshot{}, func(c *config.Guard) {
		c.EMR.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"emr": "yes"}}
	})
	namespace := func(labels string) string {
		return `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"new","labels":{` + labels + `},"annotations":{"iam.amazonaws.com/permitted":".*"}}}`
	}
	ask := func(object, old string) *admissionv1.AdmissionResponse {
		r := podReview(object)
		r.Request.Kind.Kind, r.Request.Resource.Resource, r.Request.Name, r.Request.Namespace = "Namespace", "namespaces", "new", "new"
		if old != "" {
			r.Request.Operation, r.Request.OldObject.Raw = admissionv1.Update, []byte(old)
		}
		return d.ask(t, r)
	}
	const yes, no = `"emr":"yes"`, `"emr":"no"`
	plain := strings.Replace(namespace(yes), "iam.amazonaws.com/permitted", "other", 1)
	if r := ask(namespace(yes), ""); r.Allowed {
		t.Error("a new namespace in scope may let kiam in")
	}
	if r := ask(namespace(no), ""); !r.Allowed {
		t.Errorf("a new namespace out of scope: %+v", r.Result)
	}
	if r := ask(namespace(no), plain); r.Allowed {
		t.Error("an update that takes the namespace out of scope lets kiam in as well")
	}
}

func TestMetricsCountWhatHappened(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	d.ask(t, podReview(badPod))
	d.post(t, "application/json", []byte("{}"))
	want := `
# HELP emrguard_admission_requests_total Admission requests by endpoint, operation and outcome.
# TYPE emrguard_admission_requests_total counter
emrguard_admission_requests_total{endpoint="managed",operation="CREATE",outcome="denied"} 1
emrguard_admission_requests_total{endpoint="managed",operation="unknown",outcome="malformed"} 1
`
	if err := testutil.GatherAndCompare(d.metrics, strings.NewReader(want), "emrguard_admission_requests_total"); err != nil {
		t.Error(err)
	}
	families, err := d.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "emrguard_findings_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["reason"] == "" {
				t.Errorf("a finding has no reason: %v", labels)
			}
			found[labels["rule"]+" "+labels["severity"]+" "+labels["action"]+" "+labels["class"]] += m.GetCounter().GetValue()
		}
	}
	if want := map[string]float64{
		"namespace-writers low audit submitter": 1, "instance-profile-access high deny submitter": 1,
		"static-aws-credentials high deny submitter": 1, "irsa-credentials medium warn submitter": 1,
	}; !maps.Equal(found, want) {
		t.Errorf("findings %v, want %v", found, want)
	}
}

func FuzzServeHTTP(f *testing.F) {
	body, err := json.Marshal(podReview(badPod))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","kind":{"version":"v1","kind":"ConfigMap"},"resource":{"version":"v1","resource":"configmaps"},"operation":"CREATE","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"0000000337okspsc913-spark-defaults"},"data":{"a":"x\\"}}}}`))
	f.Add([]byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","kind":{"group":"sparkoperator.k8s.io","version":"v1beta2","kind":"SparkApplication"},"resource":{"group":"sparkoperator.k8s.io","version":"v1beta2","resource":"sparkapplications"},"operation":"UPDATE","object":{"apiVersion":"sparkoperator.k8s.io/v1beta2","kind":"SparkApplication","spec":{"sparkConf":{"spark.kubernetes.driver.volumes.hostPath.a.options.path":"/"},"driver":{"env":[{"name":"a"}]}}},"oldObject":{"apiVersion":"sparkoperator.k8s.io/v1beta2","kind":"SparkApplication"}}}`))
	for _, object := range []string{
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"a:*/b","namespace":"emr-jobs"}}`,
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"x","namespace":"emr-jobs"},"roleRef":{"apiGroup":"x","kind":"Role","name":"y"},"subjects":[{},{"kind":"ServiceAccount"},{"kind":"Group","name":"g"}]}`,
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"x","namespace":"emr-jobs"},"roleRef":{"kind":"ClusterRole","name":"edit"},"subjects":[{"kind":"ServiceAccount","name":"emr-containers-sa-spark"},{"kind":"User","name":"system:serviceaccount::"}]}`,
	} {
		f.Add([]byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","kind":{"group":"rbac.authorization.k8s.io","version":"v1","kind":"RoleBinding"},"resource":{"group":"rbac.authorization.k8s.io","version":"v1","resource":"rolebindings"},"namespace":"emr-jobs","operation":"CREATE","object":` + object + `}}`))
	}
	f.Add([]byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","kind":{"group":"rbac.authorization.k8s.io","version":"v1","kind":"ClusterRole"},"resource":{"group":"rbac.authorization.k8s.io","version":"v1","resource":"clusterroles"},"operation":"UPDATE","object":{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"edit"},"rules":[{},{"apiGroups":["*"],"resources":["*","*/x",""],"verbs":["*",""],"resourceNames":[""]}],"aggregationRule":{"clusterRoleSelectors":[{},{"matchExpressions":[{"key":"a","operator":"Near"}]}]}},"oldObject":{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"edit"}}}}`))
	f.Add([]byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","kind":{"group":"authentication.k8s.io","version":"v1","kind":"TokenRequest"},"resource":{"version":"v1","resource":"serviceaccounts"},"subResource":"token","name":"emr-containers-sa-spark","namespace":"emr-jobs","operation":"CREATE","object":{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"boundObjectRef":{}}}}}`))
	e, err := engine.New(config.Default(), rules.All(), time.Now)
	if err != nil {
		f.Fatal(err)
	}
	facts := &cluster.Snapshot{}
	facts.Set(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "edit"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"*"}, Verbs: []string{"*"}}}})
	recorder := metrics.New(prometheus.NewRegistry())
	f.Fuzz(func(t *testing.T, body []byte) {
		h := &admission.Handler{Budget: admission.DefaultBudget(), Reviewer: admission.Reviewer{Endpoint: admission.Managed, Engine: func() *engine.Engine { return e }, Facts: facts, Metrics: recorder, Log: logr.Discard()}}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/managed", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code == http.StatusInternalServerError {
			t.Fatalf("panic on %s", body)
		}
	})
}
