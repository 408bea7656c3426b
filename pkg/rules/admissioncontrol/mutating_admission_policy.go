package admissioncontrol

import (
	"context"
	_ "embed" // the documentation of the rule
	"errors"
	"fmt"
	"reflect"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
)

//go:embed mutating-admission-policy.md
var mutatingAdmissionPolicyDoc string

// MutatingAdmissionPolicy is the rule mutating-admission-policy.
//
// Guide, "Role-based access control (RBAC) permissions": keep submitters from "changing
// the Kubernetes ServiceAccount name of pods that Amazon EMR on EKS creates, by a
// mutating webhook". A MutatingAdmissionPolicy does the same.
//
// Fields: spec.matchConstraints of MutatingAdmissionPolicies, spec.matchResources
// of MutatingAdmissionPolicyBindings.
//
// Allowed: as for mutating-webhook.
func MutatingAdmissionPolicy() rule.Rule {
	const id = "mutating-admission-policy"
	return rule.Rule{
		ID:        id,
		Title:     "MutatingAdmissionPolicies and bindings that reach managed namespaces",
		Doc:       mutatingAdmissionPolicyDoc,
		Clauses:   []guide.Clause{emr.ClauseRBAC},
		Reasons:   []*rule.Reason{&ForbiddenPolicy, &unboundPolicy, &bindingAtWork, &policyOnReviews},
		Reads:     append(rule.ReadsNamespaces(), rule.Reads(rule.KnownToAudits, mutatingPolicies.String(), mutatingBindings.String())...),
		Requester: true,
		Targets: []rule.Target{
			auditTarget("mutatingadmissionpolicies", rule.Create, rule.Update),
			auditTarget("mutatingadmissionpolicybindings", rule.Create, rule.Update),
		},
		Parameters: []rule.Parameter{
			{Name: "known", Type: "list of patterns", Doc: "names of policies and bindings for which administrators vouch, about which an audit says nothing"},
		},
		New: func(s rule.Settings) (rule.Check, error) {
			var p struct {
				Known []string `json:"known" syntax:"pattern"`
			}
			if err := s.Decode(id, &p); err != nil {
				return nil, err
			}
			known, err := pattern.ParseSet(p.Known)
			if err != nil {
				return nil, rule.ParameterError(id, fmt.Errorf("known%w", err))
			}
			j := policyJudge{settings: s, known: known, reaches: Reaches()}
			return j.check, nil
		},
	}
}

type policyJudge struct {
	settings rule.Settings
	known    pattern.Set
	reaches  []Reach
}

func (j *policyJudge) check(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	if r.Existing() {
		if j.known.Match(r.Object.Meta.Name) {
			return nil
		}
		return j.audit(ctx, r, rep)
	}
	if isPlatformAdministrator(j.settings, r) {
		return nil
	}
	m, path := j.mutationOf(r.Object)
	if path == "" || r.Operation == rule.Update && r.Old != nil && sameSpec(r.Old, r.Object) || !m.mayReach(r, j.settings.Selector != nil) {
		return nil
	}
	rep.Add(rule.Finding{Reason: &ForbiddenPolicy, Path: path, Args: rule.Args(r.Requester.User, act(r), r.Object.GVK.Kind)})
	return nil
}

// mutationOf is what a policy or a binding says of the requests that it is for, and
// the path of the field. The path of any other object is empty.
func (j *policyJudge) mutationOf(o *object.Object) (m mutation, path string) {
	switch x := o.Typed.(type) {
	case *admissionregistrationv1.MutatingAdmissionPolicy:
		// A policy without matchConstraints is invalid, and does nothing.
		m = j.mutation(x.Spec.MatchConstraints)
		m.rules = nonNil(m.rules)
		return m, "spec.matchConstraints"
	case *admissionregistrationv1.MutatingAdmissionPolicyBinding:
		return j.mutation(x.Spec.MatchResources), "spec.matchResources"
	}
	return m, ""
}

