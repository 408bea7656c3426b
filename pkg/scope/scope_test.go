package scope_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/scope"
)

const driver = "emr-containers-sa-spark-driver-123456789012-4en4r3jtsjjcf75iqnuasdqp1"

func newWho(t *testing.T, change func(*config.Guard)) *scope.Who {
	t.Helper()
	c := config.Default()
	if change != nil {
		change(c)
	}
	who, err := scope.NewWho(c)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestClassify(t *testing.T) {
	t.Parallel()
	who := newWho(t, func(c *config.Guard) {
		c.Administrators.Users = []string{"arn:aws:sts::*:assumed-role/PlatformAdmin/*"}
		c.Administrators.Groups = []string{"system:masters", "platform", "system:serviceaccounts:emr-jobs"}
		c.EMR.Principals.JobAccounts = []string{"flink", "*-spark"}
		c.EMR.Principals.Operators = []string{"system:serviceaccount:spark-operator:emr-containers-sa-spark-operator"}
	})
	for name, c := range map[string]struct {
		user   string
		groups []string
		want   rule.Class
	}{
		"EMR by aws-auth":             {"emr-containers", nil, rule.EMRService},
		"EMR by access entry":         {"arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForAmazonEMRContainers/s", nil, rule.EMRService},
		"operator":                    {"system:serviceaccount:spark-operator:emr-containers-sa-spark-operator", nil, rule.EMRService},
		"administrator by group":      {"ann", []string{"platform"}, rule.Administrator},
		"administrator by user":       {"arn:aws:sts::123456789012:assumed-role/PlatformAdmin/ann", nil, rule.Administrator},
		"job account":                 {"system:serviceaccount:emr-jobs:" + driver, nil, rule.JobAccount},
		"job account by name":         {"system:serviceaccount:emr-jobs:flink", nil, rule.JobAccount},
		"job account by pattern":      {"system:serviceaccount:emr-jobs:spark-operator-spark", nil, rule.JobAccount},
		"its name elsewhere":          {"system:serviceaccount:other:flink", nil, rule.Submitter},
		"its name as a user":          {"flink", nil, rule.Submitter},
		"a longer name":               {"system:serviceaccount:emr-jobs:flink-operator", nil, rule.Submitter},
		"job controller":              {"system:serviceaccount:kube-system:job-controller", []string{"system:serviceaccounts:kube-system"}, rule.Controller},
		"manager without accounts":    {"system:kube-controller-manager", nil, rule.Controller},
		"person":                      {"alice", []string{"data-scientists"}, rule.Submitter},
		"unknown account":             {"system:serviceaccount:kube-system:coredns", []string{"system:serviceaccounts:kube-system"}, rule.Submitter},
		"job account elsewhere":       {"system:serviceaccount:other:" + driver, nil, rule.Submitter},
		"controller's name elsewhere": {"system:serviceaccount:emr-jobs:job-controller", nil, rule.Submitter},
		"EMR's name as an account":    {"system:serviceaccount:emr-jobs:emr-containers", nil, rule.Submitter},
		"upper case":                  {"EMR-CONTAINERS", nil, rule.Submitter},
		// No list of administrators makes the code of a job trustworthy.
		"job account in an administrators' group": {"system:serviceaccount:emr-jobs:" + driver, []string{"system:serviceaccounts:emr-jobs"}, rule.JobAccount},
	} {
		if got := who.Classify(c.user, c.groups, "emr-jobs"); got.Class != c.want {
			t.Errorf("%s: %q is %s, want %s", name, c.user, got.Class, c.want)
		}
	}
	if got := who.Classify("system:serviceaccount:emr-jobs:"+driver, nil, "emr-jobs"); got.Account.AccountID != "123456789012" {
		t.Errorf("the job account is %+v", got.Account)
	}
}

func TestBreakGlassIsByGroup(t *testing.T) {
	t.Parallel()
	who := newWho(t, nil)
	if !who.Classify("ann", []string{config.DefaultBreakGlassGroup}, "emr-jobs").BreakGlass {
		t.Error("a member of the group does not break the glass")
	}
	if who.Classify(config.DefaultBreakGlassGroup, nil, "emr-jobs").BreakGlass {
		t.Error("a user with the name of the group breaks the glass")
	}
}

func TestAccountPinsAssumedRole(t *testing.T) {
	t.Parallel()
	who := newWho(t, func(c *config.Guard) { c.EMR.Account = "123456789012" })
	for user, want := range map[string]rule.Class{
		"arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForAmazonEMRContainers/s": rule.EMRService,
		"arn:aws:sts::210987654321:assumed-role/AWSServiceRoleForAmazonEMRContainers/s": rule.Submitter,
		"emr-containers": rule.EMRService,
	} {
		if got := who.Classify(user, nil, "emr-jobs").Class; got != want {
			t.Errorf("%q is %s, want %s", user, got, want)
		}
	}
}

// A new version of Kubernetes widens its own roles when the API server starts; a
// refusal would keep it from becoming ready.
func TestAPIServerIsNeverRefusedItsRoles(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]bool{
		"system:apiserver": true,
		"system:serviceaccount:kube-system:clusterrole-aggregation-controller": true,
		"system:serviceaccount:kube-system:job-controller":                     false,
		"admin": false,
	} {
		if got := scope.CarriesOut(user); got != want {
			t.Errorf("CarriesOut(%q) = %t, want %t", user, got, want)
		}
	}
}

