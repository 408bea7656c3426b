package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// granted is the verdict on a new ClusterRoleBinding to a role with some rules.
func granted(t *testing.T, c *config.Guard, subjects []rbacv1.Subject, rights ...rbacv1.PolicyRule) engine.Verdict {
	t.Helper()
	c.EMR.Namespaces = []string{"emr-jobs", "emr-more"}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	facts := &cluster.Snapshot{}
	facts.Set(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "r"}, Rules: rights})
	raw, err := json.Marshal(&rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: "b"}, Subjects: subjects, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "r"},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, _ := object.Find(schema.GroupResource{Group: rbacv1.GroupName, Resource: "clusterrolebindings"})
	o, err := object.Decode(res, raw)
	if err != nil {
		t.Fatal(err)
	}
	r := e.Existing(res, o, facts)
	r.Requester = e.Classify("admin", []string{"system:masters"}, "")
	return e.Review(t.Context(), r, nil)
}

func right(verb, group, resource string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{resource}}
}

func users(n int) []rbacv1.Subject {
	out := make([]rbacv1.Subject, n)
	for i := range out {
		out[i] = rbacv1.Subject{Kind: "User", Name: fmt.Sprintf("u%d", i)}
	}
	return out
}

func platformAccounts(n int) []rbacv1.Subject {
	out := make([]rbacv1.Subject, n)
	for i := range out {
		out[i] = rbacv1.Subject{Kind: "ServiceAccount", Namespace: "tools", Name: fmt.Sprint("a", i)}
	}
	return out
}

func TestTwentyThousandSubjectsAreBounded(t *testing.T) {
	t.Parallel()
	v := granted(t, config.Default(), users(20_000), right("*", "*", "*"))
	if v.Allowed() || len(v.Errors) > 0 {
		t.Fatalf("allowed %t, errors %v", v.Allowed(), v.Errors)
	}
	counts := map[string]int{}
	for _, o := range slices.Concat(v.Denied, v.Warned, v.Audited) {
		counts[o.Rule]++
		if len(o.Text()) > 2000 {
			t.Errorf("a message of %d characters", len(o.Text()))
		}
	}
	for id, n := range counts {
		if n > limit.Findings {
			t.Errorf("%d findings of %s", n, id)
		}
	}
	if !slices.ContainsFunc(v.Denied, func(o engine.Outcome) bool { return strings.Contains(o.Text(), "and 19900 more subjects") }) {
		t.Error("the rest is not counted")
	}
}

// Whoever is denied is denied, however many come before who are only warned of.
func TestDeniedSubjectAfterManyWarnedOnes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 99, 100, 101, 5_000} {
		subjects := append(platformAccounts(n), rbacv1.Subject{Kind: "User", Name: "zoe"})
		if v := granted(t, config.Default(), subjects, right("get", "", "secrets")); v.Allowed() || v.Denied[0].Subject != "User zoe" {
			t.Errorf("behind %d platform accounts a user is allowed", n)
		}
	}
	if v := granted(t, config.Default(), platformAccounts(5_000), right("get", "", "secrets")); !v.Allowed() || len(v.Warned) != limit.Findings {
		t.Errorf("platform accounts alone: allowed %t, %d warnings", v.Allowed(), len(v.Warned))
	}
}

// An exemption excuses those whom it names, and hides nobody else behind them.
func TestExemptionOfManySubjects(t *testing.T) {
	t.Parallel()
	exempt := func() *config.Guard {
		c := config.Default()
		c.Exemptions = []config.Exemption{{Rule: "rbac-secret-read", Subject: "User u*", Reason: "known"}}
		return c
	}
	for _, n := range []int{1, 99, 100, 5_000} {
		if v := granted(t, exempt(), users(n), right("get", "", "secrets")); !v.Allowed() || len(v.Exempted) == 0 {
			t.Errorf("%d exempt users: allowed %t", n, v.Allowed())
		}
		for _, other := range []string{"aaa", "mallory", "zoe"} {
			v := granted(t, exempt(), append(users(n), rbacv1.Subject{Kind: "User", Name: other}), right("get", "", "secrets"))
			if v.Allowed() {
				t.Errorf("%s hides among %d exempt users", other, n)
			}
		}
	}
}

// Trust in one subject is none in another.
func TestTrustOfManySubjects(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.TrustedSubjects = []string{"u*"}
	if v := granted(t, c, append(users(5_000), rbacv1.Subject{Kind: "User", Name: "mallory"}), right("get", "", "secrets")); v.Allowed() || len(v.Denied) != 1 || v.Denied[0].Subject != "User mallory" {
		t.Errorf("mallory hides among trusted users: %d denied", len(v.Denied))
	}
}

