package cluster_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/emr"
)

// TestRoleNamespaces proves that the namespaces of a role follow its accounts as
// they come, change and go.
func TestRoleNamespaces(t *testing.T) {
	t.Parallel()
	account := func(namespace, name, arn string) *corev1.ServiceAccount {
		sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		if arn != "" {
			sa.Annotations = map[string]string{"eks.amazonaws.com/role-arn": arn}
		}
		return sa
	}
	const etl, other = "arn:aws:iam::123456789012:role/etl-jobs", "arn:aws:iam::123456789012:role/other"
	role, _ := emr.RoleOfARN(etl)
	suffix := emr.EncodeRoleName(role.Name)

	s := &cluster.Snapshot{}
	want := func(what string, namespaces ...string) {
		t.Helper()
		got, err := s.RoleNamespaces(t.Context(), role)
		if err != nil || !slices.Equal(got, namespaces) {
			t.Errorf("%s: %q, %v, want %q", what, got, err, namespaces)
		}
	}
	want("of nothing")
	s.Set(account("b", "x", etl))
	s.Set(account("a", "x", "arn:aws:iam::123456789012:role/with/a/path/etl-jobs"))
	s.Set(account("a", "y", etl))
	s.Set(account("c", "emr-containers-sa-spark-driver-123456789012-"+suffix, ""))
	s.Set(account("d", "emr-containers-sa-spark-driver-"+suffix, "")) // the older form
	s.Set(account("e", "emr-containers-sa-spark-driver-210987654321-"+suffix, ""))
	s.Set(account("f", "x", other))
	want("by annotation and by name", "a", "b", "c", "d")
	s.Set(account("b", "x", other))
	s.Set(account("a", "x", ""))
	s.Set(account("a", "y", etl))
	want("after changes", "a", "c", "d")
	s.Delete(account("a", "y", etl))
	s.Delete(account("a", "y", etl))
	s.Delete(account("never", "seen", etl))
	s.Delete(account("c", "emr-containers-sa-spark-driver-123456789012-"+suffix, ""))
	want("after deletions", "d")
}
