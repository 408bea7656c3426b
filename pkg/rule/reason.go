package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Severity says how grave a finding is, whatever an installation makes of it.
type Severity string

// The severities.
const (
	Critical Severity = "critical" // credentials or rights of others are taken at once
	High     Severity = "high"     // a control that protects them is missing
	Medium   Severity = "medium"   // it takes something else as well, or is surely a mistake
	Low      Severity = "low"      // worth knowing
)

// Severities lists all of them, the gravest first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// Gravity orders severities: the gravest has the highest number, an unknown one 0.
func (s Severity) Gravity() int {
	i := slices.Index(Severities(), s)
	if i < 0 {
		return 0
	}
	return len(Severities()) - i
}

// Reason is what findings of a rule are instances of. Findings are counted, exempted,
// given a mode and mapped to the controls of a framework by it.
type Reason struct {
	// Name is stable and unique within the rule, in lower case with dashes.
	Name string
	// Severity of its findings.
	Severity Severity
	// Message says what is wrong: a format of package fmt, whose verbs take the arguments
	// of the finding by number: "%[1]s may not use %[2]q".
	Message string
	// Remedy says how to mend it: a format of the same arguments, or the whole text. A
	// percent sign is written twice.
	Remedy string
	// SkipOldComparison is true for what the requester does, in contrast to what the object
	// is: the old object of an UPDATE excuses none of it.
	SkipOldComparison bool
	// OptIn is true for a reason that no profile turns into an action: only a mode does.
	OptIn bool
}

// Profile turns severities into actions.
type Profile string

// The profiles.
const (
	Strict   Profile = "strict"
	Baseline Profile = "baseline"
	// None is called off in configurations: the rules of the guide are not asked.
	None Profile = "off"
)

// UnmarshalJSON reads a profile, the bare word off too.
func (p *Profile) UnmarshalJSON(raw []byte) error { return readWord(p, raw, Profiles()...) }

// Profiles lists all of them.
func Profiles() []Profile { return []Profile{Strict, Baseline, None} }

// Action of a finding of that severity.
func (p Profile) Action(s Severity) Action {
	switch p {
	case Strict:
		switch s {
		case Critical, High:
			return Deny
		case Medium:
			return Warn
		case Low:
			return Audit
		}
	case Baseline:
		switch s {
		case Critical, High:
			return Warn
		case Medium, Low:
			return Audit
		}
	case None:
	}
	return Off
}

// Args are the arguments of a finding. They are data of the object or the cluster:
// names, values, permissions; never a sentence, and never a secret.
func Args(args ...string) []string { return args }

// verbs are the places of arguments in a text.
var verbs = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// Placeholders is a text of a reason before it has arguments, for people.
func Placeholders(text string) string {
	return strings.ReplaceAll(verbs.ReplaceAllString(text, "…"), "%%", "%")
}

// format fills arguments into a text. The same arguments serve the message and the
// remedy, so a text may leave some of them out.
func format(text string, args []string) string {
	list := make([]any, len(args), len(args)+1)
	for i := range args {
		list[i] = args[i]
	}
	// Package fmt complains of arguments that are left over, unless the last verb names its
	// argument by number: an empty one at the end does.
	return fmt.Sprintf(fmt.Sprintf("%s%%[%d]s", text, len(args)+1), append(list, "")...)
}
