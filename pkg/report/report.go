// Package report writes what was found in files or in a cluster: as text for
// people, and as JSON, SARIF and JUnit for machines.
package report

import (
	"github.com/emrguard/emrguard/pkg/rule"
)

// Report is what one look at files or at a cluster has found.
type Report struct {
	// Tool is the version of emrguard that looked.
	Tool string
	// Rules are the rules that were asked, in their order, for readers that want
	// to know what a finding means, or what was looked for and not found.
	Rules []rule.Rule
	// Findings, in the order of the objects; those of one object by path.
	Findings []Finding
	// Tally counts the findings in a cluster, those too that a limit kept out of
	// Findings. Nil where nobody counted.
	Tally map[Key]int
	// Dropped counts what a limit kept out of the lists.
	Dropped Dropped
	// Exempted are findings that an exemption of the configuration excuses.
	Exempted []Exempted
	// Problems are parts of the input that could not be judged.
	Problems []Problem
	// Notes say what was not looked at, and what a reader has to know besides.
	Notes []string
	// Judged and Skipped count objects: those that rules read, and those of kinds
	// that no rule reads. Outside counts those judged that are in no managed
	// namespace, where few rules apply.
	Judged, Skipped, Outside int
	// Empty says why nothing was judged; empty when something was.
	Empty string
	// FailOn is the mildest action that fails: Deny when unset, Warn, or Off for
	// none.
	FailOn rule.Action
}

// Finding is one violation in one object.
type Finding struct {
	// Rule is the id of the rule, Reason the name of what it found.
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	// Severity of the reason, whatever follows from it.
	Severity rule.Severity `json:"severity"`
	// Clauses of the guides that are broken, such as "emr/rbac".
	Clauses []string `json:"clauses"`
	// Action is what would follow at admission: deny, warn or audit.
	Action rule.Action `json:"action"`
	// Deferred is true for a denial that does not meet the object itself but the
	// Pods that are made from it.
	Deferred bool   `json:"deferred,omitempty"`
	Object   Object `json:"object"`
	// Path of the field, such as `spec.containers[0].env[2]` or
	// `metadata.annotations[iam.amazonaws.com/role]`; empty for the whole object.
	Path string `json:"path"`
	// Subject who gains something, and Via the path by which, for RBAC.
	Subject string `json:"subject,omitempty"`
	Via     string `json:"via,omitempty"`
	// Message says what is wrong, Remediation how to mend it.
	Message     string `json:"message"`
	Remediation string `json:"remediation"`
	Guide       Guide  `json:"guide"`
	// File and Line (from 1) where the field stands; empty and 0 for a cluster.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Key is by what findings are counted.
type Key struct {
	// Namespace of the object, empty for what has none.
	Namespace string
	// Rule is the id of the rule, Reason the name of what it found.
	Rule, Reason string
	Severity     rule.Severity
	Action       rule.Action
}

// Dropped counts what a limit kept out of a report.
type Dropped struct {
	Findings           map[rule.Action]int
	Exempted, Problems int
}

// Total counts the findings.
func (d Dropped) Total() int {
	n := 0
	for _, some := range d.Findings {
		n += some
	}
	return n
}

// Exempted is a finding that an exemption excuses.
type Exempted struct {
	Finding
	// Exemption is the reason of the exemption.
	Exemption string `json:"exemption"`
}

// Object names the object of a finding.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// String is the object as kubectl would name it, such as "Pod emr-jobs/etl".
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Guide is the clause that a finding breaks.
type Guide struct {
	Section string `json:"section"`
	Address string `json:"address"`
}

// Problem is a part of the input that could not be judged.
type Problem struct {
	// File and Line (from 1) where it stands; empty and 0 for a cluster.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Message says what is wrong, and what to do.
	Message string `json:"message"`
}

// ID names what was found, as exemptions do: "pod-exec/exec".
func (f *Finding) ID() string {
	if f.Reason == "" {
		return f.Rule
	}
	return f.Rule + "/" + f.Reason
}

// Count returns how many findings lead to an action, dropped ones included.
func (r *Report) Count(action rule.Action) int {
	n := r.Dropped.Findings[action]
	for i := range r.Findings {
		if r.Findings[i].Action == action {
			n++
		}
	}
	return n
}

// ExitCode is 2 when a part of the input could not be judged, 1 when something
// would be denied, or with FailOn Warn be warned about, and 0 otherwise.
func (r *Report) ExitCode() int {
	switch {
	case len(r.Problems) > 0:
		return 2
	case r.FailOn == rule.Off:
		return 0
	case r.Count(rule.Deny) > 0, r.FailOn == rule.Warn && r.Count(rule.Warn) > 0:
		return 1
	}
	return 0
}
