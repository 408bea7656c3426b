package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/test/fixtures"
	"github.com/emrguard/emrguard/test/harness"
)

// TestFixtures sends every fixture to the API server, each in a namespace of its
// own, and compares what the requester is told and what the audit log records.
func TestFixtures(t *testing.T) {
	list, err := fixtures.Load()
	if err != nil {
		t.Fatal(err)
	}
	sent := make([]*fixtures.Fixture, len(list))
	t.Run("answer", func(t *testing.T) {
		for i, f := range list {
			t.Run(testName(f), func(t *testing.T) {
				t.Parallel()
				moved, err := f.In(fmt.Sprintf("fixture-%d", i))
				if err != nil {
					t.Fatal(err)
				}
				compareAnswer(t, moved, send(t, moved))
				sent[i] = moved
			})
		}
	})
	t.Run("audit", func(t *testing.T) {
		events := fixtureEvents(t, sent)
		for _, f := range sent {
			if f == nil { // it was not sent, and its test says why, or nobody asked for it
				continue
			}
			t.Run(testName(f), func(t *testing.T) { compareEvent(t, f, events[f]) })
		}
	})
}

func testName(f *fixtures.Fixture) string { return strings.TrimSuffix(f.Path(), ".yaml") }

// send sets up what a fixture presumes and sends its request.
func send(t *testing.T, f *fixtures.Fixture) harness.Answer {
	t.Helper()
	ctx, setup, requester := t.Context(), planter(t), as(t, f.User, f.Groups...)
	if f.Object.GetKind() == "Namespace" {
		for _, ns := range []*unstructured.Unstructured{f.Old, f.Object} {
			if ns != nil {
				labels := ns.GetLabels()
				if labels == nil {
					labels = map[string]string{}
				}
				labels[managedLabel] = "true"
				ns.SetLabels(labels)
			}
		}
	} else {
		namespace(t, f.Object.GetNamespace(), managed())
	}
	for _, obj := range f.Given {
		plant(t, setup, obj)
	}
	if f.Operation == rule.Create {
		a, _ := requester.Create(ctx, f.Object)
		return a
	}
	if f.Operation == rule.Delete {
		plant(t, setup, f.Object)
		return requester.Delete(ctx, f.Object)
	}
	change, err := f.Change()
	if err != nil {
		t.Fatal(err)
	}
	old := f.Old.DeepCopy()
	old.SetDeletionTimestamp(nil)
	plant(t, setup, old)
	if f.BeingDeleted() {
		must(t, "delete the object, which its finalizer keeps", setup.Delete(ctx, old))
	}
	var opts []harness.Option
	if f.Subresource != "" {
		opts = append(opts, harness.Subresource(f.Subresource))
	}
	a, _ := requester.Patch(ctx, f.Object, change.Type, string(change.Data), opts...)
	return a
}

// plant creates an object, or turns the one that a controller has made already
// into it.
func plant(t *testing.T, setup *harness.Client, obj *unstructured.Unstructured) {
	t.Helper()
	a, _ := setup.Create(t.Context(), obj)
	if apierrors.IsAlreadyExists(a.Err) {
		data, err := obj.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		a, _ = setup.Patch(t.Context(), obj, types.MergePatchType, string(data))
	}
	must(t, fmt.Sprintf("plant %s %s", obj.GetKind(), obj.GetName()), a)
}

// compareAnswer checks what the requester is told.
func compareAnswer(t *testing.T, f *fixtures.Fixture, a harness.Answer) {
	t.Helper()
	warnings := told(a)
	text := strings.Join(warnings, "\n")
	switch f.Expect {
	case rule.Deny:
		want(t, "the request", a, harness.Denied)
		text = a.Message
		if len(warnings) > 0 {
			t.Errorf("a denial comes with warnings: %q", warnings)
		}
	case rule.Warn:
		want(t, "the request", a, harness.Warned)
	default:
		must(t, "the request", a)
		if len(warnings) > 0 {
			t.Errorf("want no warning, the answer was: %s", a)
		}
		return
	}
	for _, id := range idsIn(text) {
		if !slices.Contains(f.Rules(), id) {
			t.Errorf("want findings of %q: %s", f.Rules(), a)
		}
	}
	if !strings.Contains(text, "["+f.Rule+"]") || !strings.Contains(text, f.Message) {
		t.Errorf("want [%s] and %q: %s", f.Rule, f.Message, a)
	}
}

// fixtureEvents finds the events of all fixtures' requests in one reading of the
// log. No two fixtures share a namespace.
func fixtureEvents(t *testing.T, sent []*fixtures.Fixture) map[*fixtures.Fixture]*auditv1.Event {
	t.Helper()
	byNamespace := map[string]*fixtures.Fixture{}
	for _, f := range sent {
		if f == nil {
			continue
		}
		ns := f.Object.GetNamespace()
		if f.Object.GetKind() == "Namespace" {
			ns = f.Object.GetName()
		}
		byNamespace[ns] = f
	}
	var events map[*fixtures.Fixture]*auditv1.Event
	err := harness.WaitFor(t.Context(), "the audit events of all fixtures", patience, func(context.Context) error {
		events = map[*fixtures.Fixture]*auditv1.Event{}
		_, err := cp.AuditEvents(func(e *auditv1.Event) bool {
			// A controller of that name may act by itself, without impersonation.
			if f := byNamespace[namespaceOf(e)]; f != nil && e.ImpersonatedUser != nil && userOf(e) == f.User {
				events[f] = e
			}
			return false
		})
		if err != nil {
			return err
		}
		for _, f := range byNamespace {
			if events[f] == nil {
				return fmt.Errorf("there is none of %s", f.Path())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// compareEvent checks what the audit log records: every finding, whatever came
// of it, and nothing where there is none.
func compareEvent(t *testing.T, f *fixtures.Fixture, e *auditv1.Event) {
	t.Helper()
	annotations, webhook := recorded(e)
	if f.Pass {
		if len(annotations) > 0 {
			t.Errorf("the audit log has %q", annotations)
		}
		return
	}
	if webhook != "managed-label.emrguard.dev" {
		t.Errorf("the webhook %q recorded, want managed-label.emrguard.dev", webhook)
	}
	if ids := idsIn(annotations["deny"], annotations["warn"], annotations["audit"]); !slices.Equal(ids, f.Rules()) {
		t.Errorf("the audit log has findings of %q, want %q: %q", ids, f.Rules(), annotations)
	}
	if !strings.Contains(annotations[string(f.Expect)], "["+f.Rule+"]") {
		t.Errorf("the annotation %q does not name %s: %q", f.Expect, f.Rule, annotations)
	}
}
