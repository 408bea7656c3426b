package live

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
)

// watched is one resource that a Cluster watches.
type watched struct {
	resource string
	path     string
	object   runtime.Object
}

// watchedResources are what rules and scope ask about all the time.
func watchedResources() []watched {
	const core, rbacV1 = "/api/v1/", "/apis/rbac.authorization.k8s.io/v1/"
	return []watched{
		{"namespaces", core + "namespaces", &corev1.Namespace{}},
		{"serviceaccounts", core + "serviceaccounts", &corev1.ServiceAccount{}},
		{"roles", rbacV1 + "roles", &rbacv1.Role{}},
		{"clusterroles", rbacV1 + "clusterroles", &rbacv1.ClusterRole{}},
		{"rolebindings", rbacV1 + "rolebindings", &rbacv1.RoleBinding{}},
		{"clusterrolebindings", rbacV1 + "clusterrolebindings", &rbacv1.ClusterRoleBinding{}},
	}
}

// Watcher keeps a Cluster up to date. It is a Runnable of a manager that runs on
// every replica.
//
// It uses reflectors, not informers: an informer stores every object a second
// time, and bindings are what there is most of.
type Watcher struct {
	live    *Cluster
	config  *rest.Config
	sinks   map[string]*sink
	anew    chan struct{}
	log     logr.Logger
	returns []func()
}

// Watch makes the watcher of a Cluster.
func (l *Cluster) Watch(config *rest.Config, log logr.Logger) *Watcher {
	w := &Watcher{live: l, config: config, sinks: map[string]*sink{}, anew: make(chan struct{}, 1), log: log}
	for _, r := range watchedResources() {
		s := newSink(l, r.resource)
		l.synced = append(l.synced, s.synced.Load)
		w.sinks[r.resource] = s
	}
	return w
}

// OnArrival has f called with every object that a watch brings and that differs from
// what was known, after it is known, and with what was written shortly before the
// start. It must be called before Start, and f must not block.
func (w *Watcher) OnArrival(f func(runtime.Object)) {
	for _, s := range w.sinks {
		s.arrived = f
	}
}

// OnReturn has f called when the API server is back after an outage. It must be called
// before Start, and f must not block.
func (w *Watcher) OnReturn(f func()) { w.returns = append(w.returns, f) }

// Start watches until the context ends.
func (w *Watcher) Start(ctx context.Context) error {
	h := &heartbeat{
		freshness: w.live.freshness,
		connect:   func() (*connection, error) { return connect(w.config) },
		returned:  w.returned,
		log:       w.log,
	}
	for _, r := range watchedResources() {
		h.paths = append(h.paths, r.path)
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { h.run(ctx) })
	for ctx.Err() == nil {
		if err := w.watch(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) returned() {
	select {
	case w.anew <- struct{}{}:
	default:
	}
	for _, f := range w.returns {
		f()
	}
}

// watch watches everything over one connection, until the context ends or the watches
// are to start anew.
func (w *Watcher) watch(ctx context.Context) error {
	c, err := connect(w.config)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for _, r := range watchedResources() {
		reflector := toolscache.NewReflectorWithOptions(w.source(c, r), r.object, w.sinks[r.resource], toolscache.ReflectorOptions{
			Name: "emrguard/" + r.resource,
			// A watch that is gone is missed: try again sooner than the library does.
			Backoff: &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: .5, Steps: 5, Cap: 5 * time.Second},
		})
		all.Go(func() { reflector.RunWithContext(ctx) })
	}
	select {
	case <-ctx.Done():
	case <-w.anew:
	}
	return nil
}

// source lists and watches a resource, and notes every sign of life.
func (w *Watcher) source(c *connection, r watched) toolscache.ListerWatcher {
	alive := func() {
		f := w.live.freshness
		f.watches[r.resource].Store(f.now().UnixNano())
	}
	get := func(o metav1.ListOptions) *rest.Request {
		return c.rest.Get().AbsPath(r.path).VersionedParams(&o, scheme.ParameterCodec)
	}
	source := &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := get(o).Do(ctx).Get()
			if err == nil {
				alive()
			}
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			events, err := get(o).Watch(ctx)
			if err != nil {
				return nil, err
			}
			alive()
			return watch.Filter(events, func(e watch.Event) (watch.Event, bool) {
				alive()
				return e, true
			}), nil
		},
	}
	return toolscache.ToListWatcherWithWatchListSemantics(source, c.Interface)
}

// NeedLeaderElection is false: every replica judges by itself.
func (w *Watcher) NeedLeaderElection() bool { return false }
