package live

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/limit"
)

func namedRole(name string, verbs ...string) *rbacv1.Role {
	return &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: verbs}},
	}
}

func TestRecentCountsUntilTheWatchBringsNews(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := recent{now: func() time.Time { return now }}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "x"}}
	r.add(binding)
	r.add(binding) // the same again
	r.add(namedRole("x", "get"))
	r.add(namedRole("x", "list")) // another version
	r.add(&corev1.Pod{})
	if got := len(r.noted); got != 3 {
		t.Fatalf("%d objects are recent, want the binding and two versions of the role", got)
	}
	r.settle(binding)
	r.settle(namedRole("x", "get"))
	if len(r.noted) != 1 || !r.noted[0].Same(mustAddition(t, namedRole("x", "list"))) {
		t.Errorf("recent after the watch brought the binding and the first role: %d", len(r.noted))
	}
	now = now.Add(recentFor + time.Millisecond)
	if set, _, _ := r.begin(&corev1.Pod{}); set != nil || len(r.noted) != 0 || r.bytes != 0 {
		t.Errorf("%d objects of %d bytes are recent after their time", len(r.noted), r.bytes)
	}
}

// A flood pushes nothing out, and what it leaves no room for is not forgotten in
// silence.
func TestFloodDoesNotPushOutWhatIsReal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := recent{now: func() time.Time { return now }}
	r.add(namedRole("real", "get"))
	for i := range limit.Unconfirmed - 1 {
		r.add(namedRole(strconv.Itoa(i), "get"))
	}
	if _, overflown, _ := r.begin(namedRole("real", "get")); overflown {
		t.Error("the memory is overflown by as many as it holds")
	}
	r.add(namedRole("one too many", "get"))
	set, overflown, _ := r.begin(namedRole("another", "get"))
	if !overflown || set == nil || len(r.noted) != limit.Unconfirmed {
		t.Errorf("overflown %t with %d objects", overflown, len(r.noted))
	}
	found := false
	for _, n := range r.noted {
		found = found || n.Ref().Name == "real"
	}
	if !found {
		t.Error("the flood has pushed out what was there")
	}
	now = now.Add(recentFor + time.Millisecond)
	if _, overflown, _ := r.begin(namedRole("later", "get")); overflown {
		t.Error("the memory is overflown for ever")
	}
}

// One object of the largest size fits; many of them do not cost more than the bound.
func TestRecentIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	r := recent{now: time.Now}
	for i := range 50 {
		role := namedRole(strconv.Itoa(i), "get")
		for n := range 10_000 {
			role.Rules[0].ResourceNames = append(role.Rules[0].ResourceNames, fmt.Sprintf("name-of-a-secret-%d", n))
		}
		r.add(role)
	}
	if len(r.noted) < 2 || r.bytes > limit.UnconfirmedBytes {
		t.Errorf("%d objects of %d bytes are remembered", len(r.noted), r.bytes)
	}
	if _, overflown, _ := r.begin(namedRole("x", "get")); !overflown {
		t.Error("what found no room is forgotten in silence")
	}
}
