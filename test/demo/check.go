package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/test/harness"
)

// guardSuffix is the end of the names of emrguard's webhooks.
const guardSuffix = ".emrguard.dev"

// expected returns the verdict that a row must get.
func (r *row) expected(warnMode bool) harness.Verdict {
	switch {
	case !warnMode || r.want == allowed:
		return r.want
	case r.inWarnMode != "":
		return r.inWarnMode
	default:
		return warned
	}
}

// check says what is wrong with an answer, or nothing.
func (r *row) check(a harness.Answer, warnMode bool) string {
	want := r.expected(warnMode)
	if a.Verdict != want {
		return fmt.Sprintf("expected %s, got %s", want, a.Verdict)
	}
	if want == denied && !strings.HasSuffix(a.Webhook, guardSuffix) && !strings.HasPrefix(a.Policy, harness.ReleaseName+"-") {
		return fmt.Sprintf("denied by %s, not by emrguard", a.Webhook+a.Policy)
	}
	if want == allowed {
		return ""
	}
	names, expected := rulesNamed(a.Text()), []string(nil)
	for id := range strings.FieldsSeq(r.rule) {
		if id, later := strings.CutPrefix(id, "+"); !later || warnMode {
			expected = append(expected, id)
		}
	}
	slices.Sort(expected)
	if !slices.Equal(names, expected) {
		return fmt.Sprintf("expected the rules %q to be named and no other, got %q", expected, names)
	}
	return ""
}

// word is what could be a rule's name. The longest match counts: rbac-pod-exec is
// not pod-exec.
var word = regexp.MustCompile(`[a-z0-9]+(?:-[a-z0-9]+)+`)

// rulesNamed returns the rules that a text names, sorted.
func rulesNamed(text string) []string {
	known := rules.All()
	names := slices.DeleteFunc(word.FindAllString(text, -1), func(name string) bool {
		return !slices.ContainsFunc(known, func(r rule.Rule) bool { return r.ID == name })
	})
	slices.Sort(names)
	return slices.Compact(names)
}
