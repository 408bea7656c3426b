// Package podidentity looks up associations of EKS Pod Identity.
package podidentity

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/rule"
)

var associations = schema.GroupResource{Group: "eks.services.k8s.aws", Resource: "podidentityassociations"}

// Associations returns the associations of EKS Pod Identity that AWS Controllers for
// Kubernetes (ACK) manage in the cluster. There are none without ACK. An error says that
// the look-up failed.
func Associations(ctx context.Context, r *rule.Request) ([]*ack.PodIdentityAssociation, error) {
	objects, err := r.Cluster.Objects(ctx, associations, "")
	if err != nil {
		return nil, fmt.Errorf("look up Pod Identity associations: %w", err)
	}
	var list []*ack.PodIdentityAssociation
	for _, o := range objects {
		if a, ok := o.Typed.(*ack.PodIdentityAssociation); ok {
			list = append(list, a)
		}
	}
	return list, nil
}

// Reads are what Associations looks up.
func Reads() []rule.Read { return rule.Reads(rule.Listed, associations.String()) }
