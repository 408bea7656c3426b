// Package tenancy holds the rules that keep teams and their namespaces apart.
package tenancy

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"
	"strconv"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
)

const isolationID = "execution-role-isolation"

// defaultMaxRoles is how many execution roles may share a namespace without
// configuration.
const defaultMaxRoles = 3

//go:embed execution-role-isolation.md
var executionRoleIsolationDoc string

var (
	manyRoles = rule.Reason{
		Name: "many-roles", Severity: rule.Medium,
		Message: "with the execution role %[1]q the namespace %[2]s holds %[3]s roles, more than %[4]s: code of one may try for all of them",
		Remedy:  "use a virtual cluster, and namespace, of its own for roles of other privilege, or have the platform team allow the role by rules[execution-role-isolation].params",
	}
	roleNotAllowed = rule.Reason{
		Name: "role-not-allowed", Severity: rule.High, Message: "the namespace %[1]s may not hold the execution role %[2]q",
		Remedy: "submit the job to the virtual cluster that is for this role or with a role that is for this one, " +
			"or have the platform team add the role to rules[execution-role-isolation].params.namespaces",
	}
	roleOfAnotherGroup = rule.Reason{
		Name: "role-of-another-group", Severity: rule.High,
		Message: "the execution role %[1]q is of %[2]s, and the namespace %[3]s holds %[4]q, which is of %[5]s",
		Remedy:  "submit the job to a virtual cluster of its own group, or have the platform team correct rules[execution-role-isolation].params.groups",
	}
)

// ExecutionRoleIsolation is the rule execution-role-isolation.
//
// Guide, "Isolate untrusted application code": with several execution roles in one
// virtual cluster "there is a risk that a malicious application escalates its
// permissions. Consider isolating execution roles with similar permissions into
// different virtual clusters."
//
// Fields: metadata.name and the annotation eks.amazonaws.com/role-arn of
// ServiceAccounts, spec.executionRoleArn of FlinkDeployments and
// spec.executionRoleARN of JobRuns, the accounts of Pods, workloads and custom
// resources.
//
// Allowed: with the parameters, the roles that a namespace may hold, and roles of
// one group; without them, three roles.
func ExecutionRoleIsolation() rule.Rule {
	return rule.Rule{
		ID:      isolationID,
		Title:   "execution roles of different privilege in one namespace",
		Doc:     executionRoleIsolationDoc,
		Clauses: []guide.Clause{emr.ClauseUntrustedCode},
		Reasons: []*rule.Reason{&manyRoles, &roleNotAllowed, &roleOfAnotherGroup},
		Reads:   rule.ReadsAccounts(),
		Targets: slices.Concat(
			[]rule.Target{
				targets.New("serviceaccounts", rule.Create, rule.Update),
				targets.New("pods", rule.Create),
			},
			targets.Workloads(), targets.CustomResources(),
		),
		Parameters: []rule.Parameter{
			{
				Name: "namespaces", Type: "list of {namespaces: [patterns], roles: [ARN patterns]}",
				Doc: "Which roles some namespaces may hold; a namespace in several entries may hold the roles of all of them. Anything else is refused there. `*` in an ARN stops at `:` and `/`.",
			},
			{
				Name: "groups", Type: "list of {name, roles: [ARN patterns]}",
				Doc: "Roles of similar privilege. A role that would stand beside one of another group is refused.",
			},
			{Name: "maxRoles", Type: "number", Doc: "How many roles that nothing else is said of may share a namespace; 3 when absent."},
		},
		New: newRoleIsolation,
	}
}

// bearer is a role, and the field by which an object has it.
type bearer struct {
	emr.Role
	path string
}

func (c *isolation) check(ctx context.Context, r *rule.Request, rep *rule.Report) error {
	allowed, listed := c.allowedIn(r.Namespace)
	if listed {
		if err := c.judgeAccounts(ctx, r, rep, allowed); err != nil {
			return err
		}
	}
	b, ok := ownRole(r.Object)
	if !ok {
		return nil
	}
	if listed && !c.matches(allowed, b.Role) {
		rep.Add(notAllowed(r, b))
		return nil
	}
	there, err := c.rolesThere(ctx, r)
	if err != nil || slices.ContainsFunc(there, b.Same) {
		return err
	}
	c.judgeGroups(r, rep, b, there)
	if !listed {
		c.judgeCount(r, rep, b, there)
	}
	return nil
}

// ownRole returns the role that an object brings into its namespace: that of a
// ServiceAccount, or the one that a custom resource names itself.
func ownRole(o *object.Object) (bearer, bool) {
	if job := o.Job; job != nil && job.ExecutionRole != "" {
		role, ok := emr.RoleOfARN(job.ExecutionRole)
		return bearer{role, job.ExecutionRolePath}, ok
	}
	if o.GVK.Kind != "ServiceAccount" {
		return bearer{}, false
	}
	role, ok := emr.RoleOf(o.Meta.Name, o.Meta.Annotations[emr.AnnotationRoleARN])
	path := "metadata.name"
	if role.ARN != "" {
		path = fieldpath.Key("metadata.annotations", emr.AnnotationRoleARN)
	}
	return bearer{role, path}, ok
}

