package harness

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// rbacManifests are written for this namespace.
const rbacNamespace = "emr-jobs"

//go:embed rbac.yaml
var rbacManifests []byte

// PrepareNamespace makes a namespace what it is before emrguard is installed:
// the EMR service may act in it (as eksctl sets it up), and the submitter holds
// far too much, as is common, so that RBAC is never what refuses her. It returns
// when RBAC has taken effect.
func (cp *ControlPlane) PrepareNamespace(ctx context.Context, namespace string) error {
	if err := cp.EnsureNamespace(ctx, namespace, nil); err != nil {
		return err
	}
	objects, err := ParseManifests("rbac.yaml", rbacManifests)
	if err != nil {
		return err
	}
	admin, err := cp.Admin()
	if err != nil {
		return err
	}
	for _, obj := range objects {
		if obj.GetNamespace() == rbacNamespace {
			InNamespace(obj, namespace)
		}
		if a, _ := admin.Create(ctx, obj); !a.Done() && !apierrors.IsAlreadyExists(a.Err) {
			return fmt.Errorf("prepare namespace %s: %s %s: %s", namespace, obj.GetKind(), obj.GetName(), a)
		}
	}
	config, err := cp.UserConfig(Submitter, SubmitterGroup)
	if err != nil {
		return err
	}
	alice, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return WaitFor(ctx, "the permissions of "+Submitter+" in "+namespace, startTimeout, func(ctx context.Context) error {
		for _, resource := range []string{"pods", "serviceaccounts"} {
			review, err := alice.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: namespace, Verb: "create", Resource: resource,
				}},
			}, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			if !review.Status.Allowed {
				return errors.New("may not create " + resource + " yet")
			}
		}
		return nil
	})
}
