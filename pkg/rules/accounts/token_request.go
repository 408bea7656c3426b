package accounts

import (
	"context"
	_ "embed" // the documentation of the rule
	"errors"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

//go:embed token-request.md
var tokenRequestDoc string

const tokenRemedy = "submit a job instead; its pods get their token from the kubelet"

var (
	tokenRequested = rule.Reason{
		Name: "requested", Severity: rule.Critical, SkipOldComparison: true, Remedy: tokenRemedy,
		Message: "%[1]s may not have a token of ServiceAccount %[2]q, which has %[3]s",
	}
	tokenSecret = rule.Reason{
		Name: "written-into-secret", Severity: rule.Critical, SkipOldComparison: true, Remedy: tokenRemedy,
		Message: "%[1]s may not have a token of ServiceAccount %[2]q, which has %[3]s, written into a Secret",
	}
)

// TokenRequest is the rule token-request.
//
// Guide, "Role-based access control (RBAC) permissions": "the JWT token that is mounted
// in the pod" can "be used to retrieve the credentials of the execution role".
//
// Fields: serviceaccounts/token (kubectl create token), and Secrets of type
// kubernetes.io/service-account-token.
//
// Allowed: EMR, administrators, controllers; the kubelet for a pod of its node; a
// job account for accounts of its own role; known brokers, which hand the token of a
// pod's account to nobody but AWS.
func TokenRequest() rule.Rule {
	return rule.Rule{
		ID:        tokenRequestID,
		Title:     "a token of an account with a role, without a pod",
		Doc:       tokenRequestDoc,
		Clauses:   []guide.Clause{emr.ClauseRBAC},
		Reasons:   []*rule.Reason{&tokenRequested, &tokenSecret},
		Reads:     rule.ReadsAccounts(),
		Requester: true,
		Targets: []rule.Target{
			targets.New("serviceaccounts/token", rule.Create),
			targets.New("secrets", rule.Create, rule.Update),
		},
		Parameters: []rule.Parameter{
			{Name: "brokers", Type: "list of patterns", Doc: "User names of accounts that may ask for the token of any account; each request is recorded. " +
				"By default those of AWS's provider of the Secrets Store CSI driver in kube-system; what is given takes their place."},
		},
		New: func(s rule.Settings) (rule.Check, error) {
			params := struct {
				Brokers []string `json:"brokers"`
			}{Brokers: defaultBrokers()}
			if err := s.Decode(tokenRequestID, &params); err != nil {
				return nil, err
			}
			brokers, err := pattern.ParseSet(params.Brokers)
			if err != nil {
				return nil, rule.ParameterError(tokenRequestID, fmt.Errorf("brokers%w", err))
			}
			return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
				return checkTokenRequest(ctx, r, rep, brokers)
			}, nil
		},
	}
}

const tokenRequestID = "token-request"

// defaultBrokers are the accounts of AWS's provider of the Secrets Store CSI driver: of
// its manifest, and of its chart under whatever release name. Its releases before 2.0
// ask for the token of the account of the pod that mounts a secret; later ones get it
// from the kubelet.
func defaultBrokers() []string {
	return []string{
		"system:serviceaccount:kube-system:csi-secrets-store-provider-aws",
		"system:serviceaccount:kube-system:*secrets-store-csi-driver-provider-aws",
	}
}

// isBoundToPod reports whether a requested token ends with a Pod.
func isBoundToPod(o *object.Object) bool {
	token, ok := o.Typed.(*authenticationv1.TokenRequest)
	return ok && token.Spec.BoundObjectRef != nil && token.Spec.BoundObjectRef.Kind == "Pod"
}

func checkTokenRequest(ctx context.Context, r *rule.Request, rep *rule.Report, brokers pattern.Set) error {
	name, path, reason := r.Name, "", &tokenRequested
	switch {
	case r.Resource.Resource == "secrets":
		if secret, ok := r.Object.Typed.(*object.Secret); !ok || secret.Type != corev1.SecretTypeServiceAccountToken {
			return nil
		}
		name = r.Object.Meta.Annotations[corev1.ServiceAccountNameKey]
		if r.Old != nil && r.Old.Meta.Annotations[corev1.ServiceAccountNameKey] == name {
			return nil
		}
		path = fieldpath.Key("metadata.annotations", corev1.ServiceAccountNameKey)
		reason = &tokenSecret
	case isKubelet(r.Requester) && isBoundToPod(r.Object):
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
	id := identity.Of(sa)
	if !id.BearsRole() && !id.Managed || mayUse(r.Requester, id) {
		return nil
	}
	f := rule.Finding{Reason: reason, Path: path, Args: rule.Args(wording.Requester(r.Requester), name, id.Has())}
	if r.Resource.Resource == "serviceaccounts" && brokers.Match(r.Requester.User) {
		f.Excuse = "a broker of tokens by rules[" + tokenRequestID + "].params.brokers"
	}
	rep.Add(f)
	return nil
}

func isKubelet(r rule.Requester) bool {
	return strings.HasPrefix(r.User, "system:node:") && slices.Contains(r.Groups, "system:nodes")
}
