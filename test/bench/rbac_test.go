package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rules"
)

// world is how large a cluster is.
type world struct {
	namespaces, roles, roleBindings, clusterRoles, clusterRoleBindings int
}

var worlds = []world{
	{500, 2_000, 10_000, 300, 500},
	{5_000, 20_000, 100_000, 3_000, 5_000},
}

// managed namespaces, and how many bindings use the ClusterRole that is edited.
const (
	managedNamespaces = 20
	editedBindings    = 500
)

// fill makes a snapshot of a cluster of that size.
func (w world) fill() *cluster.Snapshot {
	s := &cluster.Snapshot{}
	for _, obj := range w.objects() {
		s.Set(obj)
	}
	return s
}

// objects makes a cluster of that size.
func (w world) objects() []client.Object {
	var list []client.Object
	ns := func(i int) string { return fmt.Sprintf("team-%d", i%w.namespaces) }
	rulesOf := func(i int) []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"pods", "services", fmt.Sprintf("widgets-%d", i%97)}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{"example.com"}, Resources: []string{"things"}, Verbs: []string{"*"}},
		}
	}
	subjects := func(i int) []rbacv1.Subject {
		return []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns(i), Name: fmt.Sprintf("app-%d", i%11)}, {Kind: "Group", Name: fmt.Sprintf("group-%d", i%w.namespaces)}}
	}
	for i := range w.namespaces {
		list = append(list, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns(i)}})
	}
	for i := range w.roles {
		list = append(list, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: ns(i), Name: fmt.Sprintf("role-%d", i/w.namespaces)}, Rules: rulesOf(i)})
	}
	for i := range w.clusterRoles {
		list = append(list, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("role-%d", i)}, Rules: rulesOf(i)})
	}
	list = append(list, edited(nil))
	list = append(list, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "edit"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps", "secrets", "pods", "pods/exec"}, Verbs: []string{"get", "list", "watch", "create", "update", "patch", "delete"}},
	}})
	for i := range w.roleBindings {
		b := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns(i), Name: fmt.Sprintf("binding-%d", i)}, Subjects: subjects(i),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: fmt.Sprintf("role-%d", i%w.clusterRoles)},
		}
		if i < editedBindings { // all of them in managed namespaces, which is the worst
			b.Namespace, b.RoleRef.Name = ns(i%managedNamespaces), "edited"
		}
		list = append(list, b)
	}
	for i := range w.clusterRoleBindings {
		list = append(list, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("binding-%d", i)}, Subjects: subjects(i),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: fmt.Sprintf("role-%d", i%w.clusterRoles)},
		})
	}
	return list
}

func edited(more []string) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{
		TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"}, ObjectMeta: metav1.ObjectMeta{Name: "edited"},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: append([]string{"services"}, more...), Verbs: []string{"get", "list", "watch", "create"}}},
	}
}

func (w world) handler(b *testing.B, facts *cluster.Snapshot) http.Handler {
	b.Helper()
	c := config.Default()
	for i := range managedNamespaces {
		c.EMR.Namespaces = append(c.EMR.Namespaces, fmt.Sprintf("team-%d", i))
	}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	return &admission.Handler{
		Budget: admission.DefaultBudget(),
		Reviewer: admission.Reviewer{
			Endpoint: admission.Cluster, Engine: func() *engine.Engine { return e }, Facts: facts, Metrics: metrics.New(prometheus.NewRegistry()), Log: logr.Discard(),
		},
	}
}

func rbacReview(b *testing.B, op admissionv1.Operation, resource, kind, namespace string, object, old any) []byte {
	b.Helper()
	raw := func(v any) kruntime.RawExtension {
		if v == nil {
			return kruntime.RawExtension{}
		}
		data, err := json.Marshal(v)
		if err != nil {
			b.Fatal(err)
		}
		return kruntime.RawExtension{Raw: data}
	}
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "1", Operation: op, Namespace: namespace, Name: "x", UserInfo: authenticationv1.UserInfo{Username: "admin", Groups: []string{"system:masters"}},
			Kind:     metav1.GroupVersionKind{Group: rbacv1.GroupName, Version: "v1", Kind: kind},
			Resource: metav1.GroupVersionResource{Group: rbacv1.GroupName, Version: "v1", Resource: resource},
			Object:   raw(object), OldObject: raw(old),
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// measure asks the handler and reports how long it takes, without the network.
func measure(b *testing.B, h http.Handler, body []byte) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/cluster?timeout=3s", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		start := time.Now()
		h.ServeHTTP(w, req)
		took = append(took, time.Since(start))
		if w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), []byte(`"allowed":false`)) {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(quantile(took, .5).Microseconds()), "p50-µs")
	b.ReportMetric(float64(quantile(took, .99).Microseconds()), "p99-µs")
}

// BenchmarkRoleBinding is the admission of a RoleBinding of a group to `edit`.
func BenchmarkRoleBinding(b *testing.B) {
	for _, w := range worlds {
		b.Run(fmt.Sprintf("bindings=%d", w.roleBindings), func(b *testing.B) {
			h := w.handler(b, w.fill())
			body := rbacReview(b, admissionv1.Create, "rolebindings", "RoleBinding", "team-1", &rbacv1.RoleBinding{
				TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "RoleBinding"}, ObjectMeta: metav1.ObjectMeta{Namespace: "team-1", Name: "new"},
				Subjects: []rbacv1.Subject{{Kind: "Group", Name: "data-scientists"}},
				RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
			}, nil)
			measure(b, h, body)
		})
	}
}

// BenchmarkClusterRoleEdit is the widening of a ClusterRole that 500 bindings use.
func BenchmarkClusterRoleEdit(b *testing.B) {
	for _, w := range worlds {
		b.Run(fmt.Sprintf("bindings=%d", w.roleBindings), func(b *testing.B) {
			h := w.handler(b, w.fill())
			measure(b, h, rbacReview(b, admissionv1.Update, "clusterroles", "ClusterRole", "", edited([]string{"configmaps"}), edited(nil)))
		})
	}
}

// BenchmarkCache is what the cluster costs in memory, and how long it takes to take
// it in once the API server has sent it.
func BenchmarkCache(b *testing.B) {
	for _, w := range worlds {
		b.Run(fmt.Sprintf("bindings=%d", w.roleBindings), func(b *testing.B) {
			var grown float64
			for b.Loop() {
				grown = w.cost()
			}
			b.ReportMetric(grown, "MiB")
		})
	}
}

// cost is what a snapshot of that size costs, in MiB.
func (w world) cost() float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := w.fill()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(s)
	return float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20)
}
