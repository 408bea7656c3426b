// Package config is the configuration file of emrguard: its types, defaults and
// validation. It knows no rule; names and parameters of rules are checked where
// the rules are put to work.
package config

import (
	"cmp"
	"encoding/json"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/rule"
)

// The version and kind of the configuration file.
const (
	APIVersion = "config.emrguard.dev/v1alpha1"
	Kind       = "GuardConfiguration"
)

// Guard is the configuration file.
type Guard struct {
	// APIVersion and Kind say what the file is.
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Mode limits what follows from any finding in the whole installation: ""
	// leaves each rule its own, "warn" turns every denial into a warning (the dry
	// run), "audit" only records.
	Mode rule.Action `json:"mode,omitempty"`
	// Profiles say what follows from a finding by its severity, one for each guide.
	Profiles Profiles `json:"profiles,omitzero"`
	// Tenants are namespaces for which the EKS guide has another profile. The first entry
	// that fits wins.
	Tenants []Tenant `json:"tenants,omitempty"`
	// SystemNamespaces are patterns of the namespaces of the cluster itself. The rules of
	// the EKS guide do not judge requests there; audits record what is found.
	SystemNamespaces []string `json:"systemNamespaces,omitempty"`
	// Documentation is the address of the page of a rule, in which "{rule}" stands for its
	// id. Refusals name it. Unset, it is the page of this project; "none" names no page.
	Documentation string `json:"documentation,omitempty"`
	// EMR says which namespaces are EMR's, and who acts there for EMR.
	EMR EMR `json:"emr,omitzero"`
	// Administrators are exempt from the rules that judge the requester, but not from
	// those that judge the object.
	Administrators Subjects `json:"administrators,omitzero"`
	// BreakGlass is for emergencies.
	BreakGlass BreakGlass `json:"breakGlass,omitzero"`
	// TrustedSubjects may hold what the RBAC rules forbid.
	TrustedSubjects []string `json:"trustedSubjects,omitempty"`
	// OwnNamespace is where emrguard itself runs: rbac-guard-namespaces looks at it.
	// Unset, a process takes the one that it runs in, and a command emrguard-system.
	OwnNamespace string `json:"ownNamespace,omitempty"`
	// CredentialProviders that pods of managed namespaces may use: "irsa",
	// "pod-identity".
	CredentialProviders []string `json:"credentialProviders,omitempty"`
	// Rules configures rules by id.
	Rules map[string]Rule `json:"rules,omitempty"`
	// Overrides set modes for some namespaces. The first entry that fits wins.
	Overrides []Override `json:"overrides,omitempty"`
	// Exemptions excuse findings.
	Exemptions []Exemption `json:"exemptions,omitempty"`
}

// defaultDocumentation is where this project explains its rules.
const defaultDocumentation = "https://github.com/emrguard/emrguard/blob/main/docs/rules/{rule}.md"

// PageOf is the address of the page of a rule, empty when there is none.
func (c *Guard) PageOf(rule string) string {
	if c.Documentation == "none" {
		return ""
	}
	return strings.ReplaceAll(cmp.Or(c.Documentation, defaultDocumentation), "{rule}", rule)
}

// Profiles are the profiles of the guides: "strict", "baseline" or "off".
type Profiles struct {
	// EMR is for the rules of the EMR guide; "strict" when unset.
	EMR rule.Profile `json:"emr,omitempty"`
	// EKS is for the rules of the EKS guide; "baseline" when unset.
	EKS rule.Profile `json:"eks,omitempty"`
}

// Tenant gives namespaces a profile.
type Tenant struct {
	// Namespaces are patterns of names.
	Namespaces []string `json:"namespaces,omitempty"`
	// NamespaceSelector adds namespaces by label. Unset or empty selects nothing.
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// Profile of the rules of the EKS guide there.
	Profile rule.Profile `json:"profile"`
}

