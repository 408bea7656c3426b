// Package wording names requesters, roles and lists in messages, the same way in all
// rules.
package wording

import (
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Requester names who asks.
func Requester(r rule.Requester) string {
	switch r.Class {
	case rule.JobAccount:
		return fmt.Sprintf("job account %q", r.User)
	case rule.Controller: // for something that it does not control
		return fmt.Sprintf("controller %q", r.User)
	case rule.Submitter, rule.EMRService, rule.Administrator, rule.Nobody:
	}
	return fmt.Sprintf("submitter %q", r.User)
}

// RoleOf names the role that a managed name of a ServiceAccount encodes.
func RoleOf(a emr.Account) string {
	role := a.RoleName()
	if role == "" || !emr.IsRoleName(role) {
		return fmt.Sprintf("with the suffix %q, which is no role name", a.Suffix)
	}
	if a.AccountID == "" {
		return fmt.Sprintf("%q", role)
	}
	return fmt.Sprintf("%q of account %s", role, a.AccountID)
}

// MaxListed bounds the lists in a message: who binds cluster-admin gains all there
// is in all namespaces.
const MaxListed = 6

// List names the first of a list and counts the rest.
func List(list []string) string {
	if len(list) <= MaxListed {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:MaxListed], ", "), len(list)-MaxListed)
}
