package policy

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
)

// mutatingPolicy is the static policy for MutatingAdmissionPolicies, and
// mutatingPolicyBinding the one for their bindings: the API server shows them to
// nothing else.
func mutatingPolicy() Policy {
	return mutatingPolicyOf("mutating-admission-policy", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", "matchConstraints", "false")
}

func mutatingPolicyBinding() Policy {
	// A binding without rules is for whatever its policy is for.
	return mutatingPolicyOf("mutating-admission-policy-binding", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", "matchResources", "true")
}

func mutatingPolicyOf(name, kind, resource, field, withoutRules string) Policy {
	const rule = "mutating-admission-policy"
	match := "object.spec." + field
	spec := admissionregistrationv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: matching(admissionregistrationv1.GroupName, "*", []string{resource}, admissionregistrationv1.Create, admissionregistrationv1.Update),
		MatchConditions: []admissionregistrationv1.MatchCondition{{
			Name: "changed", Expression: `request.operation != "UPDATE" || object.spec != oldObject.spec`,
		}},
		Validations: []admissionregistrationv1.Validation{forbids(rule, "it must not reach managed namespaces", saying(rule, "spec."+field, &admissioncontrol.ForbiddenPolicy,
			"variables.user", "variables.act", quote(kind)), "!variables.reaches")},
	}
	reaches := variable("reaches", fmt.Sprintf("!has(%[1]s) || (has(%[1]s.resourceRules) &&\n  %[2]s) ||\n(!has(%[1]s.resourceRules) ? %[3]s :\n  %[4]s) && (\n  %[5]s)",
		match, indent(touches(match, "resourceRules", true)), withoutRules, indent(touches(match, "resourceRules", false)), indent(mayReach(match, byFile))))
	return newPolicy(name, rule, values(variable("byLabel", "false")), append(requester(false, resource, ""), reaches), spec)
}