// EMR says which namespaces are EMR's, and who acts there for EMR.
type EMR struct {
	// Namespaces that are managed, by name.
	Namespaces []string `json:"namespaces,omitempty"`
	// NamespaceSelector adds namespaces by label. Unset or empty selects nothing.
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// Discover adds namespaces with indicators of EMR; true when unset.
	Discover *bool `json:"discover,omitempty"`
	// Principals act for EMR.
	Principals Principals `json:"principals,omitzero"`
	// Account is the AWS account id of the cluster, when known.
	Account string `json:"account,omitempty"`
	// VirtualClusters are the namespaces of virtual clusters by their ids. JobRuns of AWS
	// Controllers for Kubernetes name only the id. An empty namespace means that the
	// virtual cluster belongs to another EKS cluster.
	VirtualClusters map[string]string `json:"virtualClusters,omitempty"`
	// RoleUsers are the execution roles that users and groups may use through custom
	// resources.
	RoleUsers []RoleUser `json:"roleUsers,omitempty"`
}

// Principals act for EMR.
type Principals struct {
	// Users are patterns of Kubernetes user names; EMR's own when unset.
	Users []string `json:"users,omitempty"`
	// Operators are the user names of the Spark and Flink operators and of Livy:
	// `system:serviceaccount:<namespace>:<name>`.
	Operators []string `json:"operators,omitempty"`
	// JobAccounts are patterns of the names of further ServiceAccounts that run jobs in
	// managed namespaces, such as `flink`, `spark-operator-spark`, `emr-kyuubi`. They are
	// trusted as little as EMR's own job accounts.
	JobAccounts []string `json:"jobAccounts,omitempty"`
}

// RoleUser allows users and groups some execution roles.
type RoleUser struct {
	// Users are patterns of user names.
	Users []string `json:"users,omitempty"`
	// Groups by name.
	Groups []string `json:"groups,omitempty"`
	// Roles are patterns of role ARNs.
	Roles []string `json:"roles"`
}

// Subjects are users, as patterns, and groups.
type Subjects struct {
	// Users are patterns of user names.
	Users []string `json:"users,omitempty"`
	// Groups by name.
	Groups []string `json:"groups,omitempty"`
}

// BreakGlass says how people get past emrguard in an emergency.
type BreakGlass struct {
	// Groups for whose members every denial becomes a warning. They may hold any
	// permission, because emrguard refuses their members nothing anyway.
	Groups []string `json:"groups,omitempty"`
	// Users are patterns of the names of users who may be allowed to impersonate the
	// groups.
	Users []string `json:"users,omitempty"`
	// UserGroups are groups whose members may be allowed to impersonate them.
	UserGroups []string `json:"userGroups,omitempty"`
}

// Rule configures one rule.
type Rule struct {
	// Mode of every finding of the rule; "" leaves each its own.
	Mode rule.Action `json:"mode,omitempty"`
	// OnError is what happens when the rule cannot look up what it needs: "deny",
	// "warn" or "audit"; "" follows the rule's mode.
	OnError rule.Action `json:"onError,omitempty"`
	// Reasons configures findings of the rule by their reasons; `emrguard rules <id>` lists
	// them.
	Reasons map[string]Reason `json:"reasons,omitempty"`
	// Params of the rule; `emrguard rules <id>` lists them.
	Params json.RawMessage `json:"params,omitempty"`
}

// Reason configures the findings of one reason.
type Reason struct {
	// Mode of its findings. It wins over the mode of the rule.
	Mode rule.Action `json:"mode"`
}

// Override sets the mode of rules in some namespaces.
type Override struct {
	// Namespaces are patterns.
	Namespaces []string `json:"namespaces"`
	// Rules by id, or findings of one reason by "<rule>/<reason>"; all when empty.
	Rules []string `json:"rules,omitempty"`
	// Mode of their findings. It wins over the modes of rules and reasons.
	Mode rule.Action `json:"mode"`
}

// Exemption excuses the findings of one rule. All that is set has to fit.
type Exemption struct {
	// Rule id; with "<rule>/<reason>" the findings of that reason alone.
	Rule string `json:"rule"`
	// Namespace is a pattern; unset, every namespace fits.
	Namespace string `json:"namespace,omitempty"`
	// Object is a pattern of the object's name.
	Object string `json:"object,omitempty"`
	// Subject is a pattern of the subject that gains something, for findings of the RBAC
	// rules.
	Subject string `json:"subject,omitempty"`
	// User is a pattern of the name of the requester.
	User string `json:"user,omitempty"`
	// Reason of the exemption; required, because somebody will ask.
	Reason string `json:"reason"`
	// Expires is the moment from which the exemption no longer holds.
	Expires *metav1.Time `json:"expires,omitempty"`
}
