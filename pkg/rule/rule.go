// Package rule defines what a rule is: the request that it reads, the cluster
// that it may ask, and the findings that it returns. Rules say what is wrong,
// where, and how to mend it; what then happens is decided elsewhere.
package rule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time" //nolint:depguard // the type of the clock that rules are given; they have none of their own

	"k8s.io/apimachinery/pkg/labels"
	strictjson "sigs.k8s.io/json"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/pattern"
)

// Action is what follows from a finding.
type Action string

// The actions, from the gravest to the mildest.
const (
	Deny  Action = "deny"  // the request is refused
	Warn  Action = "warn"  // it passes, and whoever asked is warned
	Audit Action = "audit" // it passes, and the audit log has the finding
	Off   Action = "off"   // nothing; the rule is not even asked
)

// UnmarshalJSON reads an action, the bare word off too.
func (a *Action) UnmarshalJSON(raw []byte) error { return readWord(a, raw, Deny, Warn, Audit, Off) }

// readWord reads a word of which one is off. `false` is off: so YAML 1.1 reads it when it
// stands without quotes. Whether the word is one of those that are allowed is for the
// validation to say, which knows the field; words are for the message.
func readWord[T ~string](into *T, raw []byte, words ...T) error {
	switch string(raw) {
	case "null":
		return nil
	case "false":
		*into = T(Off)
		return nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		list := make([]string, len(words))
		for i, word := range words {
			list[i] = string(word)
		}
		return fmt.Errorf("%s is none of %s", raw, strings.Join(list, ", "))
	}
	*into = T(s)
	return nil
}

// Cap returns the milder of a and limit.
func (a Action) Cap(limit Action) Action {
	if a.gravity() > limit.gravity() {
		return limit
	}
	return a
}

func (a Action) gravity() int {
	switch a {
	case Deny:
		return 3
	case Warn:
		return 2
	case Audit:
		return 1
	case Off:
	}
	return 0
}

// Operation of an admission request.
type Operation string

// The operations, as in `admission.k8s.io/v1`.
const (
	Create  Operation = "CREATE"
	Update  Operation = "UPDATE"
	Delete  Operation = "DELETE"
	Connect Operation = "CONNECT"
)

// Rule is one rule: what it is, what it reads, and how to make its check.
type Rule struct {
	// ID is the stable name of the rule, in lower case with dashes.
	ID string
	// Title says in one line what the rule finds.
	Title string
	// Doc explains the rule to who has to live with it: what it finds and why
	// that is dangerous. Markdown.
	Doc string
	// Clauses of the guides that the rule enforces. The first is of the guide by whose
	// profile the rule acts.
	Clauses []guide.Clause
	// Reasons are everything that the rule can find. When it cannot judge, that counts as
	// the first.
	Reasons []*Reason
	// Reads are the kinds that the rule looks up beside the object that it judges.
	Reads []Read
	// Retired are parameters that older versions had, with the field of the configuration
	// that took their place.
	Retired map[string]string
	// Everywhere is true for a rule that applies outside managed namespaces too.
	Everywhere bool
	// Requester is true for a rule that judges who asks. It is enforced on
	// objects from which Pods are made later as well: nobody can tell afterwards
	// whose idea a Pod was.
	Requester bool
	// NeedsOld is true for a rule that compares an object with its update itself.
	// Rules that judge the requester do.
	NeedsOld bool
	// Targets are the requests that the rule reads.
	Targets []Target
	// Parameters documents the parameters, name by name.
	Parameters []Parameter
	// New makes the check from the settings. Its error is a ParameterError.
	New func(Settings) (Check, error)
}

// Severity is that of the rule's gravest reason.
func (r *Rule) Severity() Severity {
	var gravest Severity
	for _, reason := range r.Reasons {
		if reason.Severity.Gravity() > gravest.Gravity() {
			gravest = reason.Severity
		}
	}
	return gravest
}

// OptIn reports whether only a mode of the configuration has the rule asked.
func (r *Rule) OptIn() bool {
	return !slices.ContainsFunc(r.Reasons, func(reason *Reason) bool { return !reason.OptIn })
}

