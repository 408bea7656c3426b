package rbacdiff

import (
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	upstream "k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/rbac"
)

func storeOf(tb testing.TB, w *world) *rbac.Store {
	tb.Helper()
	s := rbac.NewStore()
	for _, o := range w.objects() {
		if err := s.Set(o); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// TestRuleAllows compares single rules with single requests.
func TestRuleAllows(t *testing.T) {
	t.Parallel()
	const cases = 400_000
	r := seeded(1)
	allowed := 0
	for i := range cases {
		rule := r.rule()
		req := r.request()
		if i%2 == 0 {
			req = r.fitting(rule, req)
		}
		want := upstream.RuleAllows(record(req), &rule)
		if want {
			allowed++
		}
		if rbac.RuleAllows(&rule, req.Attributes) == want {
			continue
		}
		differs := func(rule rbacv1.PolicyRule) bool {
			return rbac.RuleAllows(&rule, req.Attributes) != upstream.RuleAllows(record(req), &rule)
		}
		for again := true; again; {
			again = false
			for _, smaller := range smallerRule(rule) {
				if differs(smaller) {
					rule, again = smaller, true
					break
				}
			}
		}
		t.Fatalf("case %d: kube-apiserver says %t to\n%+v\nby the rule\n%s", i,
			upstream.RuleAllows(record(req), &rule), req.Attributes, show(rule))
	}
	t.Logf("%d cases of one rule and one request, %d of them allowed: no difference", cases, allowed)
}

func show(v any) string {
	out, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(out)
}

// TestCan compares whole worlds: bindings, roles, subjects, and requests.
func TestCan(t *testing.T) {
	t.Parallel()
	compareWorlds(t, 2, 20_000, 50, false)
}

// TestCanAfterAggregation gives kube-apiserver's authorizer the aggregates as the
// controller fills them in, and emrguard the same world before that.
func TestCanAfterAggregation(t *testing.T) {
	t.Parallel()
	compareWorlds(t, 3, 12_000, 50, true)
}

func compareWorlds(t *testing.T, seed uint64, worlds, requests int, aggregates bool) {
	t.Helper()
	ctx := t.Context()
	ours := func(w *world, req rbac.Request) bool {
		s := storeOf(t, w)
		if aggregates {
			return s.CanAfterAggregation(req).Allowed
		}
		return s.Can(req).Allowed
	}
	theirs := func(w *world, req rbac.Request) bool {
		if aggregates {
			w = aggregate(t, w)
		}
		return allows(ctx, authorizerOf(w), req)
	}
	cases, allowed := 0, 0
	for i := range worlds {
		r := seeded(seed<<32 + uint64(i))
		w := r.world(aggregates)
		full := w
		if aggregates {
			full = aggregate(t, w)
		}
		store, reference := storeOf(t, w), authorizerOf(full)
		if aggregates && i%2 == 0 {
			store = storeOf(t, full) // as it is once the controller has run
		}
		for j := range requests {
			req := r.request()
			if j%2 == 0 {
				req = r.near(full, req)
			}
			want := allows(ctx, reference, req)
			got := store.Can(req)
			if aggregates {
				got = store.CanAfterAggregation(req)
			}
			cases++
			if want {
				allowed++
			}
			if got.Allowed == want && (len(got.Paths) > 0) == want {
				continue
			}
			small := shrink(w, func(w *world) bool { return ours(w, req) != theirs(w, req) })
			t.Fatalf("world %d, request %d: kube-apiserver says %t, we %t (%v) to\n%+v\nin\n%s",
				i, j, want, got.Allowed, got.Paths, req, small)
		}
	}
	if allowed < cases/20 {
		t.Errorf("only %d of %d requests are allowed: the worlds are too poor to show anything", allowed, cases)
	}
	t.Logf("%d cases in %d worlds, %d of them allowed: no difference", cases, worlds, allowed)
}

// FuzzRuleAllows lets the fuzzer make the words.
func FuzzRuleAllows(f *testing.F) {
	f.Add("get", "", "pods/exec", "a", "/x", "get", "", "pods", "exec", "a", "/x", false)
	f.Add("*", "*", "*/exec", "", "/x/*", "create", "apps", "pods", "exec", "", "/x/y", false)
	f.Add("get", "", "*/*", "", "*", "get", "", "pods", "exec", "", "/", true)
	f.Fuzz(func(t *testing.T, verb, group, res, name, url, wantVerb, wantGroup, wantRes, wantSub, wantName, path string, nonResource bool) {
		rule := rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{res}, NonResourceURLs: []string{url}}
		if name != "" {
			rule.ResourceNames = []string{name}
		}
		req := rbac.Request{Attributes: rbac.Attributes{
			Verb: wantVerb, APIGroup: wantGroup, Resource: wantRes, Subresource: wantSub, Name: wantName, Path: path, NonResource: nonResource,
		}}
		want := upstream.RuleAllows(record(req), &rule)
		if got := rbac.RuleAllows(&rule, req.Attributes); got != want {
			t.Fatalf("kube-apiserver says %t, we say %t to\n%+v\nby the rule\n%s", want, got, req.Attributes, show(rule))
		}
	})
}
