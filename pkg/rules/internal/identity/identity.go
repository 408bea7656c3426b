// Package identity tells which IAM role a ServiceAccount stands for, by its annotation
// or by its managed name.
package identity

import (
	"fmt"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Identity is which IAM role a service account stands for.
type Identity struct {
	Account rule.ServiceAccount
	Name    emr.Account // what a managed name says; empty otherwise
	Managed bool        // the name is EMR's
	role    emr.RoleARN // of the annotation; zero when there is none or it is malformed
	hasRole bool
}

// Of tells the role of an account. An annotation that is no ARN of a role counts as a
// role, too: it is nobody's.
func Of(sa rule.ServiceAccount) Identity {
	id := Identity{Account: sa}
	id.Name, id.Managed = emr.ParseAccount(sa.Name)
	if arn, err := emr.ParseRoleARN(sa.RoleARN); sa.RoleARN != "" && err == nil {
		id.role, id.hasRole = arn, true
	}
	return id
}

// BearsRole reports whether pods of the account are to act as an IAM role.
func (id Identity) BearsRole() bool { return id.Account.RoleARN != "" || id.Name.HasRole() }

// Is reports whether arn is the role of the account: the annotation's or,
// without an annotation, the one in the managed name.
func (id Identity) Is(arn string) bool {
	if id.Account.RoleARN != "" && arn == id.Account.RoleARN {
		return true
	}
	role, err := emr.ParseRoleARN(arn)
	if err != nil {
		return false
	}
	if id.Account.RoleARN != "" {
		return id.hasRole && id.role.SameRole(role)
	}
	return id.Name.HasRole() && id.Name.Carries(role)
}

// Has names what role the account has, as messages say it: "which has …".
func (id Identity) Has() string {
	switch {
	case id.Account.RoleARN != "":
		return fmt.Sprintf("%q", id.Account.RoleARN)
	case id.Name.HasRole():
		return fmt.Sprintf("a name that stands for the role %q", id.Name.RoleName())
	case id.Managed:
		return "a name that is reserved for EMR"
	}
	return "no role"
}

// ARNs are the ways in which the role of the account may be written. A managed
// name has neither partition nor path, so each partition counts.
func (id Identity) ARNs() []string {
	if id.Account.RoleARN != "" {
		return []string{id.Account.RoleARN}
	}
	var list []string
	if role := id.Name.RoleName(); role != "" && id.Name.AccountID != "" {
		for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
			list = append(list, "arn:"+partition+":iam::"+id.Name.AccountID+":role/"+role)
		}
	}
	return list
}
