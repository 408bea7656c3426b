package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/config"
)

// The comments are read from the source; what Go has compiled tells whether all of them
// are there.
func TestFieldsAreThoseOfTheTypes(t *testing.T) {
	t.Parallel()
	fields, err := config.Fields()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, strings.NewReplacer("[]", "", ".<id>", "", ".<reason>", "").Replace(f.Path))
		if f.Type == "" || f.Meaning == "" {
			t.Errorf("%+v", f)
		}
	}
	var want []string
	var walk func(prefix string, of reflect.Type)
	walk = func(prefix string, of reflect.Type) {
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[config.Guard]().PkgPath() {
			return
		}
		for f := range of.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "apiVersion" || name == "kind" {
				continue
			}
			want = append(want, prefix+name)
			walk(prefix+name+".", f.Type)
		}
	}
	walk("", reflect.TypeFor[config.Guard]())
	if !slices.Equal(got, want) {
		t.Errorf("the fields are\n%q\nthe types have\n%q", got, want)
	}
	for path, value := range map[string]string{"emr.discover": "true", "profiles.eks": "baseline", "credentialProviders": "[irsa]", "administrators.groups": "[system:masters]"} {
		if !slices.ContainsFunc(fields, func(f config.Field) bool { return f.Path == path && f.Default == value }) {
			t.Errorf("the default of %s is not %s", path, value)
		}
	}
}

func TestProfilesAndTenants(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"profiles: {emr: lax}":                        "profiles.emr",
		"profiles: {eks: [off]}":                      "strict, baseline, off",
		"tenants: [{profile: strict}]":                "tenants[0].namespaces",
		"tenants: [{namespaces: [a]}]":                "tenants[0].profile",
		"tenants: [{namespaces: [''], profile: off}]": "tenants[0].namespaces[0]",
		"tenants: [{namespaceSelector: {matchExpressions: [{key: a, operator: Near}]}, profile: off}]": "tenants[0].namespaceSelector",
		"systemNamespaces: ['']":                     "systemNamespaces[0]",
		"documentation: wiki":                        "documentation",
		"rules: {pod-exec: {reasons: {exec: {}}}}":   "rules[pod-exec].reasons[exec].mode",
		"rules: {pod-exec: {reasons: {exec: deny}}}": "reasons",
	} {
		if _, err := config.Parse([]byte(head + text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	c, err := config.Parse([]byte(head + "profiles: {eks: off}\nsystemNamespaces: []\ndocumentation: 'https://wiki/{rule}'"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Profiles.EMR != "strict" || c.Profiles.EKS != "off" || len(c.SystemNamespaces) != 0 || c.PageOf("x") != "https://wiki/x" {
		t.Errorf("%+v, %q, page %q", c.Profiles, c.SystemNamespaces, c.PageOf("x"))
	}
}
