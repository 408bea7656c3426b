package engine

import (
	"errors"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/rule"
)

// The reasons of findings that stand for what could not be judged. No rule may have one of
// these names.
const (
	notJudged      = "not-judged"
	overLimit      = "over-budget"
	unreadableName = "unreadable"
)

// unjudged are the reasons in the place of what a rule would have found.
type unjudged struct{ failed, overBudget, tryAgain rule.Reason }

// unjudgedOf returns them: as grave as the rule's first reason.
func unjudgedOf(r *rule.Rule) unjudged {
	first := r.Reasons[0]
	as := func(name, message, remedy string) rule.Reason {
		return rule.Reason{Name: name, Severity: first.Severity, OptIn: first.OptIn, SkipOldComparison: true, Message: message, Remedy: remedy}
	}
	return unjudged{
		failed:     as(notJudged, "the rule could not judge: %[1]s", "try again; rules."+r.ID+".onError decides what happens meanwhile"),
		overBudget: as(overLimit, "not judged: %[1]s", "make the object smaller, or split it"),
		tryAgain:   as(overLimit, "not judged: %[1]s", "try again in a moment"),
	}
}

// failed stands for what a rule would have said, had it been able to.
func failed(c *compiled, err error) rule.Finding {
	return rule.Finding{Rule: c.ID, Reason: &c.unjudged.failed, Args: rule.Args(err.Error())}
}

// overBudget stands for what a rule would have said. It is a finding like any
// other, not a failure.
func overBudget(c *compiled, err error) rule.Finding {
	reason := &c.unjudged.overBudget
	if exceeded := (*limit.Exceeded)(nil); errors.As(err, &exceeded) && exceeded.Retry {
		reason = &c.unjudged.tryAgain
	}
	return rule.Finding{Rule: c.ID, Reason: reason, Args: rule.Args(err.Error())}
}

var unreadableReason = rule.Reason{
	Name: unreadableName, Severity: rule.Medium, SkipOldComparison: true,
	Message: "emrguard cannot read all of this object: %[1]s",
	Remedy:  "the Pods that it makes are judged; a newer emrguard may know the field",
}

func unreadable(err error) rule.Finding {
	return rule.Finding{Rule: UnreadableID, Reason: &unreadableReason, Args: rule.Args(err.Error())}
}
