package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Live is the cluster that the webhook guards: a Snapshot that watches keep up to
// date, and one live GET for an account or a role that they have not brought yet.
type Live struct {
	Snapshot
	reader client.Reader
	synced []func() bool
	recent recent
}

// CacheOptions makes informers keep no more than rules read. The cache is
// configured for these kinds alone: a reader of any other is an error instead of
// a cache of every Secret, which nobody wanted.
func CacheOptions() cache.Options {
	return cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            strip,
		DefaultUnsafeDisableDeepCopy: func() *bool {
			yes := true // nothing changes what it reads from the informers
			return &yes
		}(),
	}
}

// strip drops what nobody reads before it is stored.
func strip(obj any) (any, error) {
	switch o := obj.(type) {
	case *corev1.Namespace:
		return &corev1.Namespace{ObjectMeta: keep(&o.ObjectMeta, o.Labels, nil)}, nil
	case *corev1.ServiceAccount:
		var annotations map[string]string
		if arn, ok := o.Annotations[emr.AnnotationRoleARN]; ok {
			annotations = map[string]string{emr.AnnotationRoleARN: arn}
		}
		return &corev1.ServiceAccount{ObjectMeta: keep(&o.ObjectMeta, nil, annotations)}, nil
	}
	return obj, nil
}

// NewLive starts informers in c, the cache of a manager, and returns the cluster
// that they keep; the watches of RBAC are added by WatchRBAC. reader reads past the
// cache.
func NewLive(ctx context.Context, c cache.Cache, reader client.Reader) (*Live, error) {
	l := &Live{reader: reader, recent: recent{now: time.Now}}
	for _, obj := range []client.Object{&corev1.Namespace{}, &corev1.ServiceAccount{}} {
		informer, err := c.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("start the informer for %T: %w", obj, err)
		}
		registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { l.Set(o) },
			UpdateFunc: func(_, o any) { l.Set(o) },
			DeleteFunc: func(o any) {
				if gone, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
					o = gone.Obj
				}
				l.Delete(o)
			},
		})
		if err != nil {
			return nil, fmt.Errorf("watch %T: %w", obj, err)
		}
		l.synced = append(l.synced, registration.HasSynced)
	}
	return l, nil
}

// Gains says who gains what by a change of RBAC. The role of a binding that the
// watches have not brought yet is asked for once: both are often applied together.
func (l *Live) Gains(ctx context.Context, change rbac.Change, namespaces []string, c *rbac.Capabilities) (rbac.Result, error) {
	change.Overlay = l.recent.list()
	change.Lookup = func(ref rbac.ObjectRef) (runtime.Object, error) { return l.role(ctx, ref) }
	return l.RBAC().Gains(change, namespaces, c)
}

// Admitted takes note of an object that was just admitted.
func (l *Live) Admitted(obj any) {
	if o, ok := rbacObject(obj); ok {
		l.recent.add(o)
	}
}

// role reads a role past the watches, nil when there is none.
func (l *Live) role(ctx context.Context, ref rbac.ObjectRef) (runtime.Object, error) {
	var found client.Object = &rbacv1.Role{}
	if ref.Kind == rbac.KindClusterRole {
		found = &rbacv1.ClusterRole{}
	}
	switch err := l.reader.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found); {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // the resolver reads nil as "there is none"
	case err != nil:
		return nil, fmt.Errorf("ask the API server: %w", err)
	}
	return found, nil
}

// HasSynced reports whether everything that existed at the start has arrived.
func (l *Live) HasSynced() bool {
	for _, synced := range l.synced {
		if !synced() {
			return false
		}
	}
	return true
}

// ServiceAccount returns an account. When the informers do not hold it, the API
// server is asked once: EMR creates its accounts seconds before their pods.
func (l *Live) ServiceAccount(ctx context.Context, namespace, name string) (rule.ServiceAccount, error) {
	sa, err := l.Snapshot.ServiceAccount(ctx, namespace, name)
	if !errors.Is(err, rule.ErrNotFound) {
		return sa, err
	}
	var found corev1.ServiceAccount
	switch err := l.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &found); {
	case apierrors.IsNotFound(err):
		return rule.ServiceAccount{}, rule.ErrNotFound
	case err != nil:
		return rule.ServiceAccount{}, fmt.Errorf("ask the API server: %w", err)
	}
	return rule.NewServiceAccount(namespace, name, found.Annotations[emr.AnnotationRoleARN]), nil
}

// Object asks the API server: what rules look up here is rare, and a cache of
// somebody else's custom resource would fail where it is not installed.
func (l *Live) Object(ctx context.Context, resource schema.GroupResource, namespace, name string) (*object.Object, error) {
	res, ok := object.Find(resource)
	if !ok {
		return nil, fmt.Errorf("emrguard does not read %s", resource)
	}
	found := &unstructured.Unstructured{}
	found.SetGroupVersionKind(res.GroupVersion().WithKind(res.Kind))
	switch err := l.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, found); {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, rule.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("ask the API server: %w", err)
	}
	return decode(res, found)
}

// Objects asks the API server, page by page.
func (l *Live) Objects(ctx context.Context, resource schema.GroupResource, namespace string) ([]*object.Object, error) {
	res, ok := object.Find(resource)
	if !ok {
		return nil, fmt.Errorf("emrguard does not read %s", resource)
	}
	var objects []*object.Object
	page := &unstructured.UnstructuredList{}
	for {
		page.SetGroupVersionKind(res.GroupVersion().WithKind(res.Kind + "List"))
		switch err := l.reader.List(ctx, page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(page.GetContinue())); {
		case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("ask the API server: %w", err)
		}
		for i := range page.Items {
			o, err := decode(res, &page.Items[i])
			if err != nil {
				return nil, err
			}
			objects = append(objects, o)
		}
		if page.GetContinue() == "" {
			return objects, nil
		}
	}
}

// pageSize is how many objects one list request asks for.
const pageSize = 500

func decode(res object.Resource, found *unstructured.Unstructured) (*object.Object, error) {
	raw, err := found.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", res.Kind, found.GetName(), err)
	}
	return object.Decode(res, raw)
}

func keep(m *metav1.ObjectMeta, set labels.Set, annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion, Labels: set, Annotations: annotations}
}
