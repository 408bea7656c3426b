package live

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/emrguard/emrguard/pkg/emr"
)

// sink takes what a reflector brings of one resource into the snapshot. It knows which
// objects it has seen, by hashes: of tens of thousands of bindings, nothing else is
// kept twice.
type sink struct {
	live     *Cluster
	resource string
	synced   atomic.Bool
	arrived  func(runtime.Object) // nil when nobody asks

	mu   sync.Mutex
	seed maphash.Seed
	seen map[uint64]uint64 // hash of the name: hash of what is read of the object
}

var _ toolscache.ReflectorStore = &sink{}

func newSink(l *Cluster, resource string) *sink {
	return &sink{live: l, resource: resource, seed: maphash.MakeSeed(), seen: map[uint64]uint64{}}
}

// Add takes an object in.
func (s *sink) Add(obj any) error {
	news := s.note(obj)
	s.live.Set(obj)
	s.settle(obj)
	if news {
		s.tell(obj)
	}
	return nil
}

// Update takes an object in.
func (s *sink) Update(obj any) error { return s.Add(obj) }

// Delete drops an object.
func (s *sink) Delete(obj any) error {
	if m, err := meta.Accessor(obj); err == nil {
		s.mu.Lock()
		delete(s.seen, s.name(m))
		s.mu.Unlock()
	}
	s.live.Delete(obj)
	s.settle(obj)
	return nil
}

// Resync does nothing: nothing here is derived from time.
func (s *sink) Resync() error { return nil }

// Replace makes the list all there is of the resource.
func (s *sink) Replace(list []any, _ string) error {
	objects := make([]runtime.Object, 0, len(list))
	for _, obj := range list {
		o, ok := obj.(runtime.Object)
		if !ok {
			return fmt.Errorf("the list of %s holds a %T", s.resource, obj)
		}
		objects = append(objects, o)
	}
	news := s.noteAll(objects)
	if err := s.live.Replace(s.resource, objects); err != nil {
		return err
	}
	for _, o := range objects {
		s.settle(o)
	}
	first := !s.synced.Swap(true)
	for _, o := range news {
		if !first || s.young(o) {
			s.tell(o)
		}
	}
	return nil
}

// youngAtStart is how long ago what exists at the start may have been written to count
// as an arrival: this process, or all of them, may have been away for a moment. What is
// older was there, or is for the audit.
const youngAtStart = 15 * time.Minute

func (s *sink) young(o runtime.Object) bool {
	m, err := meta.Accessor(o)
	if err != nil {
		return false
	}
	written := m.GetCreationTimestamp().Time
	for _, f := range m.GetManagedFields() {
		if f.Time != nil && f.Time.After(written) {
			written = f.Time.Time
		}
	}
	return s.live.freshness.now().Sub(written) < youngAtStart
}

// settle comes after the snapshot has the news, so that an object is never in
// neither.
func (s *sink) settle(obj any) {
	if o, ok := obj.(runtime.Object); ok {
		s.live.recent.settle(o)
	}
}

func (s *sink) tell(obj any) {
	if o, ok := obj.(runtime.Object); ok && s.arrived != nil && s.synced.Load() {
		s.arrived(o)
	}
}

// note remembers an object and reports whether it differs from what was known.
func (s *sink) note(obj any) bool {
	o, ok := obj.(runtime.Object)
	m, err := meta.Accessor(obj)
	if !ok || err != nil {
		return false
	}
	is := s.content(o)
	s.mu.Lock()
	defer s.mu.Unlock()
	was, known := s.seen[s.name(m)]
	s.seen[s.name(m)] = is
	return !known || was != is
}

// noteAll remembers these objects and no others, and returns those that differ from
// what was known.
func (s *sink) noteAll(objects []runtime.Object) []runtime.Object {
	seen := make(map[uint64]uint64, len(objects))
	var news []runtime.Object
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range objects {
		m, err := meta.Accessor(o)
		if err != nil {
			continue
		}
		name, is := s.name(m), s.content(o)
		if was, known := s.seen[name]; !known || was != is {
			news = append(news, o)
		}
		seen[name] = is
	}
	s.seen = seen
	return news
}

func (s *sink) name(m metav1.Object) uint64 {
	return maphash.String(s.seed, m.GetNamespace()+"/"+m.GetName())
}

// content hashes what rules read of an object, so that a change of anything else is
// none.
func (s *sink) content(obj runtime.Object) uint64 {
	var read any
	switch o := obj.(type) {
	case *corev1.Namespace:
		read = o.Labels
	case *corev1.ServiceAccount:
		read = []string{o.Annotations[emr.AnnotationRoleARN], o.Annotations[emr.AnnotationAudience]}
	case *rbacv1.Role:
		read = o.Rules
	case *rbacv1.ClusterRole:
		read = []any{o.Rules, o.Labels, o.AggregationRule}
	case *rbacv1.RoleBinding:
		read = []any{o.RoleRef, o.Subjects}
	case *rbacv1.ClusterRoleBinding:
		read = []any{o.RoleRef, o.Subjects}
	}
	raw, err := json.Marshal(read)
	if err != nil {
		return 0
	}
	return maphash.Bytes(s.seed, raw)
}
