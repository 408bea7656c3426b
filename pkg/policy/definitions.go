package policy

import (
	"fmt"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/object"
)

// definitions is the policy for the CustomResourceDefinitions of what emrguard judges:
// their schema, with its defaults, and their conversion decide what an operator reads
// of an object that was judged. A policy needs no process, and with its first condition
// it is asked about no other definition.
func definitions() Policy {
	const rule, resource = "mutating-webhook", "customresourcedefinitions"
	same := []string{"object.spec.versions == oldObject.spec.versions"}
	// cert-manager and operators write the caBundle of a conversion webhook at run time.
	for _, field := range []string{
		"?preserveUnknownFields", "?conversion.?strategy", "?conversion.?webhook.?conversionReviewVersions", "?conversion.?webhook.?clientConfig.?url", "?conversion.?webhook.?clientConfig.?service",
	} {
		same = append(same, fmt.Sprintf("object.spec.%[1]s == oldObject.spec.%[1]s", field))
	}
	spec := admissionregistrationv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: matching("apiextensions.k8s.io", "v1", []string{resource}, admissionregistrationv1.Create, admissionregistrationv1.Update),
		MatchConditions: []admissionregistrationv1.MatchCondition{{
			Name: "judged", Expression: "object.metadata.name in " + list(object.Definitions()),
		}},
		Validations: []admissionregistrationv1.Validation{forbids(rule, "the definition of these custom resources is not to be changed", sentence(
			`[mutating-webhook] spec: "%[1]s" may not %[2]s how %[3]s are defaulted or converted: their operator would read something else than emrguard judged. `+
				"The caBundle of a conversion webhook is free; let an administrator install the definition",
			"variables.user", "variables.act", "variables.name"), "variables.unchanged")},
	}
	variables := append([]admissionregistrationv1.Variable{webhookOwners()}, requester(false, resource,
		fmt.Sprintf(`variables.webhookOwners.exists(o, o.names.exists(n, n.replace("*", "") == "") && %s)`, fitsOne("variables.user", "o.users")))...)
	variables = append(variables, variable("unchanged",
		`request.operation == "CREATE" ? object.spec.?conversion.?strategy.orValue("None") == "None" :`+"\n"+strings.Join(same, " &&\n"),
		"The caBundle of a conversion webhook is written at run time."))
	return newPolicy("custom-resources", rule, values(variable("allowedWebhooks", "[]")), variables, spec)
}
