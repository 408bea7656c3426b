package live

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/emr"
)

// begin is when the clock of these tests starts.
var begin = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// arrivals collects the names of what arrives at a sink.
func arrivals(resource string) (*sink, *[]string) {
	l := New(nil)
	l.freshness.now = func() time.Time { return begin }
	s := newSink(l, resource)
	var names []string
	s.arrived = func(o runtime.Object) {
		if m, err := meta.Accessor(o); err == nil {
			names = append(names, m.GetName())
		}
	}
	return s, &names
}

func oldRole(name, verb string) *rbacv1.Role {
	return &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name, CreationTimestamp: metav1.Time{Time: begin.Add(-24 * time.Hour)}},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{verb}}},
	}
}

func TestWhatChangedWhileTheWatchWasGoneArrives(t *testing.T) {
	t.Parallel()
	s, names := arrivals("roles")
	young, edited := oldRole("young", "get"), oldRole("edited", "get")
	young.CreationTimestamp.Time = begin.Add(-time.Minute)
	edited.ManagedFields = []metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: begin.Add(-time.Minute)}}}
	step := func(what string, want []string, do func() error) {
		t.Helper()
		*names = nil
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(*names, want) {
			t.Errorf("%s: %q arrived, want %q", what, *names, want)
		}
	}
	step("the list at the start", []string{"young", "edited"}, func() error {
		return s.Replace([]any{oldRole("same", "get"), oldRole("widened", "get"), oldRole("gone", "get"), young, edited}, "1")
	})
	step("a list after an outage", []string{"widened", "new"}, func() error {
		return s.Replace([]any{oldRole("same", "get"), oldRole("widened", "create"), young, edited, oldRole("new", "get")}, "2")
	})
	step("an event without a change", nil, func() error {
		annotated := oldRole("same", "get")
		annotated.Annotations = map[string]string{"note": "nothing that a rule reads"}
		return s.Update(annotated)
	})
	step("an event", []string{"same"}, func() error { return s.Update(oldRole("same", "delete")) })
	step("a deletion", nil, func() error { return s.Delete(oldRole("new", "get")) })
	step("the same again", []string{"new"}, func() error { return s.Add(oldRole("new", "get")) })
}

func TestAccountsAndNamespacesThatAreGoneAreForgotten(t *testing.T) {
	t.Parallel()
	account := func(name, arn string) *corev1.ServiceAccount {
		return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name, Annotations: map[string]string{emr.AnnotationRoleARN: arn}}}
	}
	const arn = "arn:aws:iam::123456789012:role/r"
	l := New(nil)
	accounts, namespaces := newSink(l, "serviceaccounts"), newSink(l, "namespaces")
	for _, err := range []error{
		accounts.Replace([]any{account("stays", arn), account("goes", arn)}, "1"),
		namespaces.Replace([]any{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "b"}}}, "1"),
		accounts.Replace([]any{account("stays", arn)}, "2"),
		namespaces.Replace([]any{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}}}, "2"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := l.ServiceAccounts(t.Context(), "a")
	if err != nil || len(list) != 1 || list[0].Name != "stays" {
		t.Errorf("accounts %v (%v), want the one that stays", list, err)
	}
	if _, err := l.Namespace(t.Context(), "a"); err != nil {
		t.Errorf("the namespace that stays: %v", err)
	}
	if _, err := l.Namespace(t.Context(), "b"); err == nil {
		t.Error("the namespace that is gone is known")
	}
}

func TestFreshnessTellsWhatIsOld(t *testing.T) {
	t.Parallel()
	now := begin
	f := newFreshness(func() time.Time { return now }, []string{"roles", "rolebindings"})
	const limit = 30 * time.Second
	check := func(want string) {
		t.Helper()
		switch err := f.Stale(limit); {
		case want == "" && err != nil:
			t.Errorf("stale: %v", err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	check("")
	now = now.Add(limit + time.Second)
	check("--stale-after")
	f.contact.Store(now.UnixNano())
	check("") // a watch may be silent for longer
	now = now.Add(watchSilence)
	f.contact.Store(now.UnixNano())
	f.watches["roles"].Store(now.UnixNano())
	check("rolebindings for")
	if age := f.Watch("rolebindings"); age != watchSilence+limit+time.Second {
		t.Errorf("the watch is %s old", age)
	}
	f.watches["rolebindings"].Store(now.UnixNano())
	check("")
}
