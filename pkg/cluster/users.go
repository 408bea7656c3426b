package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/object"
)

// usersWait is how long the API server may take for the lists of Users, which nobody
// has to wait for: what is not known by then is not known.
const usersWait = 500 * time.Millisecond

// runners are the kinds that run as an account: Pods and what makes them.
func runners() []object.Resource {
	return slices.DeleteFunc(object.Resources(), func(r object.Resource) bool {
		return r.IsSubresource() || !r.Carrier && r.Kind != "Pod"
	})
}

// Users asks the API server for what runs as an account: one page of each kind, and of
// Pods those alone that name it.
func (l *Live) Users(ctx context.Context, namespace, account string) (users []string, all bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, usersWait)
	defer cancel()
	all = true
	var found []*object.Object
	for _, res := range runners() {
		options := []client.ListOption{client.InNamespace(namespace), client.Limit(pageSize)}
		if res.Kind == "Pod" {
			options = append(options, client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("spec.serviceAccountName", account)})
		}
		page := &unstructured.UnstructuredList{}
		page.SetGroupVersionKind(res.GroupVersion().WithKind(res.Kind + "List"))
		switch err := l.reader.List(ctx, page, options...); {
		case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
			continue
		case err != nil:
			return usersOf(found, account), false, fmt.Errorf("list the %s: %w", res.Resource, err)
		}
		all = all && page.GetContinue() == ""
		for i := range page.Items {
			o, err := decode(res, &page.Items[i])
			if err != nil {
				return usersOf(found, account), false, err
			}
			found = append(found, o)
		}
	}
	return usersOf(found, account), all, nil
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
	for _, o := range objects {
		if owner := metav1.GetControllerOfNoCopy(o.Meta); owner != nil && slices.ContainsFunc(runners(), func(r object.Resource) bool { return r.Kind == owner.Kind }) {
			continue
		}
		if slices.ContainsFunc(o.Accounts(), func(a object.Account) bool { return a.Name == account }) {
			users = append(users, o.GVK.Kind+" "+o.Meta.Name)
		}
	}
	slices.Sort(users)
	return users
}
