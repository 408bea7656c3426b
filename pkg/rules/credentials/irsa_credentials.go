package credentials

import (
	"context"
	_ "embed" // the documentation of the rule
	"errors"
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const irsaID = "irsa-credentials"

//go:embed irsa-credentials.md
var irsaDoc string

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
		ID:          irsaID,
		Title:       "pods that would run without the role of their ServiceAccount",
		Doc:         irsaDoc,
		Remediation: "create the pod again, so that EKS injects the credentials",
		Guide:       guide.PodCredentials,
		Default:     rule.Deny,
		Targets:     targets.Pods(),
		New:         newIRSACredentials,
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
				rep.Add(rule.Finding{
					Path:        c.Path() + ".env",
					Message:     fmt.Sprintf("container %q was given the role %q, but ServiceAccount %q has %s", c.Name, in.roleARN, sa.Name, id.Has()),
					Remediation: "create the pod again once the ServiceAccount is settled; do not write the injected variables by hand",
				})
			}
			if !provided && c.Type != podspec.EphemeralContainer {
				missing = append(missing, fmt.Sprintf("%q", c.Name))
			}
		}
		if len(missing) == 0 || len(contradicting) > 0 || r.File && mayComeLater(ctx, s, r, sa) && withoutHindrance(pod, sa) == "" {
			return nil
		}
		list := strings.Join(missing, ", ")
		switch {
		case id.Managed && id.BearsRole():
			rep.Add(rule.Finding{
				Path:        pod.FieldPath("containers"),
				Message:     fmt.Sprintf("ServiceAccount %q is EMR's, but its credentials are not in container %s: it would run as the node", sa.Name, list),
				Remediation: withoutHindrance(pod, sa),
			})
		case id.BearsRole():
			rep.Add(rule.Finding{
				Action:      rule.Warn,
				Path:        pod.FieldPath("containers"),
				Message:     fmt.Sprintf("ServiceAccount %q has a role, but its credentials are not in container %s: it would run as the node", sa.Name, list),
				Remediation: withoutHindrance(pod, sa),
			})
		case !accepted:
			rep.Add(rule.Finding{
				Action:      rule.Warn,
				Path:        pod.FieldPath("serviceAccountName"),
				Message:     fmt.Sprintf("ServiceAccount %q has no IAM role, so the pod falls back to the role of its node", sa.Name),
				Remediation: "run the pod as an account that has a role by IRSA",
			})
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

// withoutHindrance says how to fix a missing injection: it names what in the pod
// switches it off. Without such a thing, the account was too new for EKS's
// webhook, and the default of the rule is right.
func withoutHindrance(pod *podspec.Pod, sa rule.ServiceAccount) string {
	const again = ", and create the pod again, so that EKS injects the credentials"
	if _, ok := pod.Meta.Labels[emr.LabelSkipPodIdentityWebhook]; ok {
		return "remove the label " + emr.LabelSkipPodIdentityWebhook + again
	}
	if _, ok := pod.Meta.Annotations[emr.AnnotationSkipContainers]; ok {
		return "remove the annotation " + emr.AnnotationSkipContainers + again
	}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if token := projectedToken(v); v.Name == emr.WebIdentityVolume && token != nil && !isInjectedVolume(v, sa) {
			return fmt.Sprintf("the volume %q holds a token for %q in the file %q instead of one for STS in the file %q: remove the volume%s",
				v.Name, token.Audience, token.Path, emr.WebIdentityTokenPath, again)
		}
	}
	for c := range pod.Containers() {
		if over := overToken(c, emr.WebIdentityMountPath, emr.WebIdentityVolume); over != "" {
			return fmt.Sprintf("mount the volume %q elsewhere in container %q: it hides the token%s", over, c.Name, again)
		}
		for i := range c.Env {
			if name := c.Env[i].Name; name == emr.EnvRoleARN || name == emr.EnvWebIdentityTokenFile {
				return "do not set " + name + " by hand" + again
			}
		}
	}
	return ""
}
