package config_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/rule"
)

const head = "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\n"

func TestParseFillsDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Parse([]byte(head))
	if err != nil {
		t.Fatal(err)
	}
	got, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	want, err := yaml.Marshal(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("an empty file gives\n%s\nthe default is\n%s", got, want)
	}
	if c.EMR.Discover == nil || !*c.EMR.Discover || c.Administrators.Groups[0] != "system:masters" {
		t.Errorf("defaults are missing: %s", got)
	}
}

func TestParseKeepsEmptyLists(t *testing.T) {
	t.Parallel()
	c, err := config.Parse([]byte(head + "administrators: {groups: []}\nbreakGlass: {groups: []}\nemr: {discover: false, principals: {users: []}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Administrators.Groups)+len(c.BreakGlass.Groups)+len(c.EMR.Principals.Users) != 0 || *c.EMR.Discover {
		t.Errorf("what was emptied on purpose was filled again: %+v", c)
	}
}

func TestParseErrorsNameThePath(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":           {head + "emr: {namespacez: [a]}", `unknown field "emr.namespacez"`},
		"unknown top field":       {head + "rulez: {}", `unknown field "rulez"`},
		"field given twice":       {head + "mode: warn\nmode: audit", `mode`},
		"wrong version":           {"apiVersion: config.emrguard.dev/v2\nkind: GuardConfiguration", "apiVersion, kind"},
		"not yaml":                {head + "\t:", "yaml"},
		"mode deny":               {head + "mode: deny", `mode: Unsupported value: "deny"`},
		"namespace pattern":       {head + "emr: {namespaces: [a, 'emr-*']}", "emr.namespaces[1]"},
		"bad selector operator":   {head + "emr: {namespaceSelector: {matchExpressions: [{key: a, operator: Near, values: [b]}]}}", "emr.namespaceSelector"},
		"bad selector values":     {head + "emr: {namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}", "emr.namespaceSelector"},
		"account with a letter":   {head + "emr: {account: 12345678901x}", "emr.account"},
		"operator not an account": {head + "emr: {principals: {operators: [spark-operator]}}", "emr.principals.operators[0]"},
		"job account as a user":   {head + "emr: {principals: {jobAccounts: [flink, 'system:serviceaccount:emr-jobs:flink']}}", "emr.principals.jobAccounts[1]"},
		"namespace of a cluster":  {head + "emr: {virtualClusters: {abc: 'emr-*'}}", "emr.virtualClusters[abc]"},
		"every account a job's":   {head + "emr: {principals: {jobAccounts: ['*']}}", "emr.principals.jobAccounts[0]"},
		"empty job account":       {head + "emr: {principals: {jobAccounts: ['']}}", "emr.principals.jobAccounts[0]"},
		"role user without roles": {head + "emr: {roleUsers: [{groups: [a]}]}", "emr.roleUsers[0].roles"},
		"group pattern":           {head + "administrators: {groups: ['admins-*']}", "administrators.groups[0]"},
		"unknown provider":        {head + "credentialProviders: [kiam]", "credentialProviders[0]"},
		"no provider":             {head + "credentialProviders: []", "credentialProviders"},
		"rule mode":               {head + "rules: {pod-exec: {mode: block}}", "rules[pod-exec].mode"},
		"rule onError":            {head + "rules: {pod-exec: {onError: off}}", "rules[pod-exec].onError"},
		"override without scope":  {head + "overrides: [{mode: warn}]", "overrides[0].namespaces"},
		"override without mode":   {head + "overrides: [{namespaces: [a]}]", "overrides[0].mode"},
		"exemption sans reason":   {head + "exemptions: [{rule: pod-exec, reason: ' '}]", "exemptions[0].reason"},
		"exemption sans rule":     {head + "exemptions: [{reason: x}]", "exemptions[0].rule"},
		"exemption bad date":      {head + "exemptions: [{rule: a, reason: b, expires: tomorrow}]", "tomorrow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %s", err, c.want)
			}
		})
	}
}

// YAML 1.1 reads the bare word off as false.
func TestBareOffIsOff(t *testing.T) {
	t.Parallel()
	c, err := config.Parse([]byte(head + "rules: {pod-exec: {mode: off}}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Rules["pod-exec"].Mode; got != rule.Off {
		t.Errorf("mode %q, want off", got)
	}
	if _, err := config.Parse([]byte(head + "rules: {pod-exec: {mode: on}}")); err == nil {
		t.Error("mode on was taken")
	}
}

// A process must be able to start with the file with which it ran yesterday.
func TestExpiredExemptionIsNoError(t *testing.T) {
	t.Parallel()
	if _, err := config.Parse([]byte(head + "exemptions: [{rule: a, reason: b, expires: '2020-01-01T00:00:00Z'}]")); err != nil {
		t.Error(err)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/none.yaml"
	if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Load of a missing file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "mode: warn\nrules: {a: {params: {b: [1, null, {}]}}}"))
	f.Add([]byte(head + "exemptions: [{}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := config.Parse(raw); err == nil && c.APIVersion != config.APIVersion {
			t.Errorf("a file of version %q was taken", c.APIVersion)
		}
	})
}
