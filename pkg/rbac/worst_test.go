package rbac

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/emrguard/emrguard/pkg/limit"
)

// worst is a change of the largest kind that an API server stores, or a state that
// somebody has prepared for it.
type worst struct {
	name   string
	exists []kruntime.Object
	change Change
	// over is true when the change is over budget, which is an answer, too.
	over bool
}

func many(n int, format string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i)
	}
	return out
}

func manyUsers(n int) []rbacv1.Subject {
	out := make([]rbacv1.Subject, n)
	for i := range out {
		out[i] = user(fmt.Sprintf("user-%d", i))
	}
	return out
}

func everything() rbacv1.PolicyRule { return rule("*", "*", "*") }

// ruleEach has 11,000 rules with one name each: what fits into an object.
func ruleEach(format, verbs, groups, resources string) []rbacv1.PolicyRule {
	out := make([]rbacv1.PolicyRule, 11_000)
	for i := range out {
		out[i] = rule(verbs, groups, resources, fmt.Sprintf(format, i))
	}
	return out
}

// differing has rules of which no two match the same resources.
func differing(n int) []rbacv1.PolicyRule {
	kinds := []string{"configmaps", "secrets", "pods", "pods/exec", "pods/attach", "deployments", "jobs", "serviceaccounts", "roles", "rolebindings", "services/proxy", "pods/proxy"}
	out := make([]rbacv1.PolicyRule, n)
	for i := range out {
		r := rule("*", "*", "x", fmt.Sprintf("name-%d", i))
		for bit, kind := range kinds {
			if i>>bit&1 == 1 {
				r.Resources = append(r.Resources, kind)
			}
		}
		out[i] = r
	}
	return out
}

