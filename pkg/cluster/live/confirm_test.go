package live

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
)

func mustAddition(t *testing.T, obj runtime.Object) *rbac.Addition {
	t.Helper()
	a, err := rbac.NewAddition(obj)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stored is what the API server has, read past the watches.
type stored struct {
	client.Reader

	mu      sync.Mutex
	objects map[rbac.ObjectRef]client.Object
	err     error
	gets    int
	lists   int
	got     chan struct{} // told of every GET, when there is one
}

func (s *stored) put(objects ...client.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = map[rbac.ObjectRef]client.Object{}
	}
	for _, o := range objects {
		kind, _ := rbac.KindOf(o)
		s.objects[rbac.ObjectRef{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}] = o
	}
}

func (s *stored) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if s.got != nil {
		defer func() { s.got <- struct{}{} }()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	if s.err != nil {
		return s.err
	}
	kind, _ := rbac.KindOf(into)
	switch o := s.objects[rbac.ObjectRef{Kind: kind, Namespace: key.Namespace, Name: key.Name}].(type) {
	case *rbacv1.Role:
		o.DeepCopyInto(into.(*rbacv1.Role))
	case *rbacv1.RoleBinding:
		o.DeepCopyInto(into.(*rbacv1.RoleBinding))
	case *rbacv1.ClusterRole:
		o.DeepCopyInto(into.(*rbacv1.ClusterRole))
	default:
		return apierrors.NewNotFound(schema.GroupResource{Resource: kind}, key.Name)
	}
	return nil
}

func (s *stored) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists++
	if s.err != nil {
		return s.err
	}
	var o client.ListOptions
	o.ApplyOptions(opts)
	if l, ok := list.(*rbacv1.RoleBindingList); ok {
		for _, obj := range s.objects {
			if b, ok := obj.(*rbacv1.RoleBinding); ok && b.Namespace == o.Namespace {
				l.Items = append(l.Items, *b)
			}
		}
	}
	return nil
}

func boundTo(role string, users ...string) *rbacv1.RoleBinding {
	b := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "b"}, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: role}}
	for _, u := range users {
		b.Subjects = append(b.Subjects, rbacv1.Subject{Kind: "User", Name: u})
	}
	return b
}

// guarded is a Cluster whose watches have brought some objects.
func guarded(s *stored, watched ...client.Object) (*Cluster, *time.Time) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	l := &Cluster{reader: s, recent: recent{now: func() time.Time { return now }}, looks: make(chan struct{}, maxLooks)}
	for _, o := range watched {
		l.Set(o)
	}
	s.put(watched...)
	return l, &now
}

// untilGained lets every further look pass until there is an answer, which has to be
// that mallory gains.
func (s *stored) untilGained(t *testing.T, done <-chan []string) {
	t.Helper()
	for {
		select {
		case <-s.got:
		case got := <-done:
			if len(got) != 1 || got[0] != gains {
				t.Errorf("gains: %v", got)
			}
			return
		}
	}
}