// mutation reads a matchConstraints or matchResources. A binding without rules of
// its own is for whatever its policy is for.
func (j *policyJudge) mutation(match *admissionregistrationv1.MatchResources) mutation {
	m := mutation{reaches: j.reaches}
	if match == nil {
		return m
	}
	m.selector = match.NamespaceSelector
	for _, named := range match.ResourceRules {
		m.rules = append(m.rules, named.RuleWithOperations)
	}
	return m
}

func sameSpec(a, b *object.Object) bool {
	switch x := a.Typed.(type) {
	case *admissionregistrationv1.MutatingAdmissionPolicy:
		y, ok := b.Typed.(*admissionregistrationv1.MutatingAdmissionPolicy)
		return ok && reflect.DeepEqual(x.Spec, y.Spec)
	case *admissionregistrationv1.MutatingAdmissionPolicyBinding:
		y, ok := b.Typed.(*admissionregistrationv1.MutatingAdmissionPolicyBinding)
		return ok && reflect.DeepEqual(x.Spec, y.Spec)
	}
	return false
}

// The resources of both kinds.
var (
	mutatingPolicies = schema.GroupResource{Group: admissionregistrationv1.GroupName, Resource: "mutatingadmissionpolicies"}
	mutatingBindings = schema.GroupResource{Group: admissionregistrationv1.GroupName, Resource: "mutatingadmissionpolicybindings"}
)

// audit judges what exists. A policy does nothing without a binding, so the finding
// is the binding's; a policy that is bound nowhere is judged alone, because whoever
// may write bindings brings it to life.
func (j *policyJudge) audit(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	own, path := j.mutationOf(r.Object)
	if path == "" {
		return nil
	}
	if own.touchesReviews() {
		rep.Add(rule.Finding{Reason: &policyOnReviews, Path: path})
		return nil
	}
	namespaces, err := own.reached(ctx, r)
	if err != nil || len(namespaces) == 0 {
		return err
	}
	f := rule.Finding{Path: path}
	switch x := r.Object.Typed.(type) {
	case *admissionregistrationv1.MutatingAdmissionPolicy:
		bound, err := j.isBound(ctx, r, x.Name)
		if err != nil || bound {
			return err
		}
		f.Reason, f.Args = &unboundPolicy, rule.Args(count(namespaces))
	case *admissionregistrationv1.MutatingAdmissionPolicyBinding:
		namespaces, err := j.meeting(ctx, r, x.Spec.PolicyName, namespaces)
		if err != nil || len(namespaces) == 0 {
			return err
		}
		f.Reason, f.Args = &bindingAtWork, rule.Args(count(namespaces), x.Spec.PolicyName)
	}
	rep.Add(f)
	return nil
}

func (j *policyJudge) isBound(ctx context.Context, r *rule.Request, policy string) (bool, error) {
	bindings, err := r.Cluster.Objects(ctx, mutatingBindings, "")
	if errors.Is(err, rule.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list MutatingAdmissionPolicyBindings: %w", err)
	}
	for _, o := range bindings {
		if b, ok := o.Typed.(*admissionregistrationv1.MutatingAdmissionPolicyBinding); ok && b.Spec.PolicyName == policy {
			return true, nil
		}
	}
	return false, nil
}

// meeting returns those of the namespaces that the binding's policy is for as well:
// all of them when it does not exist yet.
func (j *policyJudge) meeting(ctx context.Context, r *rule.Request, policy string, namespaces []string) ([]string, error) {
	o, err := r.Cluster.Object(ctx, mutatingPolicies, "", policy)
	if errors.Is(err, rule.ErrNotFound) {
		return namespaces, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up MutatingAdmissionPolicy %s: %w", policy, err)
	}
	m, path := j.mutationOf(o)
	if path == "" {
		return namespaces, nil
	}
	its, err := m.reached(ctx, r)
	if err != nil {
		return nil, err
	}
	var both []string
	for _, name := range namespaces {
		for _, other := range its {
			if name == other {
				both = append(both, name)
			}
		}
	}
	return both, nil
}