func worsts() []worst {
	admin := newClusterRole("cluster-admin", everything())
	selectAll := func(name string, i int) *rbacv1.ClusterRole {
		o := newClusterRole(name, rule("get", "-", "pods"))
		o.Labels = map[string]string{"x": strconv.Itoa(i)}
		o.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
			{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "x", Operator: metav1.LabelSelectorOpNotIn, Values: []string{fmt.Sprint("no-", i)}}}},
		}}
		return o
	}
	var bound, crowds, alike, chain []kruntime.Object
	for i := range 10_000 {
		bound = append(bound, bindCluster(fmt.Sprintf("b%d", i), "ClusterRole/wide", user(fmt.Sprintf("user-%d", i))))
	}
	for i := range 6 {
		b := bindCluster(fmt.Sprintf("b%d", i), "ClusterRole/wide")
		for j := range 20_000 {
			b.Subjects = append(b.Subjects, user(fmt.Sprintf("user-%d-%d", i, j)))
		}
		crowds = append(crowds, b)
	}
	var held []kruntime.Object
	for i := range 1_000 {
		held = append(held, newClusterRole(fmt.Sprint("own", i), rule("get", "-", "secrets", fmt.Sprint("name-", i))),
			bindCluster(fmt.Sprint("own", i), fmt.Sprint("ClusterRole/own", i), user(fmt.Sprintf("user-%d", i))))
	}
	for i := range 3_000 {
		alike = append(alike, selectAll(fmt.Sprint("all", i), i), bindCluster(fmt.Sprint("all", i), fmt.Sprint("ClusterRole/all", i), user(fmt.Sprintf("user-%d", i))))
		link := newClusterRole(fmt.Sprint("link", i), rule("get", "-", "pods", strconv.Itoa(i)))
		link.Labels = map[string]string{fmt.Sprint("l", i): "true"}
		chain = append(chain, aggregating(link, fmt.Sprint("l", i+1)))
	}
	chain = append(chain, bind("emr", "b", "ClusterRole/link0", user("alice")))
	wide, widened := newClusterRole("wide"), newClusterRole("wide", everything())
	secretNames := rule("get", "-", "secrets")
	secretNames.ResourceNames = many(50_000, "a-secret-%d")
	oldRules, newRules := ruleEach("m%d", "get", "-", "secrets"), ruleEach("a%d", "get", "-", "secrets")
	member := labelled(newClusterRole("m", oldRules...), "x")
	aggregate := aggregating(newClusterRole("a", append(newRules, rule("*", "-", "secrets,pods/exec"))...), "x")
	return []worst{
		{name: "20,000 subjects of cluster-admin", exists: []kruntime.Object{admin}, change: Change{New: bindCluster("big", "ClusterRole/cluster-admin", manyUsers(20_000)...)}},
		{name: "20,000 times the same subject", exists: []kruntime.Object{admin}, change: Change{New: bindCluster("big", "ClusterRole/cluster-admin", append(manyUsers(1), manyUsers(20_000)...)...)}},
		{name: "20,000 subjects added to 20,000", exists: []kruntime.Object{admin}, change: Change{
			Old: bindCluster("big", "ClusterRole/cluster-admin", manyUsers(10_000)...), New: bindCluster("big", "ClusterRole/cluster-admin", manyUsers(20_000)...),
		}},
		{name: "1,000 subjects", exists: []kruntime.Object{admin}, change: Change{New: bindCluster("big", "ClusterRole/cluster-admin", manyUsers(1_000)...)}},
		{name: "1,000 subjects that hold something each", exists: append(held, admin), change: Change{New: bindCluster("big", "ClusterRole/cluster-admin", manyUsers(1_000)...)}},
		{name: "11,000 rules for 11,000 others", exists: []kruntime.Object{bindCluster("b", "ClusterRole/r", user("alice"))}, change: Change{Old: newClusterRole("r", oldRules...), New: newClusterRole("r", newRules...)}},
		{name: "11,000 rules on everything", exists: []kruntime.Object{bindCluster("b", "ClusterRole/r", user("alice"))}, change: Change{
			Old: newClusterRole("r", ruleEach("m%d", "*", "*", "*")...), New: newClusterRole("r", ruleEach("a%d", "*", "*", "*")...),
		}},
		{name: "8,000 rules, each on other resources", exists: []kruntime.Object{bindCluster("b", "ClusterRole/r", user("alice"))}, change: Change{New: newClusterRole("r", differing(8_000)...)}, over: true},
		{name: "50,000 names", exists: []kruntime.Object{bindCluster("b", "ClusterRole/r", user("alice"))}, change: Change{New: newClusterRole("r", secretNames)}},
		{name: "an aggregate of 22,000 rules", exists: []kruntime.Object{member, aggregate}, change: Change{New: bindCluster("b", "ClusterRole/a", user("alice"))}},
		{name: "3,000 aggregates that select each other", exists: alike, change: Change{New: labelled(newClusterRole("x", rule("get", "-", "secrets")), "x")}, over: true},
		{name: "a chain of 3,000 aggregates", exists: chain, change: Change{New: func() kruntime.Object {
			o := newClusterRole("end", rule("get", "-", "secrets"))
			o.Labels = map[string]string{"l3000": "true"}
			return o
		}()}, over: true},
		{name: "a role that 10,000 bindings name", exists: append(bound, wide), change: Change{Old: wide, New: widened}},
		{name: "a role that 120,000 subjects have", exists: append(crowds, wide), change: Change{Old: wide, New: widened}, over: true},
	}
}

// manyNamespaces are those that an installation manages.
func manyNamespaces() []string {
	return append(many(100, "emr-%d"), "emr", "kube-system", "emrguard-system")
}

