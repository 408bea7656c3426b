package chart_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// recorder is a webhook that allows everything and remembers what it was asked.
type recorder struct {
	mu    sync.Mutex
	asked []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	review := &admissionv1.AdmissionReview{}
	if err := json.NewDecoder(request.Body).Decode(review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.asked = append(r.asked, fmt.Sprintf("%s %s %s %s/%s",
		request.URL.Path, review.Request.Operation, review.Request.Kind.Kind, review.Request.Namespace, review.Request.Name))
	r.mu.Unlock()
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// since answers what was asked, and forgets it.
func (r *recorder) since() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}

// A real API server sends every request once, to the endpoint that the namespace's
// labels say: namespaced objects, namespaces (by their own new labels), and
// cluster-scoped objects, which no namespaceSelector holds back.
func TestEveryRequestIsSentOnce(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	record := &recorder{}
	server := httptest.NewTLSServer(record)
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	values := writeValues(t, fmt.Sprintf(`
emr:
  namespaces: [by-name]
  namespaceSelector:
    matchLabels: {platform: emr}
    matchExpressions:
    - {key: team, operator: Exists}
    - {key: sandbox, operator: NotIn, values: ["yes"]}
replicaCount: 0
certificates: {mode: secret}
webhook:
  excludedNamespaces: [excluded]
  clientConfig:
    url: %s
    caBundle: %s
`, server.URL, base64.StdEncoding.EncodeToString(ca)))
	rendered := renderFolder(t, "helm3", chartWithRules(t, mixedRules), "--values", values)
	if err := c.Create(t.Context(), rendered["ValidatingWebhookConfiguration/emrguard"]); err != nil {
		t.Fatal(err)
	}
	c.waitForWebhook(t, record)

	namespaces := []struct {
		name     string
		labels   map[string]string
		endpoint string // "" when nobody is asked
	}{
		{"by-name", nil, "/managed"},
		{"by-name-and-label", map[string]string{"platform": "emr", "team": "a"}, "/managed"},
		{"not-sandbox", map[string]string{"platform": "emr", "team": "a", "sandbox": "no"}, "/managed"},
		{"plain", nil, "/cluster"},
		{"other-platform", map[string]string{"platform": "web", "team": "a"}, "/cluster"},
		{"no-team", map[string]string{"platform": "emr"}, "/cluster"},
		{"sandbox", map[string]string{"platform": "emr", "team": "a", "sandbox": "yes"}, "/cluster"},
		{"only-sandbox", map[string]string{"sandbox": "yes"}, "/cluster"},
		{"excluded", map[string]string{"platform": "emr", "team": "a"}, ""},
		{releaseNamespace, nil, ""},
	}
	for _, namespace := range namespaces {
		expect := func(what string, want string) {
			t.Helper()
			var wanted []string
			if namespace.endpoint != "" {
				wanted = []string{namespace.endpoint + " " + want}
			}
			if got := record.since(); !slices.Equal(got, wanted) {
				t.Errorf("%s in %s: asked %q, want %q", what, namespace.name, got, wanted)
			}
		}
		create := func(what string, object client.Object) {
			t.Helper()
			if err := c.Create(t.Context(), object); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		create("namespace", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace.name, Labels: namespace.labels}})
		expect("the namespace", fmt.Sprintf("CREATE Namespace %s/%s", namespace.name, namespace.name))
		create("pod", &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace.name, Name: "pod"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest"}}},
		})
		expect("a pod", fmt.Sprintf("CREATE Pod %s/pod", namespace.name))
		create("role", &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.name, Name: "role"}})
		expect("a role", fmt.Sprintf("CREATE Role %s/role", namespace.name))
	}

	// Out of scope by a label: the new labels decide, and somebody is asked.
	leaving := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "not-sandbox"}}
	if err := c.Patch(t.Context(), leaving, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"team":null}}}`))); err != nil {
		t.Fatal(err)
	}
	if got, want := record.since(), []string{"/cluster UPDATE Namespace not-sandbox/not-sandbox"}; !slices.Equal(got, want) {
		t.Errorf("a namespace that leaves: asked %q, want %q", got, want)
	}

	for kind, object := range map[string]client.Object{
		"ClusterRole": &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "wide"}},
		"PersistentVolume": &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: "wide"},
			Spec: corev1.PersistentVolumeSpec{
				AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Capacity:               corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
				PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/data"}},
			},
		},
	} {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatalf("create %s: %v", kind, err)
		}
		if got, want := record.since(), []string{"/cluster CREATE " + kind + " /wide"}; !slices.Equal(got, want) {
			t.Errorf("a cluster-scoped object: asked %q, want %q", got, want)
		}
	}
}

// waitForWebhook waits until the API server has noticed the configuration.
func (c *cluster) waitForWebhook(t *testing.T, record *recorder) {
	t.Helper()
	eventually(t, "the API server asks the webhook", func(ctx context.Context) error {
		probe := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "probe"}}
		if err := c.Create(ctx, probe, client.DryRunAll); err != nil {
			return err
		}
		if len(record.since()) == 0 {
			return errors.New("it does not ask")
		}
		return nil
	})
}
