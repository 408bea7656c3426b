package cluster

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRecentCountsUntilTheWatchBringsNews(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := recent{now: func() time.Time { return now }}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "x"}}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "x"}}
	r.add(binding)
	r.add(binding) // an update of the same
	r.add(role)
	r.add(&corev1.Pod{})
	if got := len(r.list()); got != 2 {
		t.Fatalf("%d objects are recent, want the binding and the role", got)
	}
	r.settle(binding)
	if list := r.list(); len(list) != 1 || list[0] != role {
		t.Errorf("recent after the watch brought the binding: %v", list)
	}
	now = now.Add(recentFor + time.Millisecond)
	if got := len(r.list()); got != 0 || len(r.objects) != 0 {
		t.Errorf("%d objects are recent after their time, %d are kept", got, len(r.objects))
	}
}
