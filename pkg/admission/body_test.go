package admission_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/emrguard/emrguard/pkg/admission"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rule"
)

// padded is a forbidden Pod with an environment variable of that value.
func padded(t *testing.T, value string) string {
	t.Helper()
	pad, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"hostNetwork":true,"containers":[{"name":"c","env":[{"name":"PAD","value":` + string(pad) + `}]}]}}`
}

func denied(t *testing.T, r *admissionv1.AdmissionResponse, with string) {
	t.Helper()
	if r.Allowed || r.Result.Code != http.StatusForbidden || !strings.Contains(r.Result.Message, with) {
		t.Errorf("allowed %v, result %+v, want a refusal with %q", r.Allowed, r.Result, with)
	}
}

// The API server writes `<` as six bytes, so 1.3 MB of them are 7.8 MB.
func TestEscapedBodyIsJudged(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Cluster, &cluster.Snapshot{}, nil)
	for c, n := range map[string]int{"<": 1_300_000, "\u2028": 50_000, "\x01": 50_000, "é": 50_000, `"`: 50_000} {
		review := podReview(padded(t, strings.Repeat(c, n)))
		denied(t, d.ask(t, review), "instance-profile-access")
	}
}

func TestLargeUpdateThatChangesNothingPasses(t *testing.T) {
	t.Parallel()
	review := podReview(padded(t, strings.Repeat("<", 1_300_000)))
	review.Request.Operation, review.Request.OldObject = admissionv1.Update, review.Request.Object
	if r := open(t, admission.Managed, &cluster.Snapshot{}, nil).ask(t, review); !r.Allowed {
		t.Errorf("refused: %s", r.Result.Message)
	}
}

// What is over the limit gets the answer of the rules, not an HTTP error that the
// failure policy could turn into a yes.
func TestOverTheLimitIsRefusedNotAnError(t *testing.T) {
	t.Parallel()
	elements := strings.Repeat("{},", 100_000)
	for name, object := range map[string]string{
		"too many bytes":    padded(t, strings.Repeat("<", limit.Body/6)),
		"too many elements": `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[` + elements + `{}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			review := podReview(object)
			d := open(t, admission.Cluster, &cluster.Snapshot{}, func(c *config.Guard) {
				c.Rules = map[string]config.Rule{"static-aws-credentials": {OnError: rule.Audit}}
			})
			denied(t, d.ask(t, review), "over budget")
			if r := open(t, admission.Managed, &cluster.Snapshot{}, func(c *config.Guard) { c.Mode = rule.Warn }).ask(t, review); !r.Allowed || len(r.Warnings) == 0 {
				t.Errorf("mode warn: allowed %v, warnings %q", r.Allowed, r.Warnings)
			}
			review.Request.UserInfo.Groups = []string{"emrguard:break-glass"}
			if r := d.ask(t, review); !r.Allowed || r.AuditAnnotations["break-glass"] == "" {
				t.Errorf("break glass: allowed %v, annotations %v", r.Allowed, r.AuditAnnotations)
			}
			review.Request.Namespace = "elsewhere"
			if r := d.ask(t, review); !r.Allowed {
				t.Errorf("no rule refuses Pods there: %+v", r)
			}
		})
	}
}

func TestWithoutLengthNothingIsRead(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL, io.MultiReader(strings.NewReader("{}")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // read only
	if resp.StatusCode != http.StatusLengthRequired {
		t.Errorf("status %s", resp.Status)
	}
}

// A replica that is older than the webhook configuration must not stop what only
// the newer ones know.
func TestUnknownResourcePasses(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	for name, change := range map[string]func(*admissionv1.AdmissionRequest){
		"resource": func(r *admissionv1.AdmissionRequest) {
			r.Resource.Resource, r.Kind.Kind = "sparkconnects", "SparkConnect"
		},
		"subresource": func(r *admissionv1.AdmissionRequest) { r.SubResource = "resize" },
		"operation":   func(r *admissionv1.AdmissionRequest) { r.Operation = "PATCH" },
	} {
		review := podReview(badPod)
		change(review.Request)
		if r := d.ask(t, review); !r.Allowed || !strings.Contains(r.AuditAnnotations["unknown"], "does not know") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	const want = `
# HELP emrguard_admission_unknown_total Admission requests that passed because this version does not know their resource or operation.
# TYPE emrguard_admission_unknown_total counter
emrguard_admission_unknown_total{endpoint="managed"} 3
`
	if err := testutil.GatherAndCompare(d.metrics, strings.NewReader(want), "emrguard_admission_unknown_total"); err != nil {
		t.Error(err)
	}
}

// stall sends the head of a large request and nothing of its body.
func stall(t *testing.T, d *endpoint, announced int, begin string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", d.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := fmt.Fprintf(c, "POST /?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", announced, begin); err != nil {
		t.Fatal(err)
	}
	return c
}

// Bodies that never come hold the place of large requests and all the bytes of
// small ones. Both give way.
func TestSlowBodiesGiveWay(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	for range 3 {
		stall(t, d, 7_000_000, "{")
	}
	for range 2 * limit.SmallBodies / limit.SmallBody {
		stall(t, d, limit.SmallBody, "{")
	}
	denied(t, d.askAgain(t, podReview(padded(t, strings.Repeat("<", 1_000_000)))), "instance-profile-access")
	denied(t, d.askAgain(t, podReview(badPod)), "instance-profile-access")
}

// Whoever's envelope came gets an answer in the API's own terms: a refusal that
// clients try again.
func TestASlowBodyIsRefusedToBeTriedAgain(t *testing.T) {
	t.Parallel()
	d := open(t, admission.Managed, &cluster.Snapshot{}, nil)
	review := encode(t, podReview(padded(t, strings.Repeat("<", 1_000_000))))
	c := stall(t, d, len(review), string(review[:len(review)/2]))
	d.ask(t, podReview(padded(t, strings.Repeat("<", 1_000_000)))) // has the other one give way
	answer := make([]byte, 4<<10)
	n, err := c.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(answer[:n]); !strings.HasPrefix(s, "HTTP/1.1 200") || !strings.Contains(s, `"retryAfterSeconds":1`) || !strings.Contains(s, `"code":429`) {
		t.Errorf("answer %s", s)
	}
}

// What no client certificate vouches for is marked as a claim.
func TestLogSaysWhoWasNotAuthenticated(t *testing.T) {
	t.Parallel()
	var lines []string
	log := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
	openWith(t, admission.Managed, &cluster.Snapshot{}, nil, log).ask(t, podReview(badPod))
	if !slices.ContainsFunc(lines, func(l string) bool {
		return strings.Contains(l, `"msg"="Judged"`) && strings.Contains(l, `"authenticated"=false`) && strings.Contains(l, `"peer"="127.0.0.1:`)
	}) {
		t.Errorf("lines %q", lines)
	}
}
