package integration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/test/fixtures"
	"github.com/emrguard/emrguard/test/harness"
)

// TestFixtures sends every fixture of admission to the API server, each in a
// namespace of its own, and compares what the requester is told and what the audit
// log records.
func TestFixtures(t *testing.T) {
	list, err := fixtures.Load()
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(f *fixtures.Fixture) bool { return f.Audit || byPolicy(f) })
	var moved []*fixtures.Fixture
	byConfig := map[string][]*fixtures.Fixture{}
	for i, f := range list {
		name := "fixture-"
		if f.Rule == sharedRole {
			name = apart
		}
		f, err := f.In(fmt.Sprintf("%s%d", name, i))
		if err != nil {
			t.Fatal(err)
		}
		moved = append(moved, f)
		if f.Config != nil {
			data, err := configOf(t.Context(), f.Config)
			if err != nil {
				t.Fatal(err)
			}
			byConfig[data] = append(byConfig[data], f)
		}
	}
	var sent []*fixtures.Fixture
	var mu sync.Mutex
	answer := func(t *testing.T, f *fixtures.Fixture) {
		t.Helper()
		t.Run(testName(f), func(t *testing.T) {
			t.Parallel()
			compareAnswer(t, f, send(t, f))
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, f)
		})
	}
	t.Run("answer", func(t *testing.T) {
		for _, f := range moved {
			if f.Config == nil {
				answer(t, f)
			}
		}
	})
	for i, data := range slices.Sorted(maps.Keys(byConfig)) {
		t.Run(fmt.Sprintf("config-%d", i), func(t *testing.T) {
			withConfig(t, data, taken)
			for _, f := range byConfig[data] {
				answer(t, f)
			}
		})
	}
	t.Run("audit", func(t *testing.T) {
		events := fixtureEvents(t, sent)
		for _, f := range sent {
			t.Run(testName(f), func(t *testing.T) { compareEvent(t, f, events[f]) })
		}
	})
}

// configOf is the chart's configuration with that of a fixture.
func configOf(ctx context.Context, more map[string]any) (string, error) {
	data, err := chart.Config(ctx)
	if err != nil {
		return "", err
	}
	conf := map[string]any{}
	if err := yaml.Unmarshal(data, &conf); err != nil {
		return "", err
	}
	data, err = yaml.Marshal(fixtures.MergeConfig(conf, more))
	return string(data), err
}

func testName(f *fixtures.Fixture) string { return strings.TrimSuffix(f.Path(), ".yaml") }

// send sets up what a fixture presumes and sends its request.
func send(t *testing.T, f *fixtures.Fixture) harness.Answer {
	t.Helper()
	setup := planter(t)
	if f.Object.GetKind() == "Namespace" {
		putInScope(f)
	} else {
		// Also for an object without a namespace: it grants something in this one.
		namespace(t, f.Namespace, managed())
	}
	if f.Elsewhere() {
		namespace(t, f.Object.GetNamespace(), nil)
	}
	for _, obj := range f.Given {
		if ns := obj.GetNamespace(); ns != "" && ns != f.Namespace {
			namespace(t, ns, nil)
		}
		stored := plant(t, setup, obj)
		if written := obj.GetUID(); written != "" {
			f.Own(written, stored.GetUID())
		}
	}
	if f.Old != nil {
		old := f.Old.DeepCopy()
		old.SetDeletionTimestamp(nil)
		plant(t, setup, old)
		if f.BeingDeleted() {
			must(t, "delete the object, which its finalizer keeps", setup.Delete(t.Context(), old))
		}
	} else if f.Exists() {
		plant(t, setup, f.Object)
	}
	if strings.HasPrefix(f.Rule, "rbac-") || f.Rule == "cross-namespace-role" || f.Rule == "execution-role-isolation" {
		// emrguard learns of what was planted by its watches. A wrong answer that
		// stays is reported below.
		_ = harness.WaitFor(t.Context(), "the right answer", settle, func(context.Context) error {
			a := request(t, f, harness.DryRun)
			if right := map[rule.Action]harness.Verdict{rule.Deny: harness.Denied, rule.Warn: harness.Warned, "": harness.Allowed}[f.Expect]; a.Verdict != right {
				return errors.New(a.String())
			}
			return nil
		})
	}
	return request(t, f)
}

// settle bounds how long emrguard may take to see what was planted.
const settle = 10 * time.Second

// request sends the request itself.
func request(t *testing.T, f *fixtures.Fixture, opts ...harness.Option) harness.Answer {
	t.Helper()
	ctx, requester := t.Context(), as(t, f.User, f.Groups...)
	switch {
	case f.Operation == rule.Connect || f.IsToken():
		return post(t, f)
	case f.Operation == rule.Create:
		a, _ := requester.Create(ctx, f.Object, opts...)
		return a
	case f.Operation == rule.Delete:
		return requester.Delete(ctx, f.Object, opts...)
	}
	if f.Subresource == "finalize" { // takes no patch
		return finalize(t, requester, f, opts...)
	}
	change, err := f.Change()
	if err != nil {
		t.Fatal(err)
	}
	if f.Subresource != "" {
		opts = append(opts, harness.Subresource(f.Subresource))
	}
	a, _ := requester.Patch(ctx, f.Object, change.Type, string(change.Data), opts...)
	return a
}