// TestWorstCasesAreAnswered proves that every one of them gets an answer that is right,
// or the one that it is over budget.
func TestWorstCasesAreAnswered(t *testing.T) {
	t.Parallel()
	c := guide(t)
	for _, w := range worsts() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			r, err := storeOf(t, w.exists...).Gains(t.Context(), w.change, manyNamespaces(), c)
			if exceeded := (*limit.Exceeded)(nil); errors.As(err, &exceeded) != w.over || err != nil && !w.over {
				t.Fatalf("over budget %t is wanted, the error is %v", w.over, err)
			}
			if !w.over && len(r.Gains) == 0 {
				t.Error("nobody gains anything")
			}
			if len(r.Gains) > 0 && len(r.Gains[0].Paths(r.Gains[0].Subjects[0], r.Gains[0].Namespaces[0], 1)) == 0 {
				t.Error("there is no path")
			}
		})
	}
}

// BenchmarkWorst is how long each takes, and how much memory: what is counted, and what
// is allocated, of which a part is given back at once.
func BenchmarkWorst(b *testing.B) {
	c := guide(b)
	for _, w := range worsts() {
		b.Run(w.name, func(b *testing.B) {
			s := storeOf(b, w.exists...)
			b.ReportAllocs()
			steps, bytes := limit.GrantSteps, limit.GrantBytes
			for b.Loop() {
				r, err := s.Gains(b.Context(), w.change, manyNamespaces(), c)
				if (err != nil) != w.over {
					b.Fatal(err)
				}
				if len(r.Gains) > 0 {
					left := r.Gains[0].of.budget
					steps, bytes = limit.GrantSteps-left.steps, limit.GrantBytes-left.bytes
				}
			}
			b.ReportMetric(float64(steps), "steps")
			b.ReportMetric(float64(bytes)/(1<<20), "counted-MiB")
		})
	}
}

// TestHeavyEvaluationBlocksNobody changes the store, and asks it, in the middle of an
// evaluation: while that waits for a look-up, and so cannot end before.
func TestHeavyEvaluationBlocksNobody(t *testing.T) {
	t.Parallel()
	s, c := storeOf(t, newClusterRole("cluster-admin", everything())), guide(t)
	light := Change{New: bindCluster("light", "ClusterRole/cluster-admin", user("mallory"))}
	heavy := Change{New: bindCluster("big", "ClusterRole/missing", manyUsers(20_000)...), Lookup: func(ObjectRef) (kruntime.Object, error) {
		if err := s.Set(newRole("default", "tick", rule("get", "-", "pods"))); err != nil {
			return nil, err
		}
		if r, err := s.Gains(t.Context(), light, manyNamespaces(), c); err != nil || len(r.Gains) == 0 {
			t.Errorf("beside a heavy evaluation there are %d gains, %v", len(r.Gains), err)
		}
		return newClusterRole("missing", everything()), nil
	}}
	if r, err := s.Gains(t.Context(), heavy, manyNamespaces(), c); err != nil || len(r.Gains) == 0 {
		t.Errorf("%d gains, %v", len(r.Gains), err)
	}
}

// A state that is being read does not change.
func TestEvaluationSeesOneState(t *testing.T) {
	t.Parallel()
	s := storeOf(t)
	before := s.now.Load()
	for i := range 500 {
		for _, o := range []kruntime.Object{
			newRole("n", strconv.Itoa(i), rule("get", "-", "secrets")), newClusterRole(strconv.Itoa(i)),
			bind("n", strconv.Itoa(i), "Role/r", user("alice")), bindCluster(strconv.Itoa(i), "ClusterRole/c", user("alice")),
		} {
			if err := s.Set(o); err != nil {
				t.Fatal(err)
			}
		}
	}
	half := s.now.Load()
	got := len(half.subjects.get(User("alice")).local)
	if err := s.Replace(KindRoleBinding, nil); err != nil {
		t.Fatal(err)
	}
	if before.roles.size+before.roleBindings != 0 || half.roleBindings != 500 || got != 500 || len(half.subjects.get(User("alice")).local) != 500 || half.roles.size != 500 {
		t.Error("a state has changed after it was read")
	}
	if now := s.now.Load(); now.roleBindings != 0 || now.namespaces.size != 0 || len(now.subjects.get(User("alice")).local) != 0 {
		t.Error("what was deleted is still there")
	}
}