// allowedIn returns the roles that the namespace may hold, and whether anything is
// said of it at all.
func (c *isolation) allowedIn(namespace string) (roles []emr.RolePattern, listed bool) {
	for i := range c.namespaces {
		if c.namespaces[i].namespaces.Match(namespace) {
			roles, listed = append(roles, c.namespaces[i].roles...), true
		}
	}
	return roles, listed
}

func (c *isolation) matches(patterns []emr.RolePattern, role emr.Role) bool {
	return slices.ContainsFunc(patterns, func(p emr.RolePattern) bool { return p.Match(role, c.cluster) })
}

// judgeAccounts judges the accounts of the pods that an object describes.
func (c *isolation) judgeAccounts(ctx context.Context, r *rule.Request, rep *rule.Report, allowed []emr.RolePattern) error {
	seen := map[string]bool{}
	for _, a := range slices.Concat(r.Object.NamedAccounts(), r.Object.Accounts()) {
		if seen[a.Name] {
			continue
		}
		seen[a.Name] = true
		sa, _, err := r.AccountNamed(ctx, a.Name)
		if err != nil {
			return err
		}
		if sa.Role.Name != "" && !c.matches(allowed, sa.Role) {
			rep.Add(notAllowed(r, bearer{sa.Role, a.Path}))
		}
	}
	return nil
}

func notAllowed(r *rule.Request, b bearer) rule.Finding {
	return rule.Finding{Reason: &roleNotAllowed, Path: b.path, Args: rule.Args(r.Namespace, b.String())}
}

// rolesThere returns the roles of the namespace's accounts, each once, without the
// account that is judged. When nobody asks, all accounts are there already, and
// each role is told of at its first account, by name.
func (c *isolation) rolesThere(ctx context.Context, r *rule.Request) ([]emr.Role, error) {
	accounts, err := r.Cluster.ServiceAccounts(ctx, r.Namespace)
	if err != nil {
		return nil, fmt.Errorf("list the ServiceAccounts of %s: %w", r.Namespace, err)
	}
	var list []emr.Role
	seen := map[string][]emr.Role{} // by name: a namespace may have thousands of accounts
	own, isAccount := emr.Role{}, r.Object.GVK.Kind == "ServiceAccount"
	if b, ok := ownRole(r.Object); ok && isAccount && r.Existing() {
		own = b.Role
	}
	for i := range accounts {
		name := accounts[i].Name
		if isAccount && name == r.Object.Meta.Name {
			continue
		}
		role := accounts[i].Role
		if role.Name == "" || own.Name != "" && own.Same(role) && name > r.Object.Meta.Name || slices.ContainsFunc(seen[role.Name], role.Same) {
			continue
		}
		seen[role.Name] = append(seen[role.Name], role)
		list = append(list, role)
	}
	return list, nil
}

// judgeGroups finds a role beside one of another group.
func (c *isolation) judgeGroups(r *rule.Request, rep *rule.Report, b bearer, there []emr.Role) {
	if len(c.groups) == 0 {
		return
	}
	mine := c.groupsOf(b.Role)
	for _, other := range there {
		theirs := c.groupsOf(other)
		if len(mine)+len(theirs) == 0 || slices.ContainsFunc(mine, func(i int) bool { return slices.Contains(theirs, i) }) {
			continue
		}
		rep.Add(rule.Finding{Reason: &roleOfAnotherGroup, Path: b.path, Args: rule.Args(b.String(), c.groupName(mine), r.Namespace, other.String(), c.groupName(theirs))})
		return
	}
}

func (c *isolation) groupsOf(role emr.Role) []int {
	var list []int
	for i := range c.groups {
		if c.matches(c.groups[i].roles, role) {
			list = append(list, i)
		}
	}
	return list
}

func (c *isolation) groupName(groups []int) string {
	if len(groups) == 0 {
		return "no group"
	}
	return fmt.Sprintf("the group %q", c.groups[groups[0]].name)
}

// judgeCount finds one role too many.
func (c *isolation) judgeCount(r *rule.Request, rep *rule.Report, b bearer, there []emr.Role) {
	if len(c.groupsOf(b.Role)) > 0 {
		return
	}
	if n := len(there) + 1; n > c.maxRoles {
		rep.Add(rule.Finding{Reason: &manyRoles, Path: b.path, Args: rule.Args(b.String(), r.Namespace, strconv.Itoa(n), strconv.Itoa(c.maxRoles))})
	}
}
