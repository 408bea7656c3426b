package rule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/object"
)

// Place is where the pods of an object run, as far as its own namespace does not say
// it.
type Place struct {
	// Namespaces in which they run or may run, without the object's own, sorted.
	Namespaces []string
	// Unknown is the virtual cluster of EMR of which nothing is known; empty for none.
	Unknown string
}

var virtualClusters = schema.GroupResource{Group: "emrcontainers.services.k8s.aws", Resource: "virtualclusters"}

// PlaceOf says where the pods of the requested object run. Only custom resources say
// so: a Spark application by a setting, a JobRun by its virtual cluster, which the
// configuration or a VirtualCluster object maps to a namespace.
func (s Settings) PlaceOf(ctx context.Context, r *Request) (Place, error) {
	if job := r.Object.Job; job == nil || job.Namespace == "" && job.VirtualCluster == nil {
		return Place{}, nil
	}
	found, err := r.Once("place", func() (any, error) { return s.placeOf(ctx, r) })
	p, _ := found.(Place)
	return p, err
}

func (s Settings) placeOf(ctx context.Context, r *Request) (Place, error) {
	own := cmp.Or(r.Object.Meta.Namespace, r.Namespace)
	p := Place{}
	add := func(namespace string) {
		if namespace != "" && namespace != own && !slices.Contains(p.Namespaces, namespace) {
			p.Namespaces = append(p.Namespaces, namespace)
		}
	}
	add(r.Object.Job.Namespace)
	var err error
	if ref := r.Object.Job.VirtualCluster; ref != nil {
		var list []string
		list, p.Unknown, err = s.virtualCluster(ctx, r, ref)
		for _, namespace := range list {
			add(namespace)
		}
	}
	slices.Sort(p.Namespaces)
	return p, err
}

// virtualCluster returns the namespaces of a virtual cluster, or what names it when
// nothing is known of it.
func (s Settings) virtualCluster(ctx context.Context, r *Request, ref *object.VirtualClusterRef) (namespaces []string, unknown string, err error) {
	if ref.ID == "" && ref.Name == "" {
		return nil, "", nil // the API of EMR refuses it
	}
	if ref.ID != "" {
		if namespace, ok := s.VirtualClusters[ref.ID]; ok {
			return []string{namespace}, "", nil
		}
	}
	var clusters []*object.Object
	if ref.ID != "" {
		all, err := r.Cluster.Objects(ctx, virtualClusters, "")
		if err != nil {
			return nil, ref.ID, fmt.Errorf("list the VirtualClusters: %w", err)
		}
		for _, o := range all {
			if c, ok := o.Typed.(*ack.VirtualCluster); ok && c.Status.ID == ref.ID {
				clusters = append(clusters, o)
			}
		}
	}
	if ref.Name != "" {
		namespace := cmp.Or(ref.Namespace, r.Object.Meta.Namespace, r.Namespace)
		switch o, err := r.Cluster.Object(ctx, virtualClusters, namespace, ref.Name); {
		case err == nil:
			clusters = append(clusters, o)
		case !errors.Is(err, ErrNotFound):
			return nil, ref.Name, fmt.Errorf("look up VirtualCluster %s/%s: %w", namespace, ref.Name, err)
		}
	}
	for _, o := range clusters {
		if c, ok := o.Typed.(*ack.VirtualCluster); ok && c.Spec.ContainerProvider.Info.EKSInfo.Namespace != "" {
			namespaces = append(namespaces, c.Spec.ContainerProvider.Info.EKSInfo.Namespace)
		}
	}
	if len(namespaces) == 0 {
		unknown = cmp.Or(ref.ID, ref.Name)
	}
	return namespaces, unknown, nil
}