// What an account of a platform gains is told by each rule by itself.
func TestModeOfOneRuleSilencesNoOther(t *testing.T) {
	t.Parallel()
	const denying = "rbac-escalation"
	for _, off := range []string{"rbac-configmap-write", "rbac-pod-exec", "rbac-secret-read", denying} {
		c := config.Default()
		c.Rules = map[string]config.Rule{denying: {Reasons: map[string]config.Reason{"platform-account": {Mode: rule.Deny}}}}
		c.Rules[off] = config.Rule{Mode: rule.Off, Reasons: map[string]config.Reason{}}
		v := granted(t, c, platformAccounts(1), right("*", "*", "*"))
		if got := len(v.Denied) + len(v.Warned); got != 5 {
			t.Errorf("with %s off there are %d findings", off, got)
		}
		if v.Allowed() != (off == denying) {
			t.Errorf("with %s off, allowed is %t", off, v.Allowed())
		}
	}
}

// Whatever mode a reason has, nobody hides behind subjects with another one.
func TestModeOfAReasonOfManySubjects(t *testing.T) {
	t.Parallel()
	with := func(reason string, mode rule.Action) *config.Guard {
		c := config.Default()
		c.Rules = map[string]config.Rule{"rbac-secret-read": {Reasons: map[string]config.Reason{reason: {Mode: mode}}}}
		return c
	}
	subjects := func(list []engine.Outcome) int {
		named := map[string]bool{}
		for _, o := range list {
			if o.Rule == "rbac-secret-read" {
				for _, subject := range append([]string{o.Subject}, o.Others...) {
					named[subject] = true
				}
			}
		}
		return len(named)
	}
	for _, n := range []int{1, 99, 100, 5_000} {
		mixed := append(users(n), platformAccounts(n)...)
		v := granted(t, with("submitter", rule.Audit), mixed, right("get", "", "secrets"))
		if subjects(v.Denied) != 0 || subjects(v.Audited) != n || subjects(v.Warned) != n {
			t.Errorf("%d users and accounts, users audited: %d denied, %d audited, %d warned", n, subjects(v.Denied), subjects(v.Audited), subjects(v.Warned))
		}
		c := with("submitter", rule.Off)
		c.Rules["rbac-secret-read"].Reasons["platform-account"] = config.Reason{Mode: rule.Deny}
		v = granted(t, c, mixed, right("get", "", "secrets"))
		if subjects(v.Denied) != n || subjects(v.Audited) != 0 || subjects(v.Warned) != 0 {
			t.Errorf("%d users and accounts, users off, accounts denied: %d denied, %d audited, %d warned", n, subjects(v.Denied), subjects(v.Audited), subjects(v.Warned))
		}
	}
}

// An older configuration that denies accounts of other namespaces is told how to go on.
func TestDenyAccountsElsewhereIsRetired(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Rules = map[string]config.Rule{"rbac-escalation": {Params: json.RawMessage(`{"denyAccountsElsewhere": true}`)}}
	if _, err := engine.New(c, rules.All(), time.Now); err == nil || !strings.Contains(err.Error(), "reasons.platform-account.mode") {
		t.Errorf("error %v", err)
	}
}

// The names of Livy's and the operators' accounts are worth what AWS publishes for
// them, and no more.
func TestOperatorByName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"emr-containers-sa-livy", "emr-containers-sa-spark-operator", "emr-containers-sa-flink-operator"} {
		account := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "emr-jobs", Name: name}}
		if v := granted(t, config.Default(), account, right("*", "*", "*")); v.Allowed() {
			t.Errorf("everything for %s is allowed", name)
		}
	}
	livy := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "emr-jobs", Name: "emr-containers-sa-livy"}}
	if v := granted(t, config.Default(), livy, right("create", "", "pods")); v.Allowed() {
		t.Error("Livy reaches into other namespaces by a ClusterRoleBinding")
	}
	flink := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "emr-jobs", Name: "emr-containers-sa-flink-operator"}}
	if v := granted(t, config.Default(), flink, right("*", "", "pods"), right("*", rbacv1.GroupName, "roles")); !v.Allowed() || len(v.Warned) == 0 {
		t.Errorf("what AWS publishes for the Flink operator: allowed %t, %d warnings", v.Allowed(), len(v.Warned))
	}
}
