package integration

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/emrguard/emrguard/test/harness"
)

// TestRefusedRoleDoesNotHideTheStoredOne creates a harmless role under the name of one
// that exists: the API server refuses it after the webhook has let it pass. Who then
// binds the role that exists is refused all the same, by whichever replica.
func TestRefusedRoleDoesNotHideTheStoredOne(t *testing.T) {
	const ns = "refused-role"
	namespace(t, ns, managed())
	for i := range 20 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			name := fmt.Sprint("loot-", i)
			named := func(text string) *unstructured.Unstructured {
				return parse(t, inPlace(strings.ReplaceAll(text, "team", name), ns))[0]
			}
			loot := named(roleText(ruleText("", "secrets", "get", "")))
			harmless := named(roleText(ruleText("", "pods", "get", "")))
			binding := named(bindingText("Role", "team", subjectText("User", "mallory")))
			a, _ := administrator(t).Create(t.Context(), loot)
			must(t, "the role that reads Secrets", a)
			for range 3 {
				if a, _ := administrator(t).Create(t.Context(), harmless); !strings.Contains(a.Message, "already exists") {
					t.Fatalf("a role of that name exists: %s", a)
				}
			}
			a, _ = administrator(t).Create(t.Context(), binding)
			want(t, "the binding", a, harness.Denied)
			if !strings.Contains(a.Message, "User mallory could get secrets in namespace "+ns) {
				t.Error(a)
			}
		})
	}
}

// TestRefusedBindingDoesNotHideTheStoredOne is the same with a binding of other
// subjects, before its role is widened.
func TestRefusedBindingDoesNotHideTheStoredOne(t *testing.T) {
	const ns = "refused-binding"
	namespace(t, ns, managed())
	harmless, wide := roleText(ruleText("", "pods", "get", "")), roleText(ruleText("", "secrets", "get", ""))
	for _, text := range []string{harmless, bindingText("Role", "team", subjectText("User", "mallory"))} {
		a, _ := administrator(t).Create(t.Context(), parse(t, inPlace(text, ns))[0])
		must(t, "what is there", a)
	}
	other := parse(t, inPlace(bindingText("Role", "team", subjectText("User", "nobody")), ns))[0]
	if a, _ := administrator(t).Create(t.Context(), other); !strings.Contains(a.Message, "already exists") {
		t.Fatalf("a binding of that name exists: %s", a)
	}
	a := apply(t, administrator(t), parse(t, inPlace(wide, ns))[0], true)
	want(t, "the wider role", a, harness.Denied)
	if !strings.Contains(a.Message, "User mallory could get secrets") {
		t.Error(a)
	}
}

// TestInventedRoleDeniesNobody lets a role pass that the API server refuses, because
// it exists: bindings to the one that exists pass.
func TestInventedRoleDeniesNobody(t *testing.T) {
	const ns = "invented-role"
	namespace(t, ns, managed())
	harmless, loot := roleText(ruleText("", "pods", "get", "")), roleText(ruleText("", "secrets", "get", ""))
	a, _ := administrator(t).Create(t.Context(), parse(t, inPlace(harmless, ns))[0])
	must(t, "the role", a)
	if a, _ := administrator(t).Create(t.Context(), parse(t, inPlace(loot, ns))[0]); !strings.Contains(a.Message, "already exists") {
		t.Fatalf("a role of that name exists: %s", a)
	}
	a, _ = administrator(t).Create(t.Context(), parse(t, inPlace(bindingText("Role", "team", subjectText("User", "alice")), ns))[0])
	must(t, "the binding", a)
}

// TestRoleAndBindingAtOnce asks for both at the same time: not both may pass.
func TestRoleAndBindingAtOnce(t *testing.T) {
	const ns = "at-once"
	namespace(t, ns, managed())
	for i := range 50 {
		name := fmt.Sprint("team-", i)
		named := func(text string) *unstructured.Unstructured {
			return parse(t, inPlace(strings.ReplaceAll(text, "team", name), ns))[0]
		}
		answers := make(chan harness.Answer, 2)
		for _, obj := range []*unstructured.Unstructured{named(roleText(ruleText("", "secrets", "get", ""))), named(bindingText("Role", "team", subjectText("User", "mallory")))} {
			go func() {
				a, _ := administrator(t).Create(t.Context(), obj)
				answers <- a
			}()
		}
		if a, b := <-answers, <-answers; a.Verdict != harness.Denied && b.Verdict != harness.Denied {
			t.Errorf("%s: both pass: %s; %s", name, a, b)
		}
	}
}

// TestLargestBinding proves that the largest ClusterRoleBinding that etcd takes is
// refused, and is never let in because it takes too long.
func TestLargestBinding(t *testing.T) {
	const ns = "largest-binding"
	namespace(t, ns, managed())
	role := parse(t, inPlace(clusterRoleText("all", "", ruleText("", "secrets", "get", "")), ns))[0]
	plant(t, planter(t), role)
	binding := parse(t, inPlace(clusterBindingText("NS-all", subjectText("User", "mallory")), ns))[0]
	subjects, _, _ := unstructured.NestedSlice(binding.Object, "subjects")
	for i := range 20_000 {
		subjects = append(subjects, map[string]any{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": fmt.Sprint("u", i)})
	}
	if err := unstructured.SetNestedSlice(binding.Object, subjects, "subjects"); err != nil {
		t.Fatal(err)
	}
	err := harness.WaitFor(t.Context(), "emrguard to see the role", settle, func(context.Context) error {
		a, _ := administrator(t).Create(t.Context(), binding, harness.DryRun)
		if a.Verdict != harness.Denied || !strings.Contains(a.Message, "User mallory could get secrets") {
			return errors.New(a.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := administrator(t).Create(t.Context(), binding)
	want(t, "the binding of 20,001 subjects", a, harness.Denied)
}
