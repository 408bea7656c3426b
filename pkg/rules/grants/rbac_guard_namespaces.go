package grants

import (
	_ "embed" // the documentation of the rule

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

//go:embed rbac-guard-namespaces.md
var guardNamespacesDoc string

// GuardNamespaces is the rule rbac-guard-namespaces.
//
// Guide, "Role-based access control (RBAC) permissions": "Administrators have to
// control role-based access control strictly in a managed namespace." A holder of power
// over emrguard, or over the map by which EKS recognises administrators, gets around
// that.
//
// Fields: as of the other rules on RBAC, for what is granted in kube-system and in
// emrguard's own namespace.
//
// Allowed: what Kubernetes, EKS, administrators and trusted subjects hold, and the
// accounts of these namespaces in their own.
func GuardNamespaces() rule.Rule {
	r := rbacRule(capability.GuardNamespaces, "somebody gains power over kube-system or emrguard's own namespace",
		guardNamespacesDoc,
		[]*rule.Reason{&heldPermission, &gainedPermission, &platformAccount, &gainingPlatformAccount},
		rule.Parameter{Name: "namespaces", Type: "list of names", Doc: "Namespaces of emrguard itself; the one in which it runs, or `emrguard-system`, when unset."})
	r.Everywhere = true
	for i := range r.Targets {
		// The chart leaves the namespaces out.
		r.Targets[i].Audit = !r.Targets[i].Cluster
	}
	return r
}

// guardParameters are the parameters of rbac-guard-namespaces.
type guardParameters struct {
	Namespaces []string `json:"namespaces"`
}

// defaultOwnNamespace is where the documentation installs emrguard.
const defaultOwnNamespace = "emrguard-system"

// ownNamespaces are emrguard's own.
func ownNamespaces(s rule.Settings) ([]string, error) {
	var p guardParameters
	if err := s.Decode(capability.GuardNamespaces, &p); err != nil {
		return nil, err
	}
	switch {
	case len(p.Namespaces) > 0:
		return p.Namespaces, nil
	case s.OwnNamespace != "":
		return []string{s.OwnNamespace}, nil
	}
	return []string{defaultOwnNamespace}, nil
}
