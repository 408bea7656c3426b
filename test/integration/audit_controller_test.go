package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/emrguard/emrguard/pkg/report/openreports"
	"github.com/emrguard/emrguard/test/harness"
)

const (
	audited      = "emr-audited"
	auditedGrant = "audited-grant"
	planted      = `emrguard_audit_findings{action="deny",object_namespace="` + audited + `",rule="instance-profile-access"}`
)

// auditStage is a control plane of its own: an audit sees everything, and what it
// writes must not depend on other tests.
type auditStage struct {
	*harness.ControlPlane
	chart *harness.Chart
	admin *harness.Client
}

// TestBackgroundAudit follows the background audit through its life, with the rights
// of the chart's ServiceAccount: what the chart does not allow, fails here.
func TestBackgroundAudit(t *testing.T) {
	s := newAuditStage(t)
	a := s.start(t)

	t.Run("audits at start", func(t *testing.T) {
		s.waitMetric(t, a, planted, 1)
		s.waitMetric(t, a, "emrguard_audit_leader", 1)
		s.waitMetric(t, a, "emrguard_audit_failures_total", 0)
		s.waitMetric(t, a, "emrguard_audit_dropped_findings", 0)
		if n, err := metricOf(t.Context(), a, "emrguard_audit_objects"); err != nil || n < 100 {
			t.Errorf("%g objects were judged (%v), want all of the cluster", n, err)
		}
	})
	t.Run("goes on without the CRDs of reports", func(t *testing.T) {
		s.audits(t, a, 2)
		if n, err := metricOf(t.Context(), a, "emrguard_audit_report_failures_total"); err != nil || n < 2 {
			t.Errorf("%g audits without reports are counted (%v)", n, err)
		}
		log, err := os.ReadFile(a.LogPath())
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(log), "install the CRDs of https://github.com/openreports/reports-api"); n != 1 {
			t.Errorf("it is said %d times what is missing, want once", n)
		}
	})

	if err := s.InstallOpenReports(); err != nil {
		t.Fatal(err)
	}
	others := []*unstructured.Unstructured{
		reportObject(audited, "somebodys", nil),
		reportObject(metav1.NamespaceDefault, openreports.Name, map[string]any{openreports.LabelKey: "somebody"}),
	}
	for _, other := range others {
		must(t, "create a report of somebody else", retried(t, s.admin, other))
	}

	t.Run("writes reports", func(t *testing.T) { s.testReports(t, a) })
	t.Run("writes nothing when nothing has changed", func(t *testing.T) {
		before := s.report(t, audited).GetResourceVersion() + " " + s.report(t, "").GetResourceVersion()
		s.audits(t, a, 2)
		if after := s.report(t, audited).GetResourceVersion() + " " + s.report(t, "").GetResourceVersion(); after != before {
			t.Errorf("the reports were at %s and are at %s", before, after)
		}
	})
	t.Run("mends a report that was changed", func(t *testing.T) {
		changed := s.report(t, audited)
		if err := unstructured.SetNestedField(changed.Object, int64(0), "summary", "fail"); err != nil {
			t.Fatal(err)
		}
		answer, _ := s.admin.Update(t.Context(), changed)
		must(t, "change the report", answer)
		s.eventually(t, "the report to be right again", func(context.Context) error {
			if n, _, err := unstructured.NestedInt64(s.report(t, audited).Object, "summary", "fail"); err != nil || n != 1 {
				return fmt.Errorf("it counts %d failures (%w)", n, err)
			}
			return nil
		})
	})
	t.Run("counts an audit that fails, and recovers", func(t *testing.T) { s.testForbidden(t, a) })
	t.Run("takes back what is mended", func(t *testing.T) {
		must(t, "delete the violation", s.admin.Delete(t.Context(), violation(t)))
		s.eventually(t, "the report to go", func(ctx context.Context) error {
			_, err := s.admin.Get(ctx, reportObject(audited, openreports.Name, nil))
			if !apierrors.IsNotFound(err) {
				return fmt.Errorf("it is there (%w)", err)
			}
			return nil
		})
		if n, err := metricOf(t.Context(), a, planted); err == nil {
			t.Errorf("the metric still has a series: %g", n)
		}
		for _, other := range others {
			if _, err := s.admin.Get(t.Context(), other); err != nil {
				t.Errorf("the report %s/%s of somebody else: %v", other.GetNamespace(), other.GetName(), err)
			}
		}
	})

	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	b := s.start(t, "--port="+strconv.Itoa(port))
	t.Run("one of two replicas audits", func(t *testing.T) {
		s.audits(t, a, 2)
		s.waitMetric(t, b, "emrguard_audit_leader", 0)
		if n, err := metricOf(t.Context(), b, "emrguard_audit_objects"); err == nil {
			t.Errorf("the other one has judged %g objects", n)
		}
	})
	t.Run("serves on without the lease", func(t *testing.T) { s.testLostLease(t, a, b) })
	t.Run("another replica takes over", func(t *testing.T) {
		leader, follower := a, b
		if n, err := metricOf(t.Context(), b, "emrguard_audit_leader"); err == nil && n == 1 {
			leader, follower = b, a
		}
		if err := leader.Stop(); err != nil {
			t.Fatal(err)
		}
		s.waitMetric(t, follower, "emrguard_audit_leader", 1)
		s.audits(t, follower, 1)
		if err := follower.Stop(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("reports go with the value", func(t *testing.T) {
		s.report(t, "")
		if err := s.chart.Upgrade(t.Context(), map[string]any{"audit": map[string]any{"reports": false}}); err != nil {
			t.Fatal(err)
		}
		s.eventually(t, "the garbage collector to take the ClusterReport", func(ctx context.Context) error {
			_, err := s.admin.Get(ctx, reportObject("", openreports.Name, nil))
			if !apierrors.IsNotFound(err) {
				return fmt.Errorf("it is there (%w)", err)
			}
			return nil
		})
	})
}

// newAuditStage plants a Pod and a grant that the rules forbid, and then installs
// the chart.
func newAuditStage(t *testing.T) *auditStage {
	t.Helper()
	ctx := t.Context()
	cp, err := harness.Start(ctx, harness.Options{WithoutPodIdentity: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := &auditStage{ControlPlane: cp}
	if s.admin, err = cp.Admin(); err != nil {
		t.Fatal(err)
	}
	if err := cp.EnsureNamespace(ctx, audited, nil); err != nil {
		t.Fatal(err)
	}
	binding, err := harness.FromObject(&rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: auditedGrant},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "data-scientists"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	must(t, "plant", s.admin.CreateAll(ctx, []*unstructured.Unstructured{account(t, audited, "reader", harness.JobRoleARN), violation(t), binding}))
	s.chart, err = cp.InstallChart(ctx, map[string]any{
		"emr":   map[string]any{"namespaces": []any{audited}},
		"audit": map[string]any{"reports": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func violation(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	return pod(t, audited, "planted", onHostNetwork)
}

// start starts a process that audits every second.
func (s *auditStage) start(t *testing.T, flags ...string) *harness.Webhook {
	t.Helper()
	w, err := s.StartWebhook(t.Context(), s.chart, append(flags, "--audit-interval=1s", "--audit-lease-duration=3s", "--audit-qps=200")...)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (s *auditStage) testReports(t *testing.T, a *harness.Webhook) {
	t.Helper()
	s.eventually(t, "the report of "+audited, func(ctx context.Context) error {
		_, err := s.admin.Get(ctx, reportObject(audited, openreports.Name, nil))
		return err
	})
	r := s.report(t, audited)
	results, _, err := unstructured.NestedSlice(r.Object, "results")
	if err != nil || len(results) == 0 {
		t.Fatalf("the report has no results (%v): %v", err, r.Object)
	}
	found := false
	for _, one := range results {
		one, ok := one.(map[string]any)
		if !ok {
			t.Fatalf("not a result: %v", one)
		}
		resource, ok := one["resources"].([]any)[0].(map[string]any)
		if !ok {
			t.Fatalf("not a resource: %v", one["resources"])
		}
		if one["policy"] == "instance-profile-access" && one["result"] == "fail" && one["severity"] == "high" && resource["name"] == "planted" && resource["kind"] == "Pod" {
			found = true
		}
		if one["timestamp"] == nil || one["result"] == "pass" {
			t.Errorf("a result that fails and has a time is wanted: %v", one)
		}
	}
	if !found {
		t.Errorf("the planted Pod is not among the results: %v", results)
	}
	if got := r.Object["source"]; got != "emrguard" {
		t.Errorf("the source is %v", got)
	}
	if owners := r.GetOwnerReferences(); len(owners) != 1 || owners[0].Name != harness.ReleaseName+"-audit-reports" {
		t.Errorf("the report does not go with the chart: %v", owners)
	}
	s.eventually(t, "the report of the cluster", func(ctx context.Context) error {
		r, err := s.admin.Get(ctx, reportObject("", openreports.Name, nil))
		if err != nil {
			return err
		}
		if !strings.Contains(fmt.Sprint(r.Object["results"]), auditedGrant) {
			return fmt.Errorf("it lacks %s: %v", auditedGrant, r.Object)
		}
		return nil
	})
	before, err := metricOf(t.Context(), a, "emrguard_audit_report_failures_total")
	if err != nil {
		t.Fatal(err)
	}
	s.audits(t, a, 1)
	s.waitMetric(t, a, "emrguard_audit_report_failures_total", before)
}

// testForbidden takes the rights of the audit away for a while.
func (s *auditStage) testForbidden(t *testing.T, a *harness.Webhook) {
	t.Helper()
	ctx := t.Context()
	bindings := s.Clientset().RbacV1().ClusterRoleBindings()
	name := harness.ReleaseName + "-audit"
	binding, err := bindings.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := bindings.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.eventually(t, "an audit to fail", func(ctx context.Context) error {
		n, err := metricOf(ctx, a, "emrguard_audit_failures_total")
		if err == nil && n == 0 {
			err = errors.New("none is counted")
		}
		return err
	})
	if log, err := os.ReadFile(a.LogPath()); err != nil || !strings.Contains(string(log), "forbidden") {
		t.Errorf("the log does not say why (%v)", err)
	}
	answer, _ := s.admin.Create(ctx, pod(t, audited, "meanwhile", onHostNetwork), harness.DryRun)
	want(t, "a request meanwhile", answer, harness.Denied)
	binding.ObjectMeta = metav1.ObjectMeta{Name: name, Labels: binding.Labels}
	if _, err := bindings.Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.audits(t, a, 1)
}

// testLostLease lets somebody else hold the lease for a while.
func (s *auditStage) testLostLease(t *testing.T, a, b *harness.Webhook) {
	t.Helper()
	ctx := t.Context()
	leases := s.Clientset().CoordinationV1().Leases(harness.ReleaseNamespace)
	hold := func(who string) {
		s.eventually(t, "the lease to be "+who+"'s", func(ctx context.Context) error {
			lease, err := leases.Get(ctx, harness.ReleaseName+"-audit", metav1.GetOptions{})
			if err != nil {
				return err
			}
			now, seconds := metav1.NowMicro(), int32(3600)
			lease.Spec.HolderIdentity, lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = &who, &now, &seconds
			_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
			return err
		})
	}
	hold("somebody")
	s.waitMetric(t, a, "emrguard_audit_leader", 0)
	if n, err := metricOf(ctx, a, "emrguard_audit_objects"); err == nil {
		t.Errorf("it does not lead and still shows the %g objects that it judged", n)
	}
	if err := a.Exited(); err != nil {
		t.Fatal(err)
	}
	answer, _ := s.admin.Create(ctx, pod(t, audited, "later", onHostNetwork), harness.DryRun)
	want(t, "a request without the lease", answer, harness.Denied)
	hold("")
	s.eventually(t, "one of the two to lead again", func(ctx context.Context) error {
		first, err := metricOf(ctx, a, "emrguard_audit_leader")
		if err != nil {
			return err
		}
		second, err := metricOf(ctx, b, "emrguard_audit_leader")
		if err == nil && first+second != 1 {
			err = fmt.Errorf("%g lead", first+second)
		}
		return err
	})
}

// audits waits until a process has made so many further audits.
func (s *auditStage) audits(t *testing.T, w *harness.Webhook, n float64) {
	t.Helper()
	const name = "emrguard_audit_duration_seconds_count"
	before, err := metricOf(t.Context(), w, name)
	if err != nil {
		t.Fatal(err)
	}
	s.eventually(t, "further audits", func(ctx context.Context) error {
		now, err := metricOf(ctx, w, name)
		if err == nil && now < before+n {
			err = fmt.Errorf("there were %g", now-before)
		}
		return err
	})
}

func (s *auditStage) waitMetric(t *testing.T, w *harness.Webhook, name string, value float64) {
	t.Helper()
	s.eventually(t, fmt.Sprintf("%s to be %g", name, value), func(ctx context.Context) error {
		now, err := metricOf(ctx, w, name)
		if err == nil && now != value {
			err = fmt.Errorf("it is %g", now)
		}
		return err
	})
}

func (s *auditStage) eventually(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	if err := harness.WaitFor(t.Context(), what, 2*patience, condition); err != nil {
		t.Fatal(err)
	}
}

// report reads the report of a namespace; that of "" is the ClusterReport.
func (s *auditStage) report(t *testing.T, namespace string) *unstructured.Unstructured {
	t.Helper()
	r, err := s.admin.Get(t.Context(), reportObject(namespace, openreports.Name, nil))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func reportObject(namespace, name string, labels map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "openreports.io/v1alpha1", "kind": "ClusterReport",
		"metadata": map[string]any{"name": name, "labels": maps.Clone(labels)},
	}}
	if namespace != "" {
		o.SetKind("Report")
		o.SetNamespace(namespace)
	}
	return o
}

// retried creates an object of a kind that was installed a moment ago.
func retried(t *testing.T, c *harness.Client, o *unstructured.Unstructured) (a harness.Answer) {
	t.Helper()
	err := harness.WaitFor(t.Context(), "the new kind", patience, func(ctx context.Context) error {
		if a, _ = c.Create(ctx, o); !a.Done() {
			return errors.New(a.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// metricOf sums the series of a process that have all the labels that are given.
func metricOf(ctx context.Context, w *harness.Webhook, series string) (float64, error) {
	text, err := w.Metrics(ctx)
	if err != nil {
		return 0, err
	}
	name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	sum, known := 0.0, false
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		got, has, _ := strings.Cut(strings.TrimSuffix(key, "}"), "{")
		if got != name || labels != "" && !hasAll(strings.Split(has, ","), strings.Split(labels, ",")) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", line, err)
		}
		sum, known = sum+n, true
	}
	if !known {
		return 0, fmt.Errorf("there is no %s", series)
	}
	return sum, nil
}

// hasAll reports whether a list has everything that is wanted.
func hasAll(list, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(s string) bool { return !slices.Contains(list, s) })
}
