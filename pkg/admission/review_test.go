package admission_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rules"
)

func reviewer(t *testing.T, d admission.Endpoint) *admission.Reviewer {
	t.Helper()
	c := config.Default()
	c.EMR.Namespaces = []string{"emr-jobs"}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &admission.Reviewer{
		Endpoint: d, Engine: func() *engine.Engine { return e }, Facts: &cluster.Snapshot{}, Metrics: metrics.New(prometheus.NewRegistry()), Log: logr.Discard(),
	}
}

// A request gets the same answer with and without HTTP around it.
func TestReviewAnswersAsTheEndpointDoes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*admissionv1.AdmissionRequest){
		"refused":        func(*admissionv1.AdmissionRequest) {},
		"break glass":    func(r *admissionv1.AdmissionRequest) { r.UserInfo.Groups = []string{"emrguard:break-glass"} },
		"nothing new":    func(r *admissionv1.AdmissionRequest) { r.Operation, r.OldObject = admissionv1.Update, r.Object },
		"not managed":    func(r *admissionv1.AdmissionRequest) { r.Namespace = "elsewhere" },
		"unknown":        func(r *admissionv1.AdmissionRequest) { r.SubResource = "resize" },
		"another kind":   func(r *admissionv1.AdmissionRequest) { r.Kind.Kind = "Node" },
		"no object":      func(r *admissionv1.AdmissionRequest) { r.Object.Raw = nil },
		"another object": func(r *admissionv1.AdmissionRequest) { r.Object.Raw = []byte(`{"apiVersion":"v1","kind":"Node"}`) },
		"a wrong type": func(r *admissionv1.AdmissionRequest) {
			r.Object.Raw = []byte(`{"apiVersion":"v1","kind":"Pod","spec":[]}`)
		},
	} {
		in := podReview(badPod)
		change(in.Request)
		got, err := reviewer(t, admission.Cluster).Review(t.Context(), in.Request)
		status, want, answer := open(t, admission.Cluster, &cluster.Snapshot{}, nil).post(t, "application/json", encode(t, in))
		if err != nil {
			if want != nil || status != 400 || !strings.Contains(answer, err.Error()) {
				t.Errorf("%s: error %v, the endpoint says %d %s", name, err, status, answer)
			}
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, the endpoint says %d %+v", name, got, status, want)
		}
	}
}
