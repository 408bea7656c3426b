package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/pkg/schema"
)

type node struct {
	Type       any
	Enum       []any
	Pattern    string
	Properties map[string]*node
	Items      *node
}

func parts(t *testing.T) map[string]*node {
	t.Helper()
	made, err := schema.Parts(rules.All())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	var list map[string]*node
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Every rule has its schema, and every parameter that is documented is in it: Parts
// itself refuses a parameter that is decoded and not documented, and the reverse.
func TestEveryParameterHasAType(t *testing.T) {
	t.Parallel()
	list := parts(t)
	for _, r := range rules.All() {
		one := list["rules"].Properties[r.ID]
		if one == nil {
			t.Errorf("the schema lacks the rule %s", r.ID)
			continue
		}
		for _, p := range r.Parameters {
			if s := one.Properties["params"].Properties[p.Name]; s == nil || s.Type == nil {
				t.Errorf("the parameter %s of %s has no type", p.Name, r.ID)
			}
		}
		for _, ids := range [][]any{list["exemptions"].Items.Properties["rule"].Enum, list["overrides"].Items.Properties["rules"].Items.Enum} {
			if !slices.Contains(ids, any(r.ID)) {
				t.Errorf("%s may not be exempted or overridden", r.ID)
			}
		}
	}
}

func TestParametersThatNobodyDocuments(t *testing.T) {
	t.Parallel()
	made := func(into any, documented ...rule.Parameter) rule.Rule {
		return rule.Rule{ID: "x", Parameters: documented, New: func(s rule.Settings) (rule.Check, error) { return nil, s.Decode("x", into) }}
	}
	doc := func(name string) rule.Parameter { return rule.Parameter{Name: name, Type: "text", Doc: "what it is"} }
	for want, r := range map[string]rule.Rule{
		"a: document them": made(&struct {
			A string `json:"a"`
		}{}),
		"no field has that name": made(&struct{}{}, doc("a")),
		"no schema can be made": made(&struct {
			A any `json:"a"`
		}{}, doc("a")),
		"has no name in JSON": made(&struct{ A string }{}, doc("a")),
		`the tag syntax:"nonsense"`: made(&struct {
			A string `json:"a" syntax:"nonsense"`
		}{}, doc("a")),
		"the tag min": made(&struct {
			A int `json:"a" min:"few"`
		}{}, doc("a")),
		"decodes no parameters": {ID: "x", New: func(rule.Settings) (rule.Check, error) { return nil, nil }}, //nolint:nilnil // a rule that decodes nothing
	} {
		if _, err := schema.Parts([]rule.Rule{r}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// What the parsers take, the expressions take; what an expression refuses, its parser
// refuses.
func TestSyntaxes(t *testing.T) {
	t.Parallel()
	list := parts(t)["rules"].Properties
	of := func(id, name string) *regexp.Regexp {
		return regexp.MustCompile(list[id].Properties["params"].Properties[name].Items.Pattern)
	}
	roles := list["execution-role-isolation"].Properties["params"].Properties["groups"].Items.Properties["roles"].Items.Pattern
	for name, c := range map[string]struct {
		expression *regexp.Regexp
		parse      func(string) error
		good, bad  []string
	}{
		"pattern": {
			of("imds-network-policy", "blockedElsewhere"), func(s string) error { _, err := pattern.Parse(s); return err },
			[]string{"*", "a", "a-*", " "},
			[]string{""},
		},
		"role": {
			regexp.MustCompile(roles), func(s string) error { _, err := emr.ParseRolePattern(s); return err },
			[]string{"*", "arn:aws:iam::123456789012:role/a", "arn:*:iam::*:role/path/to/a-*", "arn:aws-cn:iam::*:role//a"},
			[]string{"", "a", "arn:aws:iam::1:role", "arn:aws:iam::1:role/", "arn:aws:iam::1:role/a/", "arn:aws:iam::1:user/a", "arn:aws:sts::1:role/a", "arn:aws:iam:x:1:role/a"},
		},
		"registry": {
			of("image-registry", "registries"), func(s string) error { _, err := emr.ParseRegistry(s); return err },
			[]string{"localhost", "localhost:5000/a", "example.com", "EXAMPLE.com/a/b/", "*.dkr.ecr.*.amazonaws.com", "registry:5000", "10.0.0.1:5000/a"},
			[]string{"", "https://example.com", "library/busybox", "example.com/a:tag", "example.com/A", "user@example.com", "example.com/a b"},
		},
		"release": {
			of("image-release", "minimum"), func(s string) error { _, err := emr.ParseRelease(s); return err },
			[]string{"emr-7.9.0", "emr-spark-8.0.0"},
			[]string{"", "7.9.0", "emr-7.9", "emr-7.9.0-latest", "emr-x.9.0"},
		},
	} {
		for _, s := range c.good {
			if err := c.parse(s); err != nil || !c.expression.MatchString(s) {
				t.Errorf("%s %q: the parser says %v, the schema takes it: %v", name, s, err, c.expression.MatchString(s))
			}
		}
		for _, s := range c.bad {
			if err := c.parse(s); err == nil || c.expression.MatchString(s) {
				t.Errorf("%s %q: the parser says %v, the schema takes it: %v", name, s, err, c.expression.MatchString(s))
			}
		}
	}
}

// The chart has the schema of these rules: `make generate` writes it.
func TestSchemaOfTheChartIsFresh(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../charts/emrguard/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	made, err := schema.Parts(rules.All())
	if err != nil {
		t.Fatal(err)
	}
	merged, err := schema.Merge(file, made)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(merged, file) {
		t.Error("charts/emrguard/values.schema.json is not what the rules say: run make generate")
	}
}

func TestMergeKeepsTheRest(t *testing.T) {
	t.Parallel()
	merged, err := schema.Merge([]byte(`{"z": 1, "properties": {"b": {"<": true}, "a": 2}, "y": []}`), map[string]any{"a": 3})
	if want := "{\n  \"z\": 1,\n  \"properties\": {\n    \"b\": {\n      \"<\": true\n    },\n    \"a\": 3\n  },\n  \"y\": []\n}\n"; err != nil || string(merged) != want {
		t.Errorf("%v: %s", err, merged)
	}
	for _, bad := range []string{"", "[]", "{}", `{"properties": []}`, `{"properties": {}}`} {
		if _, err := schema.Merge([]byte(bad), map[string]any{"a": 3}); err == nil {
			t.Errorf("%q is no schema that has a", bad)
		}
	}
}
