package admissioncontrol

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
)

//go:embed guard-protection.md
var guardProtectionDoc string

// GuardProtection is the rule guard-protection.
//
// Guide, "Role-based access control (RBAC) permissions": "Administrators have to
// control role-based access control strictly in a managed namespace." The rules on it
// hold only while they are enforced.
//
// Fields: webhooks[*] of the ValidatingWebhookConfiguration whose entries are named
// *.emrguard.dev: failurePolicy, namespaceSelector, objectSelector, matchConditions.
//
// Allowed: administrators; at admission whoever has the verb `bypass`; caBundles by
// those who keep them up to date.
//
// The API server never sends these objects to a webhook: at admission the chart's
// ValidatingAdmissionPolicy enforces the rule, an audit looks for what weakens the
// guard.
func GuardProtection() rule.Rule {
	const id = "guard-protection"
	return rule.Rule{
		ID:        id,
		Title:     "emrguard's own webhook configuration changed, deleted or weakened",
		Doc:       guardProtectionDoc,
		Clauses:   []guide.Clause{emr.ClauseRBAC},
		Reasons:   []*rule.Reason{&ForbiddenChange, &failsOpen, &objectSelector, &foreignConditions, &missingNamespace, &missingMetadata},
		Reads:     rule.ReadsNamespaces(),
		Requester: true,
		Targets:   []rule.Target{auditTarget("validatingwebhookconfigurations", rule.Create, rule.Update, rule.Delete)},
		Parameters: []rule.Parameter{{
			Name: "caBundleWriters", Type: "list of patterns",
			Doc: "users who may write the caBundles, and nothing else; the chart adds its own service account. Replaces the default: " + strings.Join(DefaultCABundleWriters(), ", "),
		}},
		New: func(s rule.Settings) (rule.Check, error) {
			p := struct {
				CABundleWriters []string `json:"caBundleWriters" syntax:"pattern"`
			}{DefaultCABundleWriters()}
			if err := s.Decode(id, &p); err != nil {
				return nil, err
			}
			writers, err := pattern.ParseSet(p.CABundleWriters)
			if err != nil {
				return nil, rule.ParameterError(id, fmt.Errorf("caBundleWriters%w", err))
			}
			j := guardJudge{settings: s, writers: writers}
			return j.check, nil
		},
	}
}

// ownEntry ends the names of the entries of emrguard's configuration, managedEntry
// begins those that have to fail closed. Those for changed metadata alone have an end
// of their own.
const (
	ownEntry      = ".emrguard.dev"
	metadataEntry = "-metadata" + ownEntry
	managedEntry  = "managed"
)

// DefaultCABundleWriters are the users who write the caBundles of emrguard's
// configuration: cert-manager's injector, and emrguard itself where the
// documentation installs it.
func DefaultCABundleWriters() []string {
	return []string{"system:serviceaccount:cert-manager:cert-manager-cainjector", "system:serviceaccount:emrguard-system:emrguard"}
}

type guardJudge struct {
	settings rule.Settings
	writers  pattern.Set
}

func (j *guardJudge) check(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	config, ok := r.Object.Typed.(*admissionregistrationv1.ValidatingWebhookConfiguration)
	if !ok {
		return nil
	}
	if r.Existing() {
		return weakened(ctx, r, config, rep)
	}
	guards := isGuard(config)
	old, isUpdate := oldOf[admissionregistrationv1.ValidatingWebhookConfiguration](r)
	if isUpdate {
		guards = isGuard(old)
	}
	if r.Operation == rule.Create || !guards || isPlatformAdministrator(j.settings, r) {
		return nil
	}
	// Annotations tell cert-manager whose CA to write.
	if isUpdate && j.writers.Match(r.Requester.User) && maps.Equal(old.Annotations, config.Annotations) &&
		!gainsOwner(old.OwnerReferences, config.OwnerReferences) && reflect.DeepEqual(withoutCABundles(old), withoutCABundles(config)) {
		return nil
	}
	rep.Add(rule.Finding{Reason: &ForbiddenChange, Path: "metadata.name", Args: rule.Args(r.Requester.User, act(r), config.Name)})
	return nil
}

func isGuard(config *admissionregistrationv1.ValidatingWebhookConfiguration) bool {
	return slices.ContainsFunc(config.Webhooks, func(w admissionregistrationv1.ValidatingWebhook) bool { return strings.HasSuffix(w.Name, ownEntry) })
}

func withoutCABundles(config *admissionregistrationv1.ValidatingWebhookConfiguration) []admissionregistrationv1.ValidatingWebhook {
	list := slices.Clone(config.Webhooks)
	for i := range list {
		list[i].ClientConfig.CABundle = nil
	}
	return list
}

// weakened judges a configuration that exists.
func weakened(ctx context.Context, r *rule.Request, config *admissionregistrationv1.ValidatingWebhookConfiguration, rep *rule.Report) error {
	if !isGuard(config) {
		return nil
	}
	var own, metadata []mutation
	for i := range config.Webhooks {
		w := &config.Webhooks[i]
		if !strings.HasSuffix(w.Name, ownEntry) {
			continue
		}
		conditions := DeletionConditions()
		if strings.HasSuffix(w.Name, metadataEntry) {
			conditions = MetadataConditions()
			metadata = append(metadata, mutation{selector: w.NamespaceSelector})
		} else {
			own = append(own, mutation{selector: w.NamespaceSelector})
		}
		path := fmt.Sprintf("webhooks[%d]", i)
		if strings.HasPrefix(w.Name, managedEntry) && w.FailurePolicy != nil && *w.FailurePolicy != admissionregistrationv1.Fail {
			rep.Add(rule.Finding{Reason: &failsOpen, Path: path + ".failurePolicy", Args: rule.Args(w.Name)})
		}
		if s := w.ObjectSelector; s != nil && len(s.MatchLabels)+len(s.MatchExpressions) > 0 {
			rep.Add(rule.Finding{Reason: &objectSelector, Path: path + ".objectSelector", Args: rule.Args(w.Name)})
		}
		if len(w.MatchConditions) > 0 && !slices.Equal(w.MatchConditions, conditions) {
			rep.Add(rule.Finding{Reason: &foreignConditions, Path: path + ".matchConditions", Args: rule.Args(w.Name)})
		}
	}
	for _, part := range []struct {
		entries []mutation
		missing *rule.Reason
	}{
		{own, &missingNamespace},
		{metadata, &missingMetadata},
	} {
		names, err := uncovered(ctx, r, part.entries)
		if err != nil {
			return err
		}
		for _, name := range names {
			rep.Add(rule.Finding{Reason: part.missing, Path: "webhooks", Args: rule.Args(name)})
		}
	}
	return nil
}

// uncovered returns the managed namespaces that none of the entries is for.
func uncovered(ctx context.Context, r *rule.Request, entries []mutation) ([]string, error) {
	seen := map[string]bool{metav1.NamespaceSystem: true}
	for i := range entries {
		names, err := entries[i].reached(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			seen[name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(r.ManagedNamespaces()), func(name string) bool { return seen[name] }), nil
}
