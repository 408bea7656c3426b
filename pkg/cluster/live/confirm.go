package live

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Gains says who gains what by a change of RBAC. What others have asked for a moment
// ago may count after the change, beside what the watches have brought. Where that
// makes a difference, the API server is asked what is true, and that is what counts:
// an object that was invented, or refused after all, denies nobody anything, and
// hides nothing. The role of a binding that the watches have not brought yet is asked
// for as well: both are often applied together.
func (l *Cluster) Gains(ctx context.Context, change rbac.Change, namespaces []string, c *rbac.Capabilities) (rbac.Result, error) {
	if change.New == nil {
		return rbac.Result{}, nil // nobody gains by a deletion
	}
	set, overflown, end := l.recent.begin(change.New)
	defer end()
	known := map[rbac.ObjectRef]runtime.Object{}
	change.Lookup = func(ref rbac.ObjectRef) (runtime.Object, error) {
		if obj, asked := known[ref]; asked {
			return obj, nil
		}
		obj, err := l.get(ctx, ref)
		if err == nil {
			known[ref] = obj
		}
		return obj, err
	}
	unsure := change
	unsure.Unconfirmed = set
	worst, err := l.RBAC().Gains(ctx, unsure, namespaces, c)
	switch {
	case overflown:
	case err == nil && len(worst.Depends) == 0:
		return worst, nil
	case err != nil && (set == nil || !limit.IsExceeded(err)):
		return rbac.Result{}, err
	default:
		// What is over budget with what may come may be within it without.
		result, without := l.RBAC().Gains(ctx, change, namespaces, c)
		if without != nil || err == nil && sameResult(result, worst) {
			return result, without
		}
		overflown = err != nil
	}
	if overflown {
		err = l.look(ctx, &change, namespaces)
	} else {
		err = l.confirm(ctx, &change, worst.Depends)
	}
	if err != nil {
		return rbac.Result{}, err
	}
	return l.RBAC().Gains(ctx, change, namespaces, c)
}

// Known answers like the cluster for what exists already: what is judged is not noted
// as something that somebody asks for.
type Known struct{ *Cluster }

// Gains says who has what by an object that exists.
func (k Known) Gains(ctx context.Context, change rbac.Change, namespaces []string, c *rbac.Capabilities) (rbac.Result, error) {
	change.Lookup = func(ref rbac.ObjectRef) (runtime.Object, error) { return k.get(ctx, ref) }
	return k.RBAC().Gains(ctx, change, namespaces, c)
}

// sameResult reports whether two say the same, by whatever paths.
func sameResult(a, b rbac.Result) bool {
	if len(a.Gains) != len(b.Gains) || len(a.Latent) != len(b.Latent) {
		return false
	}
	for i := range a.Gains {
		x, y := &a.Gains[i], &b.Gains[i]
		if x.Capability != y.Capability || !reflect.DeepEqual(x.Namespaces, y.Namespaces) || !reflect.DeepEqual(x.Permissions, y.Permissions) ||
			!reflect.DeepEqual(x.Subjects, y.Subjects) {
			return false
		}
	}
	return true
}

// confirm asks the API server for objects, and lets the change count what it says.
func (l *Cluster) confirm(ctx context.Context, change *rbac.Change, refs []rbac.ObjectRef) error {
	if len(refs) > limit.Confirmations {
		return l.lookFor(ctx, change, refs)
	}
	until := time.Now().Add(patience)
	for _, ref := range refs {
		obj, err := l.settled(ctx, ref, until)
		if err != nil {
			return fmt.Errorf("look up %s, which somebody has just asked for: %w", ref, err)
		}
		if obj == nil {
			change.Gone = append(change.Gone, ref)
		} else {
			change.Overlay = append(change.Overlay, obj)
		}
	}
	return nil
}

// inFlight is how long the API server usually takes, at most, from the verdict on an
// object until it is stored, and pause how long emrguard waits between two looks. Who
// asks for a role and a binding at the same time waits so long; everybody else hardly
// ever finds an object that is not stored.
//
// patience bounds how long a request waits for all of them together. Whoever posts the
// same object again and again would have others wait for ever, and be refused, else.
const (
	inFlight = 250 * time.Millisecond
	pause    = 25 * time.Millisecond
	patience = 2 * inFlight
)

// settled reads an object that was asked for a moment ago. As long as it may still be
// on its way, it is looked for again, but not beyond a time: then what is there counts.
func (l *Cluster) settled(ctx context.Context, ref rbac.ObjectRef, until time.Time) (runtime.Object, error) {
	for {
		_, underway := l.recent.progress(ref, nil) // before the look
		obj, err := l.get(ctx, ref)
		if err != nil || !underway || time.Now().After(until) {
			return obj, err
		}
		if arrived, _ := l.recent.progress(ref, obj); arrived {
			return obj, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("wait for it: %w", context.Cause(ctx))
		case <-timer.C:
		}
	}
}

// get reads a role or binding past the watches, nil when there is none.
func (l *Cluster) get(ctx context.Context, ref rbac.ObjectRef) (runtime.Object, error) {
	found, err := emptyOf(ref.Kind)
	if err != nil {
		return nil, err
	}
	switch err := l.reader.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found); {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // the resolver reads nil as "there is none"
	case err != nil:
		return nil, &rule.LookupError{Err: err}
	}
	return found, nil
}

var errNoKind = errors.New("it is no kind of RBAC")

func emptyOf(kind string) (client.Object, error) {
	switch kind {
	case rbac.KindRole:
		return &rbacv1.Role{}, nil
	case rbac.KindClusterRole:
		return &rbacv1.ClusterRole{}, nil
	case rbac.KindRoleBinding:
		return &rbacv1.RoleBinding{}, nil
	case rbac.KindClusterRoleBinding:
		return &rbacv1.ClusterRoleBinding{}, nil
	}
	return nil, fmt.Errorf("%q: %w", kind, errNoKind)
}
