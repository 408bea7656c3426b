package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// Submitter is a user with the groups that the authenticator gives.
type Submitter struct {
	User   string   `json:"user"`
	Groups []string `json:"groups,omitempty"`
}

// Difference is a request that the API server decides otherwise than RBAC does:
// because of an EKS access policy, or of an authorization webhook.
type Difference struct {
	Submitter
	Namespace  string `json:"namespace"`
	Capability string `json:"capability"`
	// Request such as "create pods/exec".
	Request string `json:"request"`
	// RBAC and Server say whether each allows it.
	RBAC   bool `json:"rbac"`
	Server bool `json:"server"`
	// Reason that the API server gives.
	Reason string `json:"reason,omitempty"`
}

// Compare asks the API server about every forbidden request of each submitter, and
// adds to the report where it answers otherwise than RBAC.
func (r *Report) Compare(ctx context.Context, e *engine.Engine, facts *cluster.Snapshot, client kubernetes.Interface, submitters []Submitter) error {
	capabilities, err := capability.Forbidden(e.Settings())
	if err != nil {
		return err
	}
	for _, s := range submitters {
		for _, ns := range append(slices.Clone(r.Namespaces), "") {
			for _, c := range capabilities {
				for _, a := range requests(c, ns) {
					d, err := compare(ctx, facts, client, s, a)
					if err != nil {
						return err
					}
					if d != nil {
						d.Capability = c.ID
						r.Differences = append(r.Differences, *d)
					}
				}
			}
		}
	}
	return nil
}

// requests are what a capability means, one by one. Patterns have no single
// request and are left to RBAC.
func requests(c rbac.Capability, namespace string) []rbac.Attributes {
	var list []rbac.Attributes
	for _, t := range c.Targets {
		if (t.Scope == rbac.Cluster) != (namespace == "") {
			continue
		}
		for _, group := range t.APIGroups {
			for _, resource := range t.Resources {
				for _, verb := range t.Verbs {
					if strings.Contains(group+resource+verb, "*") {
						continue
					}
					name, sub, _ := strings.Cut(resource, "/")
					a := rbac.Attributes{Verb: verb, APIGroup: group, Resource: name, Subresource: sub, Namespace: namespace}
					if t.Scope == rbac.OwnNamespace {
						a.Name = namespace
					}
					list = append(list, a)
				}
			}
		}
	}
	return list
}

func compare(ctx context.Context, facts *cluster.Snapshot, client kubernetes.Interface, s Submitter, a rbac.Attributes) (*Difference, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: s.User, Groups: s.Groups,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: a.Verb, Group: a.APIGroup, Resource: a.Resource, Subresource: a.Subresource, Namespace: a.Namespace, Name: a.Name,
		},
	}}
	answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("ask whether %s may %s %s: %w", s.User, a.Verb, a.Resource, err)
	}
	decision := facts.RBAC().Can(rbac.Request{User: s.User, Groups: s.Groups, Attributes: a})
	if decision.Allowed == answer.Status.Allowed {
		return nil, nil //nolint:nilnil // no difference is no error
	}
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	return &Difference{
		Submitter: s, Namespace: a.Namespace, Request: a.Verb + " " + resource,
		RBAC: decision.Allowed, Server: answer.Status.Allowed, Reason: answer.Status.Reason,
	}, nil
}
