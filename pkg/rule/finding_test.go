package rule_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/rule"
)

// Arguments tell findings apart; hints, which only the remedy says, do not.
func TestFindingsThatAreTheSame(t *testing.T) {
	t.Parallel()
	reason := &rule.Reason{Name: "missing", Severity: rule.High, Message: "%[1]s misses it", Remedy: "give it to %[1]s, by %[2]s"}
	one := rule.Finding{Reason: reason, Args: rule.Args("a"), Hints: rule.Args("hand")}
	hint := rule.Finding{Reason: reason, Args: rule.Args("a"), Hints: rule.Args("post")}
	other := rule.Finding{Reason: reason, Args: rule.Args("b"), Hints: rule.Args("hand")}
	if !one.Same(&hint) || one.Same(&other) {
		t.Errorf("another hint: same is %t; another argument: same is %t", one.Same(&hint), one.Same(&other))
	}
	if got := hint.Remedy(); got != "give it to a, by post" {
		t.Errorf("the remedy is %q", got)
	}
	if got := hint.Text(); got != "a misses it" {
		t.Errorf("the message is %q", got)
	}
}
