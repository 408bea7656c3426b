package audit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// live audits the pods that a server lists, in the managed namespace a; the server
// has nothing else. What a server answers in these tests, a real one answers only
// when it is slow or broken.
func live(t *testing.T, pods http.HandlerFunc) *audit.Live {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/pods", pods)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: s.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.EMR.Namespaces = []string{"a"}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &audit.Live{Client: client.CoreV1().RESTClient(), Engine: e, Rules: rules.All()}
}

// list is a page with one pod on the host network.
func list(next, name string) string {
	return fmt.Sprintf(`{"kind":"PodList","apiVersion":"v1","metadata":{"continue":%q},"items":[`+
		`{"metadata":{"namespace":"a","name":%q},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i"}]}}]}`, next, name)
}

// A list that takes longer than the server keeps its beginning goes on where the
// server says.
func TestExpiredListGoesOn(t *testing.T) {
	t.Parallel()
	l := live(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Query().Get("continue") {
		case "":
			fmt.Fprint(w, list("old", "first"))
		case "old":
			w.WriteHeader(http.StatusGone)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","metadata":{"continue":"new"},"status":"Failure","reason":"Expired","code":410}`)
		case "new":
			fmt.Fprint(w, list("", "second"))
		}
	})
	r, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Judged != 2 || r.Count(rule.Deny) < 2 {
		t.Errorf("%d pods were judged, there are 2", r.Judged)
	}
}

// What is no whole list is an error, not a short list.
func TestBrokenListIsAnError(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"empty":          "",
		"no JSON":        "<html>",
		"no object":      `"text"`,
		"cut off":        list("", "first")[:120],
		"cut off in it":  strings.TrimSuffix(list("", "first"), "]}"),
		"cut off at end": strings.TrimSuffix(list("", "first"), "}"),
		"items no list":  `{"items":{}}`,
		"no object in":   `{"items":[7]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := live(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
			if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "list pods") {
				t.Errorf("want an error about the list of pods, got %v", err)
			}
		})
	}
}

func TestListWithoutItems(t *testing.T) {
	t.Parallel()
	l := live(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"metadata":{},"items":null}`) })
	if r, err := l.Run(t.Context()); err != nil || r.Judged != 0 {
		t.Errorf("want no objects, got %v", err)
	}
}
