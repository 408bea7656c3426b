package tenancy

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

const crossNamespaceID = "cross-namespace-role"

//go:embed cross-namespace-role.md
var crossNamespaceRoleDoc string

const separateRoles = "give every virtual cluster execution roles of its own, in the AWS account of the cluster"

var (
	sharedRole = rule.Reason{
		Name: "shared-role", Severity: rule.Medium, Message: "the execution role %[1]q of %[2]s is in %[3]s too", Remedy: separateRoles,
	}
	roleOfAnotherAccount = rule.Reason{
		Name: "role-of-another-account", Severity: rule.Medium,
		Message: "the execution role %[1]q is of the AWS account %[2]s; the cluster's account is %[3]s", Remedy: separateRoles,
	}
	roleOfUnusualAccount = rule.Reason{
		Name: "role-of-an-unusual-account", Severity: rule.Medium,
		Message: "the execution role %[1]q is of the AWS account %[2]s; the managed accounts of the namespace are of %[3]s", Remedy: separateRoles,
	}
)

// CrossNamespaceRole is the rule cross-namespace-role.
//
// Guide, "Isolate untrusted application code": "Consider isolating execution roles with
// similar permissions into different virtual clusters." A role in two of them joins
// what they separate.
//
// Fields: metadata.name and the annotation eks.amazonaws.com/role-arn of
// ServiceAccounts.
//
// Allowed: a role in one managed namespace, of the cluster's AWS account.
func CrossNamespaceRole() rule.Rule {
	return rule.Rule{
		ID:      crossNamespaceID,
		Title:   "an execution role of several namespaces, or of another AWS account",
		Doc:     crossNamespaceRoleDoc,
		Clauses: []guide.Clause{emr.ClauseUntrustedCode},
		Reasons: []*rule.Reason{&sharedRole, &roleOfAnotherAccount, &roleOfUnusualAccount},
		Reads:   append(rule.ReadsNamespaces(), rule.ReadsAccounts()...),
		Targets: rule.On("serviceaccounts", rule.Create, rule.Update),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode(crossNamespaceID, &struct{}{}); err != nil {
				return nil, err
			}
			return func(ctx context.Context, r *rule.Request, rep *rule.Report) error {
				return checkCrossNamespaceRole(ctx, s, r, rep)
			}, nil
		},
	}
}

// maxNamed is how many namespaces a message names.
const maxNamed = 3

func checkCrossNamespaceRole(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report) error {
	b, ok := ownRole(r.Object)
	if !ok {
		return nil
	}
	namespaces, err := r.Cluster.RoleNamespaces(ctx, b.Role)
	if err != nil {
		return fmt.Errorf("look up the namespaces of the role %s: %w", b.Role, err)
	}
	var others []string
	for _, name := range namespaces {
		if name == r.Namespace || !r.IsManaged(name) {
			continue
		}
		if len(others) == maxNamed {
			others = append(others, "others")
			break
		}
		others = append(others, name)
	}
	if len(others) > 0 {
		rep.Add(rule.Finding{Reason: &sharedRole, Path: b.path, Args: rule.Args(b.String(), r.Namespace, strings.Join(others, ", "))})
	}
	return judgeAWSAccount(ctx, s, r, rep, b)
}

// judgeAWSAccount finds a role of another AWS account.
func judgeAWSAccount(ctx context.Context, s rule.Settings, r *rule.Request, rep *rule.Report, b bearer) error {
	if b.AccountID == "" {
		return nil // a managed name of the older form tells none
	}
	usual, reason := []string{s.Account}, &roleOfAnotherAccount
	if s.Account == "" {
		accounts, err := r.Cluster.ServiceAccounts(ctx, r.Namespace)
		if err != nil {
			return fmt.Errorf("list the ServiceAccounts of %s: %w", r.Namespace, err)
		}
		usual, reason = namedAccounts(accounts, r.Object), &roleOfUnusualAccount
	}
	if len(usual) == 0 || slices.Contains(usual, b.AccountID) {
		return nil
	}
	rep.Add(rule.Finding{Reason: reason, Path: b.path, Args: rule.Args(b.String(), b.AccountID, strings.Join(usual[:min(len(usual), maxNamed)], ", "))})
	return nil
}

// namedAccounts returns the AWS accounts in the managed names of a namespace, but
// for the account that is judged.
func namedAccounts(accounts []rule.ServiceAccount, judged *object.Object) []string {
	var ids []string
	for i := range accounts {
		if accounts[i].Name == judged.Meta.Name {
			continue
		}
		a, _ := emr.ParseAccount(accounts[i].Name)
		if a.AccountID != "" && !slices.Contains(ids, a.AccountID) {
			ids = append(ids, a.AccountID)
		}
	}
	return ids
}
