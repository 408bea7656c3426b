// Package policy builds the chart's ValidatingAdmissionPolicies from the data of the
// rules: they judge what the API server never sends to a webhook. Each policy is a
// file that is complete as it stands, for an installation with default values. The
// first variables of a policy are the values of an installation, which Helm fills
// in; everything below them is the same everywhere.
//
// An expression of a variable that holds patterns or names is plain data, written as
// JSON, which is CEL as well. No value is ever pasted into an expression that does
// something.
package policy

import (
	"fmt"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// Policy is one ValidatingAdmissionPolicy of the chart.
type Policy struct {
	// Name is what the chart completes to the name of the object.
	Name string
	// Rule is the id of the rule that the policy enforces: its mode decides what the
	// policy does.
	Rule string
	// Static is true for the files of an API server, which know no parameters.
	Static bool
	// Values is the number of the first variables that hold values of the installation.
	Values int
	// Spec is the policy, with the default of every value.
	Spec admissionregistrationv1.ValidatingAdmissionPolicySpec
}

// Whom a policy judges, as its variable `judges` says. The action of a binding cannot
// depend on who asks, so what is refused has a second policy for the members of the
// break-glass groups, which warns.
const (
	Everybody  = "everybody"
	Others     = "others"      // all but members of the break-glass groups
	BreakGlass = "break-glass" // those members
)

// All returns the policies of the chart, and then those for the files of an API server.
func All() []Policy {
	chart := []Policy{
		mutatingWebhook(byName), mutatingWebhook(byLabel), definitions(), guardProtection(nil),
	}
	static := []Policy{
		mutatingWebhook(byFile), mutatingPolicy(), mutatingPolicyBinding(), definitions(), guardProtection(chart),
	}
	for i := range static {
		static[i].Static = true
	}
	return append(chart, static...)
}

// Fill returns the spec for an installation: each value takes the place of the first
// variables' defaults by its name, as Helm does it. A value that the policy does not
// ask for is left out. The error says which value JSON cannot hold.
func (p *Policy) Fill(values map[string]any) (*admissionregistrationv1.ValidatingAdmissionPolicySpec, error) {
	spec := p.Spec.DeepCopy()
	for i := range spec.Variables[:p.Values] {
		value, ok := values[spec.Variables[i].Name]
		if !ok {
			continue
		}
		expression, err := literal(value)
		if err != nil {
			return nil, fmt.Errorf("value %s of policy %s: %w", spec.Variables[i].Name, p.Name, err)
		}
		spec.Variables[i].Expression = expression
	}
	return spec, nil
}

// newPolicy puts a policy together from its values and what is made of them.
func newPolicy(name, rule string, values, variables []admissionregistrationv1.Variable, spec admissionregistrationv1.ValidatingAdmissionPolicySpec) Policy {
	fail := admissionregistrationv1.Fail
	spec.FailurePolicy = &fail
	spec.Variables = slices.Concat(values, variables)
	return Policy{Name: name, Rule: rule, Values: len(values), Spec: spec}
}

// matching is for objects of one API group, none of which has a namespace.
func matching(group, version string, resources []string, operations ...admissionregistrationv1.OperationType) *admissionregistrationv1.MatchResources {
	cluster, equivalent := admissionregistrationv1.ClusterScope, admissionregistrationv1.Equivalent
	return &admissionregistrationv1.MatchResources{
		MatchPolicy: &equivalent,
		ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionregistrationv1.RuleWithOperations{
				Operations: operations,
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{group}, APIVersions: []string{version}, Resources: resources, Scope: &cluster,
				},
			},
		}},
	}
}
