package credentials

import (
	"cmp"
	"context"
	_ "embed" // the documentation of the rule
	"errors"
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const irsaID = "irsa-credentials"

//go:embed irsa-credentials.md
var irsaDoc string

const (
	injectAgain  = "remove %[3]s and create the pod again, so that EKS injects the credentials"
	notInjected  = "its credentials are not in container %[2]s: it would run as the node"
	noCredential = "without-credentials"
)

var (
	managedWithout = rule.Reason{
		Name: "managed-account-" + noCredential, Severity: rule.High,
		Message: "ServiceAccount %[1]q is EMR's, but " + notInjected, Remedy: injectAgain,
	}
	accountWithout = rule.Reason{
		Name: "account-" + noCredential, Severity: rule.Medium,
		Message: "ServiceAccount %[1]q has a role, but " + notInjected, Remedy: injectAgain,
	}
	contradictingRole = rule.Reason{
		Name: "contradicting-role", Severity: rule.High,
		Message: "container %[1]q was given the role %[2]q, but ServiceAccount %[3]q has %[4]s",
		Remedy:  "create the pod again once the ServiceAccount is settled; do not write the injected variables by hand",
	}
	accountWithoutRole = rule.Reason{
		Name: "account-without-role", Severity: rule.Medium,
		Message: "ServiceAccount %[1]q has no IAM role, so the pod falls back to the role of its node",
		Remedy:  "run the pod as an account that has a role by IRSA",
	}
)

// IRSA is the rule irsa-credentials.
//
// Guide, "Restrict pod credential access": "Amazon EMR on EKS uses IAM roles for
// service accounts (IRSA) as the standard credential provider in a registered
// namespace." Others, such as the instance profile, "are not supported".
//
// Fields: on Pods, as they are after mutation: env and volumeMounts of every
// container, spec.volumes, against the annotation eks.amazonaws.com/role-arn of
// the ServiceAccount.
//
// Allowed: a pod whose init and regular containers all have the form that EKS
// injects, for the role of its account, with a token whose audience is STS or the one
// that the account's annotation eks.amazonaws.com/audience names.
func IRSA() rule.Rule {
	return rule.Rule{
		ID:      irsaID,
		Title:   "pods that would run without the role of their ServiceAccount",
		Doc:     irsaDoc,
		Clauses: []guide.Clause{emr.ClausePodCredentials},
		Reads:   rule.ReadsAccounts(),
		Reasons: []*rule.Reason{&managedWithout, &accountWithout, &contradictingRole, &accountWithoutRole},
		Targets: targets.Pods(),
		New:     newIRSACredentials,
	}
}

func newIRSACredentials(s rule.Settings) (rule.Check, error) {
	if err := s.Decode(irsaID, &struct{}{}); err != nil {
		return nil, err
	}
	chained, err := allowedRoles(s)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
		pod := &r.Object.Pods[0]
		sa, err := r.Account(ctx, pod)
		if err != nil {
			return err
		}
		id := identity.Of(sa)
		var missing, contradicting []string
		accepted := false
		for c := range pod.Containers() {
			in := injected(pod, c, sa)
			provided := s.IRSA && in.irsa || s.PodIdentity && in.podIdentity
			accepted = accepted || provided
			if in.irsa && !id.Is(in.roleARN) && !chained.Match(in.roleARN) {
				contradicting = append(contradicting, c.Name)
				rep.Add(rule.Finding{Reason: &contradictingRole, Path: c.Path() + ".env", Args: rule.Args(c.Name, in.roleARN, sa.Name, id.Has())})
			}
			if !provided && c.Type != podspec.EphemeralContainer {
				missing = append(missing, fmt.Sprintf("%q", c.Name))
			}
		}
		if len(missing) == 0 || len(contradicting) > 0 || r.File && mayComeLater(ctx, s, r, sa) && hindrance(pod, sa) == "" {
			return nil
		}
		without := rule.Finding{
			Path: pod.FieldPath("containers"), Args: rule.Args(sa.Name, strings.Join(missing, ", ")),
			Hints: rule.Args(cmp.Or(hindrance(pod, sa), "what hinders EKS")),
		}
		switch {
		case id.Managed && id.BearsRole():
			without.Reason = &managedWithout
			rep.Add(without)
		case id.BearsRole():
			without.Reason = &accountWithout
			rep.Add(without)
		case !accepted:
			rep.Add(rule.Finding{Reason: &accountWithoutRole, Path: pod.FieldPath("serviceAccountName"), Args: rule.Args(sa.Name)})
		}
		return nil
	}, nil
}

// mayComeLater reports whether files cannot show that a pod has no credentials: the
// account stands elsewhere, or Pod Identity gives them, of which Kubernetes has no
// object. Every namespace has the account "default".
func mayComeLater(ctx context.Context, s rule.Settings, r *rule.Request, sa rule.ServiceAccount) bool {
	_, err := r.Cluster.ServiceAccount(ctx, sa.Namespace, sa.Name)
	return s.PodIdentity || errors.Is(err, rule.ErrNotFound) && sa.Name != "default"
}

// hindrance names what in the pod switches the injection off. Without such a thing, the
// account was too new for EKS's webhook.
func hindrance(pod *podspec.Pod, sa rule.ServiceAccount) string {
	if _, ok := pod.Meta.Labels[emr.LabelSkipPodIdentityWebhook]; ok {
		return "the label " + emr.LabelSkipPodIdentityWebhook
	}
	if _, ok := pod.Meta.Annotations[emr.AnnotationSkipContainers]; ok {
		return "the annotation " + emr.AnnotationSkipContainers
	}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if token := projectedToken(v); v.Name == emr.WebIdentityVolume && token != nil && !isInjectedVolume(v, sa) {
			return fmt.Sprintf("the volume %q, which holds a token for %q in the file %q instead of one for STS in the file %q",
				v.Name, token.Audience, token.Path, emr.WebIdentityTokenPath)
		}
	}
	for c := range pod.Containers() {
		if over := overToken(c, emr.WebIdentityMountPath, emr.WebIdentityVolume); over != "" {
			return fmt.Sprintf("the mount of the volume %q in container %q, because it hides the token", over, c.Name)
		}
		for i := range c.Env {
			if name := c.Env[i].Name; name == emr.EnvRoleARN || name == emr.EnvWebIdentityTokenFile {
				return "the variable " + name
			}
		}
	}
	return ""
}