// finalize sends an object as it is stored, with the metadata that the fixture asks for.
func finalize(t *testing.T, requester *harness.Client, f *fixtures.Fixture, opts ...harness.Option) harness.Answer {
	t.Helper()
	stored, err := planter(t).Get(t.Context(), f.Object)
	if err != nil {
		t.Fatal(err)
	}
	stored.SetLabels(f.Object.GetLabels())
	stored.SetAnnotations(f.Object.GetAnnotations())
	a, _ := requester.Update(t.Context(), stored, append(opts, harness.Subresource(f.Subresource))...)
	return a
}

// putInScope labels the Namespace of a fixture that says nothing of the label
// itself.
func putInScope(f *fixtures.Fixture) {
	if f.Old != nil && f.Old.GetLabels()[managedLabel] != "" {
		return
	}
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
}

// plant creates an object, or turns the one that a controller has made already
// into it, and returns what is stored.
func plant(t *testing.T, setup *harness.Client, obj *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	a, stored := setup.Create(t.Context(), obj)
	if apierrors.IsAlreadyExists(a.Err) {
		data, err := obj.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		a, stored = setup.Patch(t.Context(), obj, types.MergePatchType, string(data))
	}
	must(t, fmt.Sprintf("plant %s %s", obj.GetKind(), obj.GetName()), a)
	return stored
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
	if !harness.NamesRule(text, f.Rule) || !strings.Contains(text, f.Message) {
		t.Errorf("want [%s] and %q: %s", f.Rule, f.Message, a)
	}
}

// fixtureEvents finds the events of all fixtures' requests in one reading of the
// log. No two fixtures share a namespace or, where there is none, a name.
func fixtureEvents(t *testing.T, sent []*fixtures.Fixture) map[*fixtures.Fixture]*auditv1.Event {
	t.Helper()
	byPlace := map[string]*fixtures.Fixture{}
	for _, f := range sent {
		byPlace[cmp.Or(f.Object.GetNamespace(), f.Object.GetName())] = f
	}
	var events map[*fixtures.Fixture]*auditv1.Event
	err := harness.WaitFor(t.Context(), "the audit events of all fixtures", patience, func(context.Context) error {
		events = map[*fixtures.Fixture]*auditv1.Event{}
		_, err := cp.AuditEvents(func(e *auditv1.Event) bool {
			if e.ObjectRef == nil || strings.Contains(e.RequestURI, "dryRun=") {
				return false
			}
			// A controller of that name may act by itself, without impersonation.
			if f := byPlace[cmp.Or(namespaceOf(e), e.ObjectRef.Name)]; f != nil && e.ImpersonatedUser != nil && userOf(e) == f.User {
				events[f] = e
			}
			return false
		})
		if err != nil {
			return err
		}
		for _, f := range byPlace {
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
	if f.Excused {
		if len(annotations) != 1 || !harness.NamesRule(annotations["exempt"], f.Rule) {
			t.Errorf("the audit log has %q, want that %s excuses it", annotations, f.Rule)
		}
		return
	}
	if f.Pass {
		if len(annotations) > 0 {
			t.Errorf("the audit log has %q", annotations)
		}
		return
	}
	if entry := entryOf(f); webhook != entry {
		t.Errorf("the webhook %q recorded, want %s", webhook, entry)
	}
	if ids := idsIn(annotations["deny"], annotations["warn"], annotations["audit"]); !slices.Equal(ids, f.Rules()) {
		t.Errorf("the audit log has findings of %q, want %q: %q", ids, f.Rules(), annotations)
	}
	if !harness.NamesRule(annotations[string(f.Expect)], f.Rule) {
		t.Errorf("the annotation %q does not name %s: %q", f.Expect, f.Rule, annotations)
	}
}

// entryOf is the entry of the webhook configuration that judges a fixture. That of
// a Namespace is chosen by the labels that it is to have, for its subresources by those
// that it has.
func entryOf(f *fixtures.Fixture) string {
	inScope := f.Object.GetNamespace() == f.Namespace
	if f.Object.GetKind() == "Namespace" {
		inScope = f.Object.GetLabels()[managedLabel] == "true" || f.Subresource != ""
	}
	entry := "cluster"
	if inScope {
		entry = "managed-label"
	}
	if f.Subresource == "status" || f.Subresource == "finalize" || f.Object.GetKind() == "Binding" {
		entry += "-metadata"
	}
	return entry + ".emrguard.dev"
}
