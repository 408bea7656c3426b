package cluster

import (
	"slices"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

// roleIndex finds the namespaces in which accounts of a role are, without reading
// every account of the cluster: EMR makes accounts when a job is submitted, and
// whoever submitted it waits.
type roleIndex map[string]map[roleAt]int // by role name: how many accounts

type roleAt struct{ account, namespace string }

func (x *roleIndex) add(sa rule.ServiceAccount) {
	role := sa.Role
	if role.Name == "" {
		return
	}
	if *x == nil {
		*x = roleIndex{}
	}
	if (*x)[role.Name] == nil {
		(*x)[role.Name] = map[roleAt]int{}
	}
	(*x)[role.Name][roleAt{role.AccountID, sa.Namespace}]++
}

// remove takes an account out that was added; the zero account is none.
func (x *roleIndex) remove(sa rule.ServiceAccount) {
	role := sa.Role
	if role.Name == "" {
		return
	}
	at, places := roleAt{role.AccountID, sa.Namespace}, (*x)[role.Name]
	if places[at]--; places[at] > 0 {
		return
	}
	delete(places, at)
	if len(places) == 0 {
		delete(*x, role.Name)
	}
}

// namespaces returns the namespaces of a role, sorted.
func (x *roleIndex) namespaces(role emr.Role) []string {
	var list []string
	for at := range (*x)[role.Name] {
		if role.Same(emr.Role{AccountID: at.account, Name: role.Name}) {
			list = append(list, at.namespace)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
