package policy

import (
	"fmt"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
)

// mutatingWebhook is the policy for MutatingWebhookConfigurations.
func mutatingWebhook(by by) Policy {
	const rule, resource = "mutating-webhook", "mutatingwebhookconfigurations"
	name := rule
	spec := admissionregistrationv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: matching(admissionregistrationv1.GroupName, "v1", []string{resource},
			admissionregistrationv1.Create, admissionregistrationv1.Update, admissionregistrationv1.Delete),
	}
	settings := values(variable("allowedWebhooks", "[]"), variable("byLabel", "false"))
	if by == byLabel {
		name += "-label"
		// Each namespace that emr.namespaceSelector selects is a parameter.
		spec.ParamKind = &admissionregistrationv1.ParamKind{APIVersion: "v1", Kind: "Namespace"}
	}
	variables := append([]admissionregistrationv1.Variable{webhookOwners()}, requester(by == byLabel, resource,
		fmt.Sprintf("variables.webhookOwners.exists(o, %s && %s)", fitsOne("variables.name", "o.names"), fitsOne("variables.user", "o.users")))...)
	variables = append(variables,
		variable("reservedFor", fmt.Sprintf(`variables.webhookOwners.filter(o, o.names.exists(p, p.replace("*", "") != "" && %s)).map(o, o.users.join(", "))`, fits("variables.name", "p")),
			"The name * reserves nothing."),
		webhooksChanged(),
		variable("gainsOwner", `request.operation == "UPDATE" && object.metadata.?ownerReferences.orValue([]).exists(w, !(w in oldObject.metadata.?ownerReferences.orValue([])))`,
			"Whoever deletes an owner, or names one that does not exist, has the garbage collector delete the object."),
		webhooksReaching(by),
	)
	reserved := "variables.reservedFor.size() == 0 || !(variables.changed || variables.gainsOwner)"
	if by == byLabel {
		reserved = "!variables.jobAccountHere || " + reserved
	}
	spec.Validations = []admissionregistrationv1.Validation{
		forbids(rule, "this MutatingWebhookConfiguration is reserved for others", saying(rule, "metadata.name", &admissioncontrol.ReservedName,
			"variables.user", "variables.act", "variables.name", "variables.reservedFor[0]"), reserved),
		forbids(rule, "mutating webhooks must not reach managed namespaces", saying(rule, "webhooks", &admissioncontrol.ForbiddenWebhook,
			"variables.user", "variables.act", `variables.reaching.join(", ")`), "variables.reservedFor.size() > 0 || variables.reaching.size() == 0"),
	}
	return newPolicy(name, rule, settings, variables, spec)
}

// webhookOwners are the entries of the parameter `allowed`, those of EKS at the end.
func webhookOwners() admissionregistrationv1.Variable {
	var owners []string
	for _, a := range admissioncontrol.DefaultAllowedWebhooks() {
		owners = append(owners, fmt.Sprintf(`{"names": [%s], "users": %s}`, quote(a.Name), list(a.Users)))
	}
	return variable("webhookOwners", "variables.allowedWebhooks + [\n  "+strings.Join(owners, ",\n  ")+"]",
		"EKS's own webhooks are always among them.")
}

// webhooksChanged says whether more is changed than caBundles, labels and annotations.
func webhooksChanged() admissionregistrationv1.Variable {
	return variable("changed", `request.operation != "UPDATE" ||
object.?webhooks.orValue([]).size() != oldObject.?webhooks.orValue([]).size() ||
!`+sameWebhooks("reinvocationPolicy"), "More than caBundles, labels and annotations.")
}

// sameWebhooks says whether each webhook is what it was, but for its caBundle.
func sameWebhooks(further ...string) string {
	fields := append([]string{
		"rules", "failurePolicy", "matchPolicy", "namespaceSelector", "objectSelector", "sideEffects", "timeoutSeconds", "admissionReviewVersions", "matchConditions",
	}, further...)
	var b strings.Builder
	b.WriteString("object.?webhooks.orValue([]).all(w, oldObject.?webhooks.orValue([]).exists(o, o.name == w.name &&\n")
	for _, field := range fields {
		fmt.Fprintf(&b, "  o.?%[1]s == w.?%[1]s &&\n", field)
	}
	b.WriteString("  o.clientConfig.?url == w.clientConfig.?url && o.clientConfig.?service == w.clientConfig.?service))")
	return b.String()
}

// webhooksReaching are the names of the webhooks that may reach a managed namespace.
func webhooksReaching(by by) admissionregistrationv1.Variable {
	reviews := touches("w", "rules", true)
	pods := touches("w", "rules", false)
	reaches := fmt.Sprintf("%s ||\n%s && (\n  %s)", reviews, pods, indent(mayReach("w", by)))
	if by == byLabel {
		// This is asked for every namespace that is a parameter, so what is cheap comes first.
		reaches = fmt.Sprintf("(%s ||\n  variables.jobAccountHere && (%s)) &&\n%s ||\nvariables.jobAccountHere && %s",
			indent(selects("w", "params.metadata.name")), indent(mayReach("w", by)), pods, reviews)
	}
	return variable("reaching", `request.operation == "DELETE" || !variables.changed ? [] : object.?webhooks.orValue([]).filter(w, has(w.rules) && (`+
		indent("\n"+reaches)+")).map(w, w.name)")
}
