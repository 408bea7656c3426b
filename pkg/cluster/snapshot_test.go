package cluster_test

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/rule"
)

func account(name, role string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name, Annotations: map[string]string{"eks.amazonaws.com/role-arn": role}}}
}

func TestSnapshotFollowsObjects(t *testing.T) {
	t.Parallel()
	s := &cluster.Snapshot{}
	if _, err := s.ServiceAccount(t.Context(), "a", "x"); !errors.Is(err, rule.ErrNotFound) {
		t.Fatalf("an empty snapshot answers %v", err)
	}
	const managed = "emr-containers-sa-livy"
	s.Set(account("x", "arn:1"))
	s.Set(account("x", "arn:2"))
	s.Set(account(managed, ""))
	s.Set(account(managed, "")) // again: it must not be counted twice
	if sa, err := s.ServiceAccount(t.Context(), "a", "x"); err != nil || sa.RoleARN != "arn:2" {
		t.Errorf("the account is %+v, %v after its change", sa, err)
	}
	if !s.HasManagedAccount("a") {
		t.Error("the managed account is not seen")
	}
	s.Delete(account(managed, ""))
	s.Delete(account(managed, ""))
	if s.HasManagedAccount("a") {
		t.Error("the managed account is seen after its deletion")
	}
	s.Set(account(managed, ""))
	if !s.HasManagedAccount("a") {
		t.Error("the managed account is not seen when it comes back")
	}
}

func TestSnapshotFollowsBindings(t *testing.T) {
	t.Parallel()
	binding := func(subjects ...rbacv1.Subject) *rbacv1.RoleBinding {
		return &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "b"}, Subjects: subjects}
	}
	s := &cluster.Snapshot{}
	s.Set(binding(rbacv1.Subject{Kind: "User", Name: "u"}, rbacv1.Subject{Kind: "User", Name: "u"}, rbacv1.Subject{Kind: "Group", Name: "g"}))
	if got := s.BoundUsers("a"); len(got) != 1 || got[0] != "u" {
		t.Errorf("bound users %q, want u once", got)
	}
	s.Set(binding())
	if got := s.BoundUsers("a"); len(got) != 0 {
		t.Errorf("bound users %q after the binding was emptied", got)
	}
	s.Set(binding(rbacv1.Subject{Kind: "User", Name: "u"}))
	s.Delete(binding())
	if got := s.BoundUsers("a"); len(got) != 0 {
		t.Errorf("bound users %q after the binding was deleted", got)
	}
}

func TestSnapshotFollowsNamespaces(t *testing.T) {
	t.Parallel()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"k": "v"}}}
	s := &cluster.Snapshot{}
	s.Set(ns)
	if got := s.NamespaceLabels("a").Get("k"); got != "v" {
		t.Errorf("label %q, want v", got)
	}
	s.Set(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}})
	if set := s.NamespaceLabels("a"); set == nil || set.Has("k") {
		t.Errorf("labels %v after they were removed; a known namespace has labels, if none", set)
	}
	s.Delete(ns)
	if set := s.NamespaceLabels("a"); set != nil {
		t.Errorf("labels %v after the deletion", set)
	}
}
