package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/test/harness"
)

// ruleIDs are the rules that a text may name.
var ruleIDs = []string{
	"kube2iam-kiam-annotation", "static-aws-credentials", "instance-profile-access", "irsa-credentials",
	"role-arn-override", "kube2iam-kiam-daemonset", "managed-service-account",
}

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
	if want == denied && !strings.HasSuffix(a.Webhook, guardSuffix) {
		return fmt.Sprintf("denied by %s, not by emrguard", a.Webhook)
	}
	if want == allowed {
		return ""
	}
	var names []string
	for _, id := range ruleIDs {
		if strings.Contains(a.Text(), id) {
			names = append(names, id)
		}
	}
	expected := strings.Fields(r.rule)
	slices.Sort(expected)
	slices.Sort(names)
	if !slices.Equal(names, expected) {
		return fmt.Sprintf("expected the rules %q to be named and no other, got %q", expected, names)
	}
	return ""
}
