package policy

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/scope"
)

// values are the values of the installation that every policy asks for, and further
// ones.
func values(further ...admissionregistrationv1.Variable) []admissionregistrationv1.Variable {
	defaults := config.Default()
	return append([]admissionregistrationv1.Variable{
		variable("administratorUsers", list(defaults.Administrators.Users)),
		variable("administratorGroups", list(defaults.Administrators.Groups)),
		variable("breakGlassGroups", list(defaults.BreakGlass.Groups)),
		variable("exemptions", "[]"),
		variable("jobAccounts", list(defaults.EMR.Principals.JobAccounts)),
		variable("judges", quote(Everybody)),
		variable("namespaces", list(defaults.EMR.Namespaces)),
		variable("operators", list(defaults.EMR.Principals.Operators)),
	}, further...)
}

// requester are the variables that say who asks, and whether the policy is about him.
// A policy that is asked for each managed namespace by its label knows the job accounts
// of that one, too. resource is what the verb `bypass` is for; allowed is who may besides.
func requester(byLabel bool, resource, allowed string) []admissionregistrationv1.Variable {
	variables := []admissionregistrationv1.Variable{
		variable("user", "request.userInfo.?username.orValue(\"\")"),
		variable("groups", "request.userInfo.?groups.orValue([])"),
		variable("name", `(request.operation == "DELETE" ? oldObject : object).metadata.name`),
		variable("act", `request.operation == "CREATE" ? "create" : (request.operation == "DELETE" ? "delete" : "change")`),
		variable("account", `variables.user.startsWith("system:serviceaccount:") ? variables.user.split(":", 4) : []`,
			"The namespace and the name of a service account are its parts 2 and 3."),
		variable("hasJobName", "variables.account.size() == 4 && "+fitsOne("variables.account[3]", "variables.jobAccounts")),
		variable("jobAccount", fmt.Sprintf("variables.account.size() == 4 && !(variables.user in variables.operators) && (\n"+
			"  %s.exists(prefix, variables.account[3].startsWith(prefix)) ||\n"+
			"  variables.account[2] in variables.namespaces && variables.hasJobName)", list(emr.ManagedPrefixes())),
			"Job accounts run code that nobody has read: no list of administrators makes them trustworthy."),
		variable("namedAdministrator", fitsOne("variables.user", "variables.administratorUsers")+" ||\n"+
			"variables.groups.exists(g, g in variables.administratorGroups)"),
	}
	administrator := "variables.namedAdministrator && !variables.jobAccount"
	if byLabel {
		variables = append(variables, variable("jobAccountHere",
			"variables.namedAdministrator && !variables.jobAccount && variables.hasJobName &&\n"+
				"variables.account[2] == params.metadata.name && !(variables.user in variables.operators)",
			"A job account of this namespace that is named as an administrator: the policy by name excuses it."))
		administrator += " && !variables.jobAccountHere"
	}
	variables = append(variables,
		variable("administrator", administrator),
		variable("judged", fmt.Sprintf("variables.judges == %s ||\n", quote(Everybody))+
			fmt.Sprintf("variables.groups.exists(g, g in variables.breakGlassGroups) == (variables.judges == %s)", quote(BreakGlass))),
		variable("exempted", fmt.Sprintf("variables.exemptions.exists(e,\n  %s &&\n  %s)", fits("variables.name", "e.object"), fits("variables.user", "e.user"))),
	)
	excused := "variables.exempted ||\n"
	if allowed != "" {
		variables = append(variables, variable("allowed", allowed))
		excused += "variables.allowed ||\n"
	}
	// A condition of matching would have the API server convert the object once more, for
	// each managed namespace.
	variables = append(variables,
		variable("deletesForOthers", `request.operation == "DELETE" && variables.user in `+list(scope.Deleters()),
			"These controllers delete what somebody else decided to delete."),
		variable("unconcerned", "variables.administrator || !variables.judged || variables.deletesForOthers"))
	return append(variables, variable("excused", excused+
		fmt.Sprintf(`authorizer.group("emrguard.dev").resource(%s).name(variables.name).check("bypass").allowed()`, quote(resource)),
		"Whoever may do everything has the verb bypass, too."))
}
