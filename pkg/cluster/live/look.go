package live

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// look asks the API server for all that a change may depend on, and lets the change
// count what it says: when more was asked for a moment ago than is remembered. It is
// dear, so that few are done at a time.
func (l *Cluster) look(ctx context.Context, change *rbac.Change, namespaces []string) error {
	select {
	case l.looks <- struct{}{}:
		defer func() { <-l.looks }()
	case <-ctx.Done():
		return fmt.Errorf("wait for a live look, because more roles and bindings were asked for in the last seconds than emrguard remembers: %w", context.Cause(ctx))
	}
	looked := &looking{Cluster: l, ctx: ctx, change: change}
	var err error
	switch o := change.New.(type) {
	case *rbacv1.RoleBinding:
		err = looked.role(o.RoleRef, o.Namespace)
	case *rbacv1.ClusterRoleBinding:
		err = looked.role(o.RoleRef, "")
	case *rbacv1.Role:
		err = looked.bindings(&rbacv1.RoleBindingList{}, o.Namespace, func(ref rbacv1.RoleRef) bool { return ref.Kind == rbac.KindRole && ref.Name == o.Name })
	case *rbacv1.ClusterRole:
		err = looked.clusterRole(namespaces)
	}
	if err != nil {
		return fmt.Errorf("look at what exists, because more roles and bindings were asked for in the last seconds than emrguard remembers: %w", err)
	}
	return nil
}

// lookFor reads more objects than are asked for one by one.
func (l *Cluster) lookFor(ctx context.Context, change *rbac.Change, refs []rbac.ObjectRef) error {
	type place struct{ kind, namespace string }
	wanted := map[place]map[string]bool{}
	for _, ref := range refs {
		at := place{ref.Kind, ref.Namespace}
		if wanted[at] == nil {
			wanted[at] = map[string]bool{}
		}
		wanted[at][ref.Name] = true
	}
	looked := &looking{Cluster: l, ctx: ctx, change: change}
	for at, names := range wanted {
		list, err := listOf(at.kind)
		if err != nil {
			return err
		}
		err = looked.each(list, at.namespace, func(o client.Object) {
			if names[o.GetName()] {
				delete(names, o.GetName())
				looked.take(o)
			}
		})
		if err != nil {
			return fmt.Errorf("look up what somebody has just asked for: %w", err)
		}
		for name := range names {
			change.Gone = append(change.Gone, rbac.ObjectRef{Kind: at.kind, Namespace: at.namespace, Name: name})
		}
	}
	return nil
}

// looking is one live look.
type looking struct {
	*Cluster

	ctx    context.Context //nolint:containedctx // lives as long as one look
	change *rbac.Change
	read   int
}

func (l *looking) take(o client.Object) { l.change.Overlay = append(l.change.Overlay, o) }

// role reads the role of a binding, and all ClusterRoles when it is an aggregate.
func (l *looking) role(roleRef rbacv1.RoleRef, namespace string) error {
	ref := rbac.ObjectRef{Kind: roleRef.Kind, Name: roleRef.Name}
	if roleRef.Kind == rbac.KindRole {
		ref.Namespace = namespace
	}
	obj, err := l.get(l.ctx, ref)
	switch o := obj.(type) {
	case *rbacv1.ClusterRole:
		if err == nil && o.AggregationRule != nil {
			return l.each(&rbacv1.ClusterRoleList{}, "", l.take)
		}
		l.take(o)
	case *rbacv1.Role:
		l.take(o)
	default:
		if err == nil {
			l.change.Gone = append(l.change.Gone, ref)
		}
	}
	return err
}

// clusterRole reads what may give a ClusterRole to somebody: bindings to ClusterRoles,
// of the namespaces that matter, and what aggregates.
func (l *looking) clusterRole(namespaces []string) error {
	toCluster := func(ref rbacv1.RoleRef) bool { return ref.Kind == rbac.KindClusterRole }
	if err := l.each(&rbacv1.ClusterRoleList{}, "", l.take); err != nil {
		return err
	}
	if err := l.bindings(&rbacv1.ClusterRoleBindingList{}, "", toCluster); err != nil {
		return err
	}
	for _, ns := range namespaces {
		if err := l.bindings(&rbacv1.RoleBindingList{}, ns, toCluster); err != nil {
			return err
		}
	}
	return nil
}

// bindings reads those whose role matters.
func (l *looking) bindings(list client.ObjectList, namespace string, matters func(rbacv1.RoleRef) bool) error {
	return l.each(list, namespace, func(o client.Object) {
		switch b := o.(type) {
		case *rbacv1.RoleBinding:
			if matters(b.RoleRef) {
				l.take(b)
			}
		case *rbacv1.ClusterRoleBinding:
			if matters(b.RoleRef) {
				l.take(b)
			}
		}
	})
}

// each lists, page by page, until the look has read too much.
func (l *looking) each(list client.ObjectList, namespace string, f func(client.Object)) error {
	for {
		if err := l.reader.List(l.ctx, list, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(list.GetContinue())); err != nil {
			return &rule.LookupError{Err: err}
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			if l.read++; l.read > limit.LiveLook {
				return &limit.Exceeded{What: fmt.Sprintf("there are more than %d roles and bindings to look at", limit.LiveLook)}
			}
			if obj, ok := o.DeepCopyObject().(client.Object); ok {
				f(obj)
			}
			return nil
		})
		if err != nil || list.GetContinue() == "" {
			return err //nolint:wrapcheck // it is f's or ours
		}
	}
}

func listOf(kind string) (client.ObjectList, error) {
	switch kind {
	case rbac.KindRole:
		return &rbacv1.RoleList{}, nil
	case rbac.KindClusterRole:
		return &rbacv1.ClusterRoleList{}, nil
	case rbac.KindRoleBinding:
		return &rbacv1.RoleBindingList{}, nil
	case rbac.KindClusterRoleBinding:
		return &rbacv1.ClusterRoleBindingList{}, nil
	}
	return nil, fmt.Errorf("%q: %w", kind, errNoKind)
}

// maxLooks is how many live looks are done at a time.
const maxLooks = 2
