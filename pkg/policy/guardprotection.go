package policy

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
)

// guardProtection is the policy that guards emrguard's own configuration and, in a
// file, the policies of the chart and their bindings.
func guardProtection(chart []Policy) Policy {
	const rule, resource = "guard-protection", "validatingwebhookconfigurations"
	resources, own := []string{resource}, "variables.name == variables.fullname"
	if chart != nil {
		resources = append(resources, "validatingadmissionpolicies", "validatingadmissionpolicybindings")
		var suffixes []string
		for i := range chart {
			suffixes = append(suffixes, "-"+chart[i].Name, "-"+chart[i].Name+"-"+BreakGlass)
		}
		own = fmt.Sprintf("request.kind.kind == \"ValidatingWebhookConfiguration\" ? %s :\n%s.exists(suffix, variables.name == variables.fullname + suffix)", own, list(suffixes))
	}
	spec := admissionregistrationv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: matching(admissionregistrationv1.GroupName, "*", resources, admissionregistrationv1.Update, admissionregistrationv1.Delete),
		Validations: []admissionregistrationv1.Validation{forbids(rule, "emrguard's own objects are not to be changed", saying(rule, "metadata.name", &admissioncontrol.ForbiddenChange,
			"variables.user", "variables.act", "variables.name"), "!variables.own || variables.writesCA")},
	}
	settings := values(
		variable("caBundleWriters", list(admissioncontrol.DefaultCABundleWriters())),
		variable("fullname", quote("emrguard")),
		variable("serviceAccount", quote("system:serviceaccount:emrguard-system:emrguard")),
	)
	variables := append(requester(false, resource, ""),
		variable("own", own, "Not by resourceNames: the deletion of a whole collection has no name."),
		variable("writesCA", `request.operation == "UPDATE" && request.kind.kind == "ValidatingWebhookConfiguration" &&
(variables.user == variables.serviceAccount || `+fitsOne("variables.user", "variables.caBundleWriters")+`) &&
object.metadata.?annotations == oldObject.metadata.?annotations &&
!object.metadata.?ownerReferences.orValue([]).exists(w, !(w in oldObject.metadata.?ownerReferences.orValue([]))) &&
object.?webhooks.orValue([]).size() == oldObject.?webhooks.orValue([]).size() &&
`+sameWebhooks(), "The CA of the certificate is written at run time; nothing else may change with it."))
	return newPolicy(rule, rule, settings, variables, spec)
}
