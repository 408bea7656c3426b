// Package admissioncontrol holds the rules on webhooks and admission policies: who may
// change what others send to the API server, and who may change emrguard's own guard.
package admissioncontrol

import (
	"cmp"
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

//go:embed mutating-webhook.md
var mutatingWebhookDoc string

// MutatingWebhook is the rule mutating-webhook.
//
// Guide, "Role-based access control (RBAC) permissions": keep submitters from "changing
// the Kubernetes ServiceAccount name of pods that Amazon EMR on EKS creates, by a
// mutating webhook".
//
// Fields: webhooks[*].rules and webhooks[*].namespaceSelector of
// MutatingWebhookConfigurations; metadata.name; metadata.ownerReferences.
//
// Allowed: administrators; the users that `allowed` names; whatever provably leaves
// managed namespaces out; changes of caBundles, labels and annotations.
//
// The API server never sends these objects to a webhook: at admission the chart's
// ValidatingAdmissionPolicies enforce what is written here, an audit asks it.
func MutatingWebhook() rule.Rule {
	const id = "mutating-webhook"
	return rule.Rule{
		ID:        id,
		Title:     "mutating webhooks that reach managed namespaces, or EKS's own changed",
		Doc:       mutatingWebhookDoc,
		Clauses:   []guide.Clause{emr.ClauseRBAC},
		Reasons:   []*rule.Reason{&ForbiddenWebhook, &ReservedName, &existingWebhook, &webhookOnReviews},
		Reads:     rule.ReadsNamespaces(),
		Requester: true,
		Targets:   []rule.Target{auditTarget("mutatingwebhookconfigurations", rule.Create, rule.Update, rule.Delete)},
		Parameters: []rule.Parameter{
			{
				Name: "allowed", Type: "list of {name: pattern, users: patterns}",
				Doc: "MutatingWebhookConfigurations by name, and the users who make and change them at run time. A name is reserved for its users and for administrators: nobody else may touch it. " +
					"The name `*` reserves nothing and lets its users make any. EKS's own are always among them: " + strings.Join(emr.EKSWebhooks(), ", ") + ", and `*`, all for `" + emr.EKSUsers + "`",
			},
			{Name: "known", Type: "list of patterns", Doc: "names of MutatingWebhookConfigurations for which administrators vouch, about which an audit says nothing"},
		},
		New: func(s rule.Settings) (rule.Check, error) {
			var p webhookParams
			if err := s.Decode(id, &p); err != nil {
				return nil, err
			}
			p.Allowed = append(p.Allowed, DefaultAllowedWebhooks()...)
			j := webhookJudge{settings: s, reaches: Reaches()}
			for i, a := range p.Allowed {
				name, err := pattern.Parse(a.Name)
				if err != nil {
					return nil, rule.ParameterError(id, fmt.Errorf("allowed[%d].name: %w", i, err))
				}
				if len(a.Users) == 0 {
					return nil, rule.ParameterError(id, fmt.Errorf("allowed[%d].users: name users; patterns are allowed", i))
				}
				users, err := pattern.ParseSet(a.Users)
				if err != nil {
					return nil, rule.ParameterError(id, fmt.Errorf("allowed[%d].users%w", i, err))
				}
				j.allowed = append(j.allowed, owner{
					name: name, users: users, reserves: strings.Trim(a.Name, "*") != "", who: strings.Join(a.Users, ", "),
				})
			}
			var err error
			if j.known, err = pattern.ParseSet(p.Known); err != nil {
				return nil, rule.ParameterError(id, fmt.Errorf("known%w", err))
			}
			return j.check, nil
		},
	}
}

// AllowedWebhook is an entry of the parameter `allowed`.
type AllowedWebhook struct {
	Name  string   `json:"name" syntax:"pattern"`
	Users []string `json:"users" syntax:"pattern"`
}

// DefaultAllowedWebhooks is the parameter `allowed` when nothing is said: what EKS
// itself puts into a cluster, and that EKS may install its add-ons.
func DefaultAllowedWebhooks() []AllowedWebhook {
	var list []AllowedWebhook
	for _, name := range append(emr.EKSWebhooks(), "*") {
		list = append(list, AllowedWebhook{Name: name, Users: []string{emr.EKSUsers}})
	}
	return list
}

type webhookParams struct {
	Allowed []AllowedWebhook `json:"allowed"`
	Known   []string         `json:"known" syntax:"pattern"`
}

// owner is an entry of `allowed`, compiled.
type owner struct {
	name     pattern.Pattern
	users    pattern.Set
	reserves bool
	who      string
}

type webhookJudge struct {
	settings rule.Settings
	allowed  []owner
	known    pattern.Set
	reaches  []Reach
}

// auditTarget is a kind of the API group of admission, which the API server never
// sends to a webhook.
func auditTarget(resource string, operations ...rule.Operation) rule.Target {
	return targets.New(resource+"."+admissionregistrationv1.GroupName, operations...)
}

func (j *webhookJudge) check(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	config, ok := r.Object.Typed.(*admissionregistrationv1.MutatingWebhookConfiguration)
	if !ok {
		return nil
	}
	if r.Existing() {
		return j.audit(ctx, r, config, rep)
	}
	if isPlatformAdministrator(j.settings, r) || j.isAllowed(config.Name, r.Requester.User) {
		return nil
	}
	old, _ := oldOf[admissionregistrationv1.MutatingWebhookConfiguration](r)
	if i := slices.IndexFunc(j.allowed, func(o owner) bool { return o.reserves && o.name.Match(config.Name) }); i >= 0 {
		if old == nil || !sameWebhooks(old.Webhooks, config.Webhooks) || gainsOwner(old.OwnerReferences, config.OwnerReferences) {
			rep.Add(rule.Finding{Reason: &ReservedName, Path: "metadata.name", Args: rule.Args(r.Requester.User, act(r), config.Name, j.allowed[i].who)})
		}
		return nil
	}
	if r.Operation == rule.Delete || old != nil && sameWebhooks(old.Webhooks, config.Webhooks) {
		return nil
	}
	if names := j.reaching(r, config); len(names) > 0 {
		rep.Add(rule.Finding{Reason: &ForbiddenWebhook, Path: "webhooks", Args: rule.Args(r.Requester.User, act(r), strings.Join(names, ", "))})
	}
	return nil
}

// reaching are the names of the webhooks that may reach a managed namespace.
func (j *webhookJudge) reaching(r *rule.Request, config *admissionregistrationv1.MutatingWebhookConfiguration) []string {
	var names []string
	for i := range config.Webhooks {
		m := j.mutation(&config.Webhooks[i])
		if m.mayReach(r, j.settings.Selector != nil) {
			names = append(names, cmp.Or(config.Webhooks[i].Name, fmt.Sprintf("webhooks[%d]", i)))
		}
	}
	return names
}

func (j *webhookJudge) mutation(w *admissionregistrationv1.MutatingWebhook) mutation {
	return mutation{rules: nonNil(w.Rules), selector: w.NamespaceSelector, reaches: j.reaches}
}

// nonNil keeps "no rules" apart from "leaves the rules to somebody else".
func nonNil(list []admissionregistrationv1.RuleWithOperations) []admissionregistrationv1.RuleWithOperations {
	if list == nil {
		return []admissionregistrationv1.RuleWithOperations{}
	}
	return list
}

// audit judges a configuration that exists.
func (j *webhookJudge) audit(ctx context.Context, r *rule.Request, config *admissionregistrationv1.MutatingWebhookConfiguration, rep *rule.Report) error {
	if j.known.Match(config.Name) || slices.ContainsFunc(j.allowed, func(o owner) bool { return o.reserves && o.name.Match(config.Name) }) {
		return nil
	}
	for i := range config.Webhooks {
		m := j.mutation(&config.Webhooks[i])
		if m.touchesReviews() {
			rep.Add(rule.Finding{
				Reason: &webhookOnReviews, Path: fmt.Sprintf("webhooks[%d]", i),
				Args: rule.Args(cmp.Or(config.Webhooks[i].Name, fmt.Sprintf("webhooks[%d]", i))),
			})
			continue
		}
		namespaces, err := m.reached(ctx, r)
		if err != nil {
			return err
		}
		if len(namespaces) > 0 {
			rep.Add(rule.Finding{
				Reason: &existingWebhook, Path: fmt.Sprintf("webhooks[%d]", i),
				Args: rule.Args(config.Webhooks[i].Name, count(namespaces)),
			})
		}
	}
	return nil
}

// count names managed namespaces, the first ones when there are many.
func count(namespaces []string) string {
	const most = 3
	if len(namespaces) == 1 {
		return "the managed namespace " + namespaces[0]
	}
	if len(namespaces) <= most {
		return "the managed namespaces " + strings.Join(namespaces, ", ")
	}
	return fmt.Sprintf("the managed namespaces %s and %d more", strings.Join(namespaces[:most], ", "), len(namespaces)-most)
}

func (j *webhookJudge) isAllowed(name, user string) bool {
	return slices.ContainsFunc(j.allowed, func(o owner) bool { return o.name.Match(name) && o.users.Match(user) })
}
