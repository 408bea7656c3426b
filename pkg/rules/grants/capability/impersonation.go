package capability

import (
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// Impersonation as kube-apiserver authorizes it (k8s.io/apiserver,
// pkg/endpoints/filters/impersonation, 1.36).
//
// The old verb `impersonate` is asked for users and groups of the core group, for
// uids and userextras of authentication.k8s.io, and for the ServiceAccount in its
// namespace. Whoever has it may do anything that the other may.
//
// Constrained impersonation (KEP-5284, on since 1.36) asks twice: for
// `impersonate:<mode>` on who is impersonated, always in authentication.k8s.io, and
// for `impersonate-on:<mode>:<verb>` on what is then done. One without the other
// gives nothing, but the two can be granted apart, by different people, and who is
// impersonated may be an account of another namespace. So each counts.

// impersonationModes are the modes of constrained impersonation.
func impersonationModes() []string {
	return []string{"user-info", "serviceaccount", "arbitrary-node", "associated-node"}
}

// impersonation is who may be impersonated.
func impersonation() []rbac.Target {
	const group = "authentication.k8s.io"
	old := verbs("impersonate")
	associated := in(group, rbac.Cluster, verbs("impersonate:associated-node"), "nodes")
	associated.Names = []string{"*"} // as it is asked for: the node's own name is not
	return []rbac.Target{
		in("", rbac.Namespaced, old, "serviceaccounts"),
		in("", rbac.Cluster, old, "users", "groups"),
		in(group, rbac.Cluster, old, "uids", "userextras/*"),
		in(group, rbac.Cluster, verbs("impersonate:user-info"), "users", "groups", "uids", "userextras/*"),
		in(group, rbac.Namespaced, verbs("impersonate:serviceaccount"), "serviceaccounts"),
		in(group, rbac.Cluster, verbs("impersonate:arbitrary-node"), "nodes"),
		associated,
	}
}

// requestVerbs are the verbs of requests. Others (bind, approve, impersonate) are
// asked for besides, about whoever is impersonated by then.
func requestVerbs() []string {
	return []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
}

// asSomebodyElse is what does the same as the targets in the name of somebody who is
// impersonated.
func asSomebodyElse(targets []rbac.Target) []rbac.Target {
	var list []rbac.Target
	for _, t := range targets {
		var on []string
		for _, mode := range impersonationModes() {
			for _, verb := range t.Verbs {
				if slices.Contains(requestVerbs(), verb) {
					on = append(on, impersonateOn+mode+":"+verb)
				}
			}
		}
		if len(on) > 0 {
			t.Verbs = on
			list = append(list, t)
		}
	}
	return list
}

const impersonateOn = "impersonate-on:"

// Spoken returns permissions as people read them. A holder of a verb gains nothing from
// holding it by impersonation as well, and names with the same permission share one list.
func Spoken(list []rbac.Permission) []rbac.Permission {
	var out []rbac.Permission
	for _, p := range list {
		p.Verbs = ownVerbs(p.Verbs)
		if n := len(out); n > 0 && len(p.Names) > 0 && len(out[n-1].Names) > 0 &&
			out[n-1].APIGroup == p.APIGroup && out[n-1].Resource == p.Resource && slices.Equal(out[n-1].Verbs, p.Verbs) {
			out[n-1].Names = slices.Concat(out[n-1].Names, p.Names)
			continue
		}
		out = append(out, p)
	}
	return out
}

// ownVerbs leaves out those in the name of somebody else that are held anyway.
func ownVerbs(verbs []string) []string {
	var out []string
	for _, verb := range verbs {
		rest, isOn := strings.CutPrefix(verb, impersonateOn)
		if _, on, _ := strings.Cut(rest, ":"); !isOn || !slices.Contains(verbs, on) {
			out = append(out, verb)
		}
	}
	return out
}
