// Package live keeps what is known of the cluster up to date by watches, and asks the API
// server for what they have not brought yet.
package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Cluster is the one that the webhook guards: a [cluster.Snapshot] that watches keep up to
// date, and one live GET for an account or a role that they have not brought yet.
type Cluster struct {
	cluster.Snapshot
	reader client.Reader
	synced []func() bool
	recent recent
	looks  chan struct{}

	freshness *Freshness
}

// CacheOptions makes a manager's cache refuse what nobody has set up: a reader of any
// kind is an error instead of a cache of every Secret, which nobody wanted.
func CacheOptions() cache.Options { return cache.Options{ReaderFailOnMissingInformer: true} }

// New returns a cluster of which nothing is known until its watcher runs. reader
// reads past what the watches have brought.
func New(reader client.Reader) *Cluster {
	var resources []string
	for _, r := range watchedResources() {
		resources = append(resources, r.resource)
	}
	return &Cluster{reader: reader, recent: recent{now: time.Now}, looks: make(chan struct{}, maxLooks), freshness: newFreshness(time.Now, resources)}
}

// Freshness says how current it is.
func (l *Cluster) Freshness() *Freshness { return l.freshness }

// Admitted takes note of an object that was just admitted: from now on it is on its
// way to be stored.
func (l *Cluster) Admitted(obj any) {
	if o, ok := obj.(runtime.Object); ok {
		l.recent.add(o)
	}
}

// HasSynced reports whether everything that existed at the start has arrived.
func (l *Cluster) HasSynced() bool {
	for _, synced := range l.synced {
		if !synced() {
			return false
		}
	}
	return true
}

// ServiceAccount returns an account. When the informers do not hold it, the API
// server is asked once: EMR creates its accounts seconds before their pods.
func (l *Cluster) ServiceAccount(ctx context.Context, namespace, name string) (rule.ServiceAccount, error) {
	sa, err := l.Snapshot.ServiceAccount(ctx, namespace, name)
	if !errors.Is(err, rule.ErrNotFound) {
		return sa, err
	}
	var found corev1.ServiceAccount
	switch err := l.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &found); {
	case apierrors.IsNotFound(err):
		return rule.ServiceAccount{}, rule.ErrNotFound
	case err != nil:
		return rule.ServiceAccount{}, &rule.LookupError{Err: err}
	}
	return rule.ServiceAccountOf(namespace, name, found.Annotations), nil
}

// Object asks the API server: what rules look up here is rare, and a cache of
// somebody else's custom resource would fail where it is not installed.
func (l *Cluster) Object(ctx context.Context, resource schema.GroupResource, namespace, name string) (*object.Object, error) {
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
		return nil, &rule.LookupError{Err: err}
	}
	return decode(res, found)
}

// Objects asks the API server, page by page.
func (l *Cluster) Objects(ctx context.Context, resource schema.GroupResource, namespace string) ([]*object.Object, error) {
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
			return nil, &rule.LookupError{Err: err}
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