func TestDeletesForOthers(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]bool{
		"system:serviceaccount:kube-system:namespace-controller":      true,
		"system:serviceaccount:kube-system:generic-garbage-collector": true,
		"system:serviceaccount:kube-system:job-controller":            false,
		"system:serviceaccount:emr-jobs:namespace-controller":         false,
		"system:user:kube-system:namespace-controller":                false,
	} {
		if got := scope.DeletesForOthers(user); got != want {
			t.Errorf("DeletesForOthers(%q) = %t, want %t", user, got, want)
		}
	}
}

func TestManaged(t *testing.T) {
	t.Parallel()
	facts := &cluster.Snapshot{}
	for name, labels := range map[string]map[string]string{"by-name": nil, "by-label": {"emr": "yes"}, "by-account": nil, "by-binding": nil, "plain": {"emr": "no"}} {
		facts.Set(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})
	}
	facts.Set(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "by-account", Name: driver}})
	facts.Set(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "by-binding", Name: "emr-containers"},
		Subjects:   []rbacv1.Subject{{Kind: "User", Name: "emr-containers"}},
	})
	facts.Set(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "plain", Name: "group-of-that-name"},
		Subjects:   []rbacv1.Subject{{Kind: "Group", Name: "emr-containers"}},
	})
	for _, discover := range []bool{true, false} {
		c := config.Default()
		c.EMR.Namespaces = []string{"by-name"}
		c.EMR.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"emr": "yes"}}
		c.EMR.Discover = &discover
		namespaces, err := scope.NewNamespaces(c)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{"by-name": true, "by-label": true, "by-account": discover, "by-binding": discover, "plain": false, "unknown": false, "": false} {
			if got := namespaces.Managed(name, facts, newWho(t, nil)); got != want {
				t.Errorf("discover %t: namespace %q is managed: %t, want %t", discover, name, got, want)
			}
		}
	}
}

// An empty selector selects everything for Kubernetes.
func TestEmptySelectorSelectsNothing(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.EMR.NamespaceSelector = &metav1.LabelSelector{}
	namespaces, err := scope.NewNamespaces(c)
	if err != nil {
		t.Fatal(err)
	}
	facts := &cluster.Snapshot{}
	facts.Set(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"b": "c"}}})
	if namespaces.Managed("a", facts, newWho(t, nil)) || namespaces.Selects(map[string]string{"b": "c"}) {
		t.Error("an empty selector selects a namespace")
	}
}
