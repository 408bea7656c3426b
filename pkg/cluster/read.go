package cluster

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"
)

// Read lists, page by page, what a snapshot holds of a live cluster.
func Read(ctx context.Context, client kubernetes.Interface) (*Snapshot, error) {
	s := &Snapshot{}
	for name, list := range map[string]pager.ListPageFunc{
		"namespaces": func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.CoreV1().Namespaces().List(ctx, o)
		},
		"service accounts": func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.CoreV1().ServiceAccounts("").List(ctx, o)
		},
		"roles": func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.RbacV1().Roles("").List(ctx, o)
		},
		"role bindings": func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.RbacV1().RoleBindings("").List(ctx, o)
		},
		"cluster roles": func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.RbacV1().ClusterRoles().List(ctx, o)
		},
		"cluster role bindings": func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.RbacV1().ClusterRoleBindings().List(ctx, o)
		},
	} {
		err := pager.New(list).EachListItem(ctx, metav1.ListOptions{}, func(o runtime.Object) error {
			s.Set(o)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list the %s: %w", name, err)
		}
	}
	return s, nil
}
