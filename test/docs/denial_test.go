package docs_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rules"
)

// The denial that the README shows is the one that its Pod gets. Only the line breaks
// differ.
func TestDenialOfTheREADME(t *testing.T) {
	readme := read(t, "README.md")
	var pod []byte
	for _, m := range blockPattern.FindAllStringSubmatch(readme, -1) {
		if m[1] == "file" {
			var err error
			if pod, err = yaml.YAMLToJSON([]byte(m[3])); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, shown, _ := strings.Cut(readme, "denied the request:")
	shown, _, found := strings.Cut(shown, "```")
	if !found {
		t.Fatal("README.md shows no denial")
	}
	if got := denial(t, pod); strings.Join(strings.Fields(shown), " ") != strings.Join(strings.Fields(got), " ") {
		t.Errorf("README.md shows the denial\n%s\nwhich is\n%s", shown, got)
	}
}

// denial is what an administrator is told who creates a Pod in emr-jobs.
func denial(t *testing.T, pod []byte) string {
	t.Helper()
	var meta metav1.PartialObjectMetadata
	if err := json.Unmarshal(pod, &meta); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.EMR.Namespaces = []string{meta.Namespace}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	reviewer := admission.Reviewer{
		Endpoint: admission.Managed, Engine: func() *engine.Engine { return e }, Facts: &cluster.Snapshot{},
		Metrics: metrics.New(prometheus.NewRegistry()), Log: logr.Discard(),
	}
	answer, err := reviewer.Review(t.Context(), &admissionv1.AdmissionRequest{
		Operation: admissionv1.Create,
		Kind:      metav1.GroupVersionKind{Version: "v1", Kind: "Pod"},
		Resource:  metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
		Namespace: meta.Namespace, Name: meta.Name,
		UserInfo: authenticationv1.UserInfo{Username: "ben", Groups: []string{"system:masters"}},
		Object:   runtime.RawExtension{Raw: pod},
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Allowed {
		t.Fatal("the Pod of the README is allowed")
	}
	return answer.Result.Message
}