func readSecrets(t *testing.T) *rbac.Capabilities {
	t.Helper()
	c, err := rbac.Compile(rbac.Capability{ID: "secrets", Targets: []rbac.Target{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func gainsOf(t *testing.T, l *Cluster, change rbac.Change) []string {
	t.Helper()
	r, err := l.Gains(t.Context(), change, []string{"a"}, readSecrets(t))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range r.Grants() {
		out = append(out, fmt.Sprintf("%s %s", g.Subject.Name, g.Permissions))
	}
	return out
}

const gains = "mallory [get secrets]"

// late is later than anything can be on its way.
const late = 2 * inFlight

func TestUnconfirmedRoleDoesNotHideTheStoredOne(t *testing.T) {
	t.Parallel()
	l, now := guarded(&stored{}, namedRole("loot", "get"))
	if got := gainsOf(t, l, rbac.Change{New: namedRole("loot", "watch")}); len(got) > 0 {
		t.Fatal(got) // nobody is bound; the API server will say that it exists
	}
	*now = now.Add(late)
	if got := gainsOf(t, l, rbac.Change{New: boundTo("loot", "mallory")}); len(got) != 1 || got[0] != gains {
		t.Errorf("gains: %v", got)
	}
}

func TestUnconfirmedBindingDoesNotHideTheStoredOne(t *testing.T) {
	t.Parallel()
	was := namedRole("loot", "watch")
	l, now := guarded(&stored{}, was, boundTo("loot", "mallory"))
	gainsOf(t, l, rbac.Change{New: boundTo("loot", "nobody")}) // refused: it exists
	*now = now.Add(late)
	if got := gainsOf(t, l, rbac.Change{Old: was, New: namedRole("loot", "get", "watch")}); len(got) != 1 || got[0] != gains {
		t.Errorf("gains: %v", got)
	}
}

// What a forged review says was there before excuses nothing.
func TestUnconfirmedIsNeverHeldBefore(t *testing.T) {
	t.Parallel()
	l, now := guarded(&stored{}, namedRole("loot", "get"))
	ghost := boundTo("loot", "mallory")
	ghost.Name = "ghost"
	gainsOf(t, l, rbac.Change{New: ghost})
	l.Admitted(ghost)
	*now = now.Add(late)
	if got := gainsOf(t, l, rbac.Change{New: boundTo("loot", "mallory")}); len(got) != 1 || got[0] != gains {
		t.Errorf("gains: %v", got)
	}
}

func TestInventedObjectDeniesNobody(t *testing.T) {
	t.Parallel()
	s := &stored{}
	l, now := guarded(s, namedRole("team", "watch"))
	gainsOf(t, l, rbac.Change{New: namedRole("team", "get")})
	l.Admitted(namedRole("team", "get")) // and then refused, or never asked for
	*now = now.Add(late)
	if got := gainsOf(t, l, rbac.Change{New: boundTo("team", "mallory")}); len(got) > 0 || s.gets != 1 {
		t.Errorf("gains: %v after %d look-ups", got, s.gets)
	}
}

func TestUnconfirmedThatIsStoredCounts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]client.Object{
		"the role first":    {namedRole("team", "get"), boundTo("team", "mallory")},
		"the binding first": {boundTo("team", "mallory"), namedRole("team", "get")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stored{}
			l, _ := guarded(s)
			gainsOf(t, l, rbac.Change{New: change[0]})
			l.Admitted(change[0])
			s.put(change[0])
			if got := gainsOf(t, l, rbac.Change{New: change[1]}); len(got) != 1 || got[0] != gains {
				t.Errorf("gains: %v", got)
			}
		})
	}
}

// An earlier version may be what is stored, whatever was asked for after it.
func TestLaterVersionDoesNotHideAnEarlierOne(t *testing.T) {
	t.Parallel()
	s := &stored{}
	was := namedRole("loot", "watch")
	l, now := guarded(s, was)
	gainsOf(t, l, rbac.Change{New: boundTo("loot", "mallory")})
	s.put(boundTo("loot", "mallory")) // stored, and the watch is behind
	gainsOf(t, l, rbac.Change{New: boundTo("loot", "nobody")})
	*now = now.Add(late)
	if got := gainsOf(t, l, rbac.Change{Old: was, New: namedRole("loot", "get", "watch")}); len(got) != 1 || got[0] != gains {
		t.Errorf("gains: %v", got)
	}
}

// Of a role and a binding that are judged at once, the later waits for the earlier.
func TestOfTwoAtOnceOneSeesTheOther(t *testing.T) {
	t.Parallel()
	s := &stored{got: make(chan struct{})}
	l, _ := guarded(s)
	_, _, end := l.recent.begin(namedRole("team", "get")) // is being judged
	done := make(chan []string)
	go func() { done <- gainsOf(t, l, rbac.Change{New: boundTo("team", "mallory")}) }()
	for range 3 {
		<-s.got // it looks, and finds nothing, and waits
	}
	s.put(namedRole("team", "get"))
	end()
	s.untilGained(t, done)
}

// Who posts the same role again and again, with and without an end, cannot have the
// requests of others wait until they are refused.
func TestInventedObjectPostedForEverDeniesNobody(t *testing.T) {
	t.Parallel()
	l, _ := guarded(&stored{}, namedRole("team", "watch"))
	_, _, end := l.recent.begin(namedRole("team", "get")) // its verdict never comes
	defer end()
	if got := gainsOf(t, l, rbac.Change{New: boundTo("team", "mallory")}); len(got) > 0 {
		t.Errorf("gains: %v", got)
	}
}

// What exists already is judged without being taken for something that is asked for.
func TestWhatArrivesIsNotNoted(t *testing.T) {
	t.Parallel()
	l, _ := guarded(&stored{}, namedRole("team", "get"), boundTo("team", "mallory"))
	r, err := Known{l}.Gains(t.Context(), rbac.Change{New: boundTo("team", "mallory")}, []string{"a"}, readSecrets(t))
	if err != nil || len(r.Gains) != 1 {
		t.Errorf("gains: %v, %v", r.Gains, err)
	}
	if len(l.recent.noted) > 0 {
		t.Error("it is noted")
	}
}

// What the watch brings between a look and the next is not taken for gone.
func TestWatchBringsWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := &stored{got: make(chan struct{})}
	l, _ := guarded(s)
	role := namedRole("team", "get")
	_, _, end := l.recent.begin(role)
	end()
	done := make(chan []string)
	go func() { done <- gainsOf(t, l, rbac.Change{New: boundTo("team", "mallory")}) }()
	for range 2 {
		<-s.got
	}
	s.put(role)
	l.Set(role)
	l.recent.settle(role)
	s.untilGained(t, done)
}

func TestFailedConfirmationIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := &stored{}
	l, now := guarded(s, namedRole("team", "watch"))
	l.Admitted(namedRole("team", "get"))
	*now = now.Add(late)
	s.err = errors.New("the server is away")
	if _, err := l.Gains(t.Context(), rbac.Change{New: boundTo("team", "mallory")}, []string{"a"}, readSecrets(t)); !errors.Is(err, s.err) {
		t.Errorf("a failed look-up is answered by %v", err)
	}
}

// What found no room in the memory is looked up.
func TestOverflownMemoryLeadsToALiveLook(t *testing.T) {
	t.Parallel()
	s := &stored{}
	was := namedRole("loot", "watch")
	l, now := guarded(s, was)
	for i := range limit.Unconfirmed {
		l.Admitted(namedRole(strconv.Itoa(i), "get"))
	}
	gainsOf(t, l, rbac.Change{New: boundTo("loot", "mallory")})
	s.put(boundTo("loot", "mallory"))
	*now = now.Add(late)
	if got := gainsOf(t, l, rbac.Change{Old: was, New: namedRole("loot", "get", "watch")}); len(got) != 1 || got[0] != gains || s.lists == 0 {
		t.Errorf("gains: %v after %d lists", got, s.lists)
	}
}

// Very many unconfirmed objects are listed, not asked for one by one.
func TestManyUnconfirmedAreListed(t *testing.T) {
	t.Parallel()
	s := &stored{}
	was := namedRole("loot", "watch")
	l, now := guarded(s, was)
	for i := range 50 {
		b := boundTo("loot", fmt.Sprintf("user-%d", i))
		b.Name = strconv.Itoa(i)
		l.Admitted(b)
		if i < 3 {
			s.put(b)
		}
	}
	*now = now.Add(late)
	if got := gainsOf(t, l, rbac.Change{Old: was, New: namedRole("loot", "get", "watch")}); len(got) != 3 || s.lists != 1 || s.gets > 0 {
		t.Errorf("gains: %v after %d lists and %d look-ups", got, s.lists, s.gets)
	}
}
