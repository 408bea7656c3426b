package live

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/object"
)

// Users asks the API server for what runs as an account: one page of each kind, and of
// Pods those alone that name it.
func (l *Cluster) Users(ctx context.Context, namespace, account string) (users []string, all bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit.UsersWait)
	defer cancel()
	kinds := cluster.Runners()
	pages := make([]usersPage, len(kinds))
	var lists sync.WaitGroup
	for i, res := range kinds {
		lists.Go(func() { pages[i] = l.usersPage(ctx, res, namespace, account) })
	}
	lists.Wait()
	all = true
	var found []*object.Object
	var errs []error
	for _, page := range pages {
		found, all, errs = append(found, page.objects...), all && page.all, append(errs, page.err)
	}
	return cluster.UsersOf(found, account), all, errors.Join(errs...)
}

// usersPage is what one list brought.
type usersPage struct {
	objects []*object.Object
	all     bool
	err     error
}

func (l *Cluster) usersPage(ctx context.Context, res object.Resource, namespace, account string) usersPage {
	options := []client.ListOption{client.InNamespace(namespace), client.Limit(pageSize)}
	if res.Kind == "Pod" {
		options = append(options, client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("spec.serviceAccountName", account)})
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(res.GroupVersion().WithKind(res.Kind + "List"))
	switch err := l.reader.List(ctx, list, options...); {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return usersPage{all: true}
	case err != nil:
		return usersPage{err: fmt.Errorf("list the %s: %w", res.Resource, err)}
	}
	page := usersPage{all: list.GetContinue() == ""}
	for i := range list.Items {
		o, err := decode(res, &list.Items[i])
		if err != nil {
			return usersPage{err: err}
		}
		page.objects = append(page.objects, o)
	}
	return page
}
