package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/object"
)

// runners are the kinds that run as an account: Pods and what makes them, but for what
// runs as the account of a session cluster or of a virtual cluster.
func runners() []object.Resource {
	return slices.DeleteFunc(object.Resources(), func(r object.Resource) bool {
		return r.IsSubresource() || !r.Workload && r.Kind != "Pod" || r.Kind == "FlinkSessionJob" || r.Kind == "JobRun"
	})
}

// Users asks the API server for what runs as an account: one page of each kind, and of
// Pods those alone that name it.
func (l *Live) Users(ctx context.Context, namespace, account string) (users []string, all bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit.UsersWait)
	defer cancel()
	kinds := runners()
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
	return usersOf(found, account), all, errors.Join(errs...)
}

// usersPage is what one list brought.
type usersPage struct {
	objects []*object.Object
	all     bool
	err     error
}

func (l *Live) usersPage(ctx context.Context, res object.Resource, namespace, account string) usersPage {
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

// Users looks through what SetObject has brought.
func (s *Snapshot) Users(ctx context.Context, namespace, account string) (users []string, all bool, err error) {
	var found []*object.Object
	for _, res := range runners() {
		list, err := s.Objects(ctx, res.GroupResource(), namespace)
		if err != nil {
			return nil, false, err
		}
		found = append(found, list...)
	}
	return usersOf(found, account), true, nil
}

// usersOf are those objects that run as the account, without what a controller makes
// for one of a kind that is looked at itself.
func usersOf(objects []*object.Object, account string) []string {
	var users []string
	kinds := runners()
	for _, o := range objects {
		if owner := metav1.GetControllerOfNoCopy(o.Meta); owner != nil && slices.ContainsFunc(kinds, func(r object.Resource) bool { return r.Kind == owner.Kind }) {
			continue
		}
		if slices.ContainsFunc(o.Accounts(), func(a object.Account) bool { return a.Name == account }) {
			users = append(users, o.GVK.Kind+" "+o.Meta.Name)
		}
	}
	slices.Sort(users)
	return users
}
