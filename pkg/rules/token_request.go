package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// token-request
//
// Guide: "Role-based access control (RBAC) permissions": the JWT of a pod can be
// used to get the credentials of its execution role.
//
// Fields: serviceaccounts/token (kubectl create token), and Secrets of type
// kubernetes.io/service-account-token.
//
// Allowed: EMR, administrators, controllers; the kubelet for a pod of its node; a
// job account for accounts of its own role.
func tokenRequest() rule.Rule {
	return rule.Rule{
		ID:    "token-request",
		Title: "a token of an account with a role, without a pod",
		Doc: "The token of a ServiceAccount is what STS takes for its IAM role. `kubectl create token` and a Secret of type service-account-token hand it out without any pod, " +
			"so both are forbidden for accounts that bear a role. The kubelet asks for the tokens of the pods on its node; NodeRestriction sees to it that they are.",
		Remediation: "submit a job instead; its pods get their token from the kubelet",
		Guide:       guideRBAC,
		Default:     rule.Deny,
		Requester:   true,
		Targets: []rule.Target{
			target("", "v1", "serviceaccounts/token", rule.Create),
			target("", "v1", "secrets", rule.Create, rule.Update),
		},
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode("token-request", &struct{}{}); err != nil {
				return nil, err
			}
			return checkTokenRequest, nil
		},
	}
}

func checkTokenRequest(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	name, path, message := r.Name, "", "may not have a token of ServiceAccount %q, which %s"
	switch {
	case r.Resource.Resource == "secrets":
		if r.Object.SecretType != corev1.SecretTypeServiceAccountToken {
			return nil
		}
		name = r.Object.Meta.Annotations[corev1.ServiceAccountNameKey]
		if r.Old != nil && r.Old.Meta.Annotations[corev1.ServiceAccountNameKey] == name {
			return nil
		}
		path = object.MapPath("metadata.annotations", corev1.ServiceAccountNameKey)
		message = "may not have a token of ServiceAccount %q, which %s, written into a Secret"
	case isKubelet(r.Requester) && r.Object.Token != nil && r.Object.Token.Spec.BoundObjectRef != nil && r.Object.Token.Spec.BoundObjectRef.Kind == "Pod":
		return nil
	}
	if r.Requester.Class == rule.Controller {
		return nil
	}
	sa, err := r.Cluster.ServiceAccount(ctx, r.Namespace, name)
	switch {
	case errors.Is(err, rule.ErrNotFound):
		sa = rule.ServiceAccount{Namespace: r.Namespace, Name: name}
	case err != nil:
		return fmt.Errorf("look up ServiceAccount %s/%s: %w", r.Namespace, name, err)
	}
	id := identify(sa)
	if !id.bearsRole() && !id.managed || mayUse(r.Requester, id) {
		return nil
	}
	rep.Add(rule.Finding{Path: path, Message: who(r.Requester) + " " + fmt.Sprintf(message, name, id.describe()), Act: true})
	return nil
}

func isKubelet(r rule.Requester) bool {
	return strings.HasPrefix(r.User, "system:node:") && slices.Contains(r.Groups, "system:nodes")
}
