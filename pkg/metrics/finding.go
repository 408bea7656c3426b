package metrics

import "github.com/emrguard/emrguard/pkg/rule"

// Kind is by what findings are counted: the rule, the reason and its severity. There are
// as many as rules declare reasons.
type Kind struct {
	Rule, Reason string
	Severity     rule.Severity
}

// KindOf returns the kind of a finding.
func KindOf(f *rule.Finding) Kind { return Kind{f.Rule, f.Reason.Name, f.Reason.Severity} }

// Kinds returns those of everything that a rule can find.
func Kinds(r *rule.Rule) []Kind {
	var list []Kind
	for _, reason := range r.Reasons {
		list = append(list, Kind{r.ID, reason.Name, reason.Severity})
	}
	return list
}

// kindLabels are the names of the labels of a Kind.
var kindLabels = []string{"rule", "reason", "severity"}

func (k Kind) values(more ...string) []string {
	return append([]string{k.Rule, k.Reason, string(k.Severity)}, more...)
}
