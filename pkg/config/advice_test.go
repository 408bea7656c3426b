package config_test

import (
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/config"
)

func TestAdviceSaysWhatWillSurprise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "nobody is in system:masters by default",
		"administrators: {groups: [system:masters]}":                                                                  "administrators.groups",
		"administrators: {groups: []}":                                                                                "administrators.users",
		"administrators: {groups: [system:masters, platform]}":                                                        "",
		"administrators: {users: ['arn:*']}":                                                                          "",
		"administrators: {users: [kim]}\nexemptions: [{rule: pod-exec, object: x, reason: r}]":                        "exemptions[0] goes by the name",
		"administrators: {users: [kim]}\nexemptions: [{rule: pod-exec, object: x, user: oncall, reason: r}]":          "",
		"administrators: {users: [kim]}\nexemptions: [{rule: pod-exec, namespace: emr-sandbox, reason: r}]":           "",
		"administrators: {users: [kim]}\nexemptions: [{rule: rbac-escalation, subject: argo, reason: r}]":             "",
		"administrators: {users: [kim]}\nexemptions: [{rule: rbac-secret-read, object: x, subject: argo, reason: r}]": "",
	} {
		c, err := config.Parse([]byte(head + text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := strings.Join(c.Advice(), "\n")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: the advice is %q, want %q in it", text, got, want)
		}
	}
}

func TestBreakGlassIsNotForEverybody(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"breakGlass: {users: ['*']}", "breakGlass: {users: ['']}", "breakGlass: {userGroups: ['system:authenticated']}",
		"breakGlass: {userGroups: ['system:serviceaccounts:emr-jobs']}", "breakGlass: {userGroups: ['sre-*']}",
	} {
		if _, err := config.Parse([]byte(head + text)); err == nil || !strings.Contains(err.Error(), "breakGlass.user") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := config.Parse([]byte(head + "breakGlass: {users: ['oncall-*'], userGroups: [sre]}")); err != nil {
		t.Error(err)
	}
}
