package openreports

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/emrguard/emrguard/pkg/report"
)

// Name of every report, and the label by which ours are known.
const (
	Name       = "emrguard"
	LabelKey   = "app.kubernetes.io/managed-by"
	LabelValue = "emrguard"
	// AnnotationLeftOut says how many findings a report counts and does not list.
	AnnotationLeftOut = "emrguard.dev/results-left-out"
)

// ErrNotInstalled says that the cluster does not know the API.
var ErrNotInstalled = errors.New("the cluster has no Reports and ClusterReports of " + apiVersion +
	": install the CRDs of https://github.com/openreports/reports-api, or turn reports off (audit.reports)")

// maxErrors is how many reports may fail before the others are left for later.
const maxErrors = 5

// Writer keeps the reports of a cluster. Reports of others are never touched.
type Writer struct {
	// Client of the API server, for any path.
	Client rest.Interface
	// Owner is a ClusterRole with which all reports go; empty for none.
	Owner string
	// Now is the clock.
	Now func() time.Time
}

// Changes counts what was written.
type Changes struct{ Created, Updated, Deleted, Unchanged int }

// Sync makes the reports say what r says: one Report for each namespace with
// findings, one ClusterReport for what has no namespace. Nothing is written where
// nothing has changed, and reports without findings are deleted.
func (w *Writer) Sync(ctx context.Context, r *report.Report) (Changes, error) {
	var done Changes
	wanted, err := pages(r)
	if err != nil {
		return done, err
	}
	owners, err := w.owners(ctx)
	if err != nil {
		return done, err
	}
	stale, err := w.stale(ctx, wanted)
	if err != nil {
		return done, err
	}
	var errs []error
	for _, old := range stale {
		if err := w.remove(ctx, old); err != nil {
			errs = append(errs, err)
		} else {
			done.Deleted++
		}
	}
	for _, ns := range slices.Sorted(maps.Keys(wanted)) {
		if len(errs) >= maxErrors {
			break
		}
		if err := w.write(ctx, ns, wanted[ns], owners, &done); err != nil {
			errs = append(errs, err)
		}
	}
	return done, errors.Join(errs...)
}

// owners refers to the owner. A chart that is being uninstalled has none any more:
// then nothing must be written.
func (w *Writer) owners(ctx context.Context) ([]metav1.OwnerReference, error) {
	if w.Owner == "" {
		return nil, nil
	}
	var role metav1.PartialObjectMetadata
	if err := w.get(ctx, &role, "/apis/rbac.authorization.k8s.io/v1", "clusterroles", w.Owner); err != nil {
		return nil, fmt.Errorf("read ClusterRole %s, which owns the reports: %w", w.Owner, err)
	}
	return []metav1.OwnerReference{{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole", Name: w.Owner, UID: role.UID}}, nil
}

// place is the path of the reports of a namespace, and the kind of their objects.
func place(namespace string) (path []string, kind string) {
	if namespace == "" {
		return []string{apiPath, "clusterreports"}, "ClusterReport"
	}
	return []string{apiPath, "namespaces", namespace, "reports"}, "Report"
}

// stale lists our reports that nothing is left for.
func (w *Writer) stale(ctx context.Context, wanted map[string]*page) ([]metav1.ObjectMeta, error) {
	var list []metav1.ObjectMeta
	for _, resource := range []string{"clusterreports", "reports"} {
		for next := ""; ; {
			var answer metav1.PartialObjectMetadataList
			request := w.Client.Get().AbsPath(apiPath, resource).
				SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").
				Param("labelSelector", LabelKey+"="+LabelValue).Param("limit", "500")
			if next != "" {
				request.Param("continue", next)
			}
			raw, err := request.DoRaw(ctx)
			if apierrors.IsNotFound(err) {
				return nil, ErrNotInstalled
			}
			if err == nil {
				err = json.Unmarshal(raw, &answer)
			}
			if err != nil {
				return nil, fmt.Errorf("list %s of openreports.io: %w", resource, err)
			}
			for i := range answer.Items {
				if m := answer.Items[i].ObjectMeta; m.Name == Name && wanted[m.Namespace] == nil {
					list = append(list, m)
				}
			}
			if next = answer.Continue; next == "" {
				break
			}
		}
	}
	return list, nil
}

func (w *Writer) remove(ctx context.Context, old metav1.ObjectMeta) error {
	path, kind := place(old.Namespace)
	body, err := json.Marshal(metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &old.UID}})
	if err != nil {
		return fmt.Errorf("delete %s: %w", named(kind, old.Namespace), err)
	}
	err = w.Client.Delete().AbsPath(append(path, old.Name)...).SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", named(kind, old.Namespace), err)
	}
	return nil
}

// write brings one report up to date.
func (w *Writer) write(ctx context.Context, namespace string, p *page, owners []metav1.OwnerReference, done *Changes) error {
	path, kind := place(namespace)
	var found object
	err := w.get(ctx, &found, append(path, Name)...)
	exists := err == nil
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("read %s: %w", named(kind, namespace), err)
	}
	if exists && found.Labels[LabelKey] != LabelValue {
		return fmt.Errorf("%s is somebody else's (it lacks the label %s=%s) and stays as it is: rename it, and the audit will write its own",
			named(kind, namespace), LabelKey, LabelValue)
	}
	if err := p.stamp(found.Results, w.Now()); err != nil {
		return fmt.Errorf("read %s: %w", named(kind, namespace), err)
	}
	next := found
	next.TypeMeta = metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
	next.Name, next.Namespace = Name, namespace
	next.Labels = maps.Clone(found.Labels)
	metav1.SetMetaDataLabel(&next.ObjectMeta, LabelKey, LabelValue)
	next.Annotations = maps.Clone(found.Annotations)
	delete(next.Annotations, AnnotationLeftOut)
	if p.leftOut > 0 {
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, AnnotationLeftOut, strconv.Itoa(p.leftOut))
	}
	next.OwnerReferences, next.content = owners, p.content
	same, body, err := equal(found, next)
	switch {
	case err != nil:
		return fmt.Errorf("write %s: %w", named(kind, namespace), err)
	case exists && same:
		done.Unchanged++
		return nil
	case exists:
		err = w.send(ctx, w.Client.Put().AbsPath(append(path, Name)...), body)
	default:
		err = w.send(ctx, w.Client.Post().AbsPath(path...), body)
	}
	switch {
	case isGoing(err, namespace):
		return nil // the namespace takes its report along
	case err != nil:
		return fmt.Errorf("write %s: %w", named(kind, namespace), err)
	case exists:
		done.Updated++
	default:
		done.Created++
	}
	return nil
}

// isGoing reports whether a report could not be written because its namespace is
// gone, or about to be.
func isGoing(err error, namespace string) bool {
	return namespace != "" && (apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause))
}

// equal reports whether a report would not change, and writes the new one.
func equal(old, next object) (same bool, body []byte, err error) {
	before, err := json.Marshal(old)
	if err != nil {
		return false, nil, err
	}
	if body, err = json.Marshal(next); err != nil {
		return false, nil, err
	}
	return bytes.Equal(before, body), body, nil
}

func (w *Writer) get(ctx context.Context, into any, path ...string) error {
	raw, err := w.Client.Get().AbsPath(path...).SetHeader("Accept", "application/json").DoRaw(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (w *Writer) send(ctx context.Context, request *rest.Request, body []byte) error {
	return request.SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(body).Do(ctx).Error()
}

func named(kind, namespace string) string {
	if namespace == "" {
		return kind + " " + Name
	}
	return kind + " " + namespace + "/" + Name
}
