package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"

	"github.com/emrguard/emrguard/test/harness"
)

// returnedWithin is how soon after the return of the API server what was granted
// meanwhile is reported.
const returnedWithin = 10 * time.Second

// TestBlindedGuard cuts the guard off from the API server, by the network and by taking
// its permissions away, while the API server still reaches the guard. Verdicts then
// rest on what was, so the process must say that it is not ready, and what was granted
// meanwhile must be found on its return and not at the next audit. It has ten seconds
// for that, which tests beside it would take.
func TestBlindedGuard(t *testing.T) {
	s := newAuditStage(t)
	link, err := s.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.chart.APIServer = link.Address
	w, err := s.StartWebhook(t.Context(), s.chart, "--audit-interval=1h", "--stale-after=10s")
	if err != nil {
		t.Fatal(err)
	}
	clients, err := kubernetes.NewForConfig(s.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}

	t.Run("by the network", func(t *testing.T) {
		link.Cut()
		s.eventually(t, "the guard to be not ready", func(ctx context.Context) error { return isNotReady(ctx, w, "--stale-after") })
		s.eventually(t, "the metric", func(ctx context.Context) error {
			if age, err := metricOf(ctx, w, "emrguard_api_contact_age_seconds"); err != nil || age < 10 {
				return fmt.Errorf("the age is %g (%w)", age, err)
			}
			return nil
		})
		// A Service without endpoints that are ready is one that nobody is asked at.
		must(t, "take the guard out", s.admin.Delete(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": map[string]any{"name": harness.ReleaseName},
		}}))
		must(t, "make a role", retried(t, s.admin, roleOf("late", "secrets")))
		must(t, "bind it", retried(t, s.admin, bindingOf("late", "mallory")))
		link.Mend()
		s.reported(t, w, clients, `emrguard_arrival_findings_total{action="deny",rule="rbac-secret-read"}`, "late", returnedWithin)
		s.eventually(t, "the guard to be ready again", func(ctx context.Context) error { return isReady(ctx, w) })
	})

	t.Run("by its own binding", func(t *testing.T) {
		binding := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": rbacv1.SchemeGroupVersion.String(), "kind": "ClusterRoleBinding", "metadata": map[string]any{"name": harness.ReleaseName},
		}}
		was, err := s.admin.Get(t.Context(), binding)
		if err != nil {
			t.Fatal(err)
		}
		must(t, "delete the binding of the guard", s.admin.Delete(t.Context(), binding))
		s.eventually(t, "the guard to be not ready", func(ctx context.Context) error { return isNotReady(ctx, w, "--stale-after") })
		was.SetResourceVersion("")
		was.SetUID("")
		must(t, "create it again", retried(t, s.admin, was))
		s.eventually(t, "the guard to be ready again", func(ctx context.Context) error { return isReady(ctx, w) })
	})
}

// reported waits until the metric counts and an Event at the object says so.
func (s *auditStage) reported(t *testing.T, w *harness.Webhook, clients kubernetes.Interface, series, name string, within time.Duration) {
	t.Helper()
	err := harness.WaitFor(t.Context(), series, within, func(ctx context.Context) error {
		n, err := metricOf(ctx, w, series)
		if err == nil && n < 1 {
			err = fmt.Errorf("it is %g", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.eventually(t, "the Event", func(ctx context.Context) error {
		list, err := clients.EventsV1().Events(audited).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for i := range list.Items {
			if tells(&list.Items[i], name) {
				return nil
			}
		}
		return fmt.Errorf("none of %d Events is about %s", len(list.Items), name)
	})
}

func tells(e *eventsv1.Event, name string) bool {
	return e.Reason == "BreaksGuide" && e.Regarding.Name == name && strings.Contains(e.Note, "rbac-secret-read") && strings.Contains(e.Note, "mallory")
}

func roleOf(name, resource string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": rbacv1.SchemeGroupVersion.String(), "kind": "Role",
		"metadata": map[string]any{"name": name, "namespace": audited},
		"rules":    []any{map[string]any{"apiGroups": []any{""}, "resources": []any{resource}, "verbs": []any{"get"}}},
	}}
}

func bindingOf(name, user string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": rbacv1.SchemeGroupVersion.String(), "kind": "RoleBinding",
		"metadata": map[string]any{"name": name, "namespace": audited},
		"roleRef":  map[string]any{"apiGroup": rbacv1.GroupName, "kind": "Role", "name": name},
		"subjects": []any{map[string]any{"apiGroup": rbacv1.GroupName, "kind": "User", "name": user}},
	}}
}

func isReady(ctx context.Context, w *harness.Webhook) error {
	status, body, err := probe(ctx, w)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("it answers %d: %s", status, body)
	}
	return err
}

// isNotReady wants /readyz to fail, and the log to say why: /readyz withholds it.
func isNotReady(ctx context.Context, w *harness.Webhook, because string) error {
	status, _, err := probe(ctx, w)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		return errors.New("it is ready")
	}
	log, err := os.ReadFile(w.LogPath())
	if err != nil {
		return err
	}
	if !strings.Contains(string(log), "Not ready") || !strings.Contains(string(log), because) {
		return fmt.Errorf("its log does not say why:\n%s", log)
	}
	return nil
}

// probe asks /readyz.
func probe(ctx context.Context, w *harness.Webhook) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.HealthURL+"/readyz", nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}