// Action is what follows under a profile from findings of the rule's first reason, which
// is its main one.
func (r *Rule) Action(p Profile) Action {
	main := r.Reasons[0]
	if main.OptIn {
		return Off
	}
	return p.Action(main.Severity)
}

// ClauseIDs are the clauses that the rule enforces, such as "emr/rbac".
func (r *Rule) ClauseIDs() []string {
	ids := make([]string, len(r.Clauses))
	for i, c := range r.Clauses {
		ids[i] = c.String()
	}
	return ids
}

// Parameter documents one parameter of a rule.
type Parameter struct {
	Name, Type, Doc string
}

// Check judges a request as it stands and reports what it finds. An error means
// that it could not judge, never that it found something.
type Check func(context.Context, *Request, *Report) error

// Settings is what the configuration says to rules.
type Settings struct {
	// IRSA and PodIdentity are the credential providers that pods may use.
	IRSA, PodIdentity bool
	// RoleUsers says who may use which execution roles through custom resources.
	RoleUsers []RoleUser
	// VirtualClusters are the namespaces of virtual clusters by their ids, "" for one
	// of another EKS cluster.
	VirtualClusters map[string]string
	// Account is the AWS account id of the cluster, empty when it is not known.
	Account string
	// EMRUsers are the users as which EMR acts, Operators the accounts of its
	// operators by their user names.
	EMRUsers  pattern.Set
	Operators []string
	// JobAccounts tells which ServiceAccounts of managed namespaces do a job's work.
	JobAccounts emr.JobAccounts
	// Administrators and AdminGroups are the configured administrators.
	Administrators pattern.Set
	AdminGroups    []string
	// BreakGlass are the groups whose members are past every denial, and BreakGlassUsers
	// and BreakGlassUserGroups who may be let impersonate them.
	BreakGlass           []string
	BreakGlassUsers      pattern.Set
	BreakGlassUserGroups []string
	// Trusted are further subjects that may hold what the rules on RBAC forbid.
	Trusted pattern.Set
	// OwnNamespace is the one in which emrguard runs, empty when it is not known.
	OwnNamespace string
	// Namespaces are in scope by name.
	Namespaces []string
	// Selector puts namespaces in scope by label; nil when none is configured.
	Selector labels.Selector
	// Now is the clock of the engine, for rules about age.
	Now func() time.Time
	// Params holds the parameters of each rule, as JSON.
	Params map[string]json.RawMessage
	// Shared is for [Share]; nil when every rule is made by itself.
	Shared *Shared
	// Decoding is told of every struct into which parameters are decoded, by the id of
	// their rule; nil when nobody wants to know.
	Decoding func(id string, into any)
}

// RoleUser allows users and groups some execution roles.
type RoleUser struct {
	Users  pattern.Set
	Groups []string
	// Roles are patterns of role ARNs.
	Roles pattern.Set
}

// MayUse reports whether some entry allows the requester one of the ways in which
// a role is written.
func (s Settings) MayUse(r Requester, arns ...string) bool {
	return slices.ContainsFunc(s.RoleUsers, func(u RoleUser) bool {
		return u.has(r) && slices.ContainsFunc(arns, u.Roles.Match)
	})
}

func (u RoleUser) has(r Requester) bool {
	return u.Users.Match(r.User) || slices.ContainsFunc(u.Groups, func(g string) bool { return slices.Contains(r.Groups, g) })
}

// Decode reads the parameters of a rule into a struct with JSON tags. An
// unknown name is an error. The schema of the parameters is made from the struct,
// whose further tags say what package schema reads: syntax, min, max, minItems.
func (s Settings) Decode(id string, into any) error {
	if s.Decoding != nil {
		s.Decoding(id, into)
	}
	raw := s.Params[id]
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	strict, err := strictjson.UnmarshalStrict(raw, into)
	if err := errors.Join(append(strict, err)...); err != nil {
		return ParameterError(id, err)
	}
	return nil
}

// ParameterError says that a parameter of a rule is wrong, with the path of the
// parameters in the configuration.
func ParameterError(id string, err error) error { return fmt.Errorf("rules[%s].params: %w", id, err) }
