package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// Watcher keeps the roles and bindings of a Live cluster. It is a Runnable of a
// manager that runs on every replica.
//
// It uses reflectors, not informers: an informer stores every object a second
// time, and bindings are what there is most of.
type Watcher struct {
	reflectors []*toolscache.Reflector
}

// WatchRBAC adds the watches of roles and bindings.
func (l *Live) WatchRBAC(client kubernetes.Interface) *Watcher {
	w := &Watcher{}
	for kind, watched := range map[string]struct {
		resource string
		object   runtime.Object
	}{
		rbac.KindRole:               {"roles", &rbacv1.Role{}},
		rbac.KindClusterRole:        {"clusterroles", &rbacv1.ClusterRole{}},
		rbac.KindRoleBinding:        {"rolebindings", &rbacv1.RoleBinding{}},
		rbac.KindClusterRoleBinding: {"clusterrolebindings", &rbacv1.ClusterRoleBinding{}},
	} {
		s := &sink{snapshot: &l.Snapshot, recent: &l.recent, kind: kind}
		l.synced = append(l.synced, s.synced.Load)
		source := toolscache.NewListWatchFromClient(client.RbacV1().RESTClient(), watched.resource, "", fields.Everything())
		w.reflectors = append(w.reflectors, toolscache.NewReflectorWithOptions(
			toolscache.ToListWatcherWithWatchListSemantics(source, client), watched.object, s, toolscache.ReflectorOptions{Name: "rbac/" + watched.resource}))
	}
	return w
}

// Start watches until the context ends.
func (w *Watcher) Start(ctx context.Context) error {
	var all sync.WaitGroup
	for _, r := range w.reflectors {
		all.Go(func() { r.RunWithContext(ctx) })
	}
	all.Wait()
	return nil
}

// NeedLeaderElection is false: every replica judges by itself.
func (w *Watcher) NeedLeaderElection() bool { return false }

// sink takes what a reflector brings of one kind into the snapshot.
type sink struct {
	snapshot *Snapshot
	recent   *recent
	kind     string
	synced   atomic.Bool
}

// Add takes an object in.
func (s *sink) Add(obj any) error {
	s.snapshot.Set(obj)
	s.settle(obj)
	return nil
}

// Update takes an object in.
func (s *sink) Update(obj any) error { return s.Add(obj) }

// Delete drops an object.
func (s *sink) Delete(obj any) error {
	s.snapshot.Delete(obj)
	s.settle(obj)
	return nil
}

// settle comes after the snapshot has the news, so that an object is never in
// neither.
func (s *sink) settle(obj any) {
	if o, ok := rbacObject(obj); ok {
		s.recent.settle(o)
	}
}

// Resync does nothing: nothing here is derived from time.
func (s *sink) Resync() error { return nil }

// Replace makes the list all there is of the kind.
func (s *sink) Replace(list []any, _ string) error {
	objects := make([]runtime.Object, 0, len(list))
	for _, obj := range list {
		o, ok := rbacObject(obj)
		if !ok {
			return fmt.Errorf("the list of %s holds a %T", s.kind, obj)
		}
		objects = append(objects, o)
	}
	if err := s.snapshot.ReplaceRBAC(s.kind, objects); err != nil {
		return err
	}
	s.synced.Store(true)
	return nil
}
