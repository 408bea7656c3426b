// Package schema writes the parts of the chart's values.schema.json that follow from
// the rules: their ids, and their parameters with types and syntax. So Helm refuses
// what the webhook would refuse at its start.
package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
)

// object is a schema. Its keys are written in alphabetical order.
type object map[string]any

// syntaxes are regular expressions by what the tag `syntax` of a parameter says. They
// refuse what the parsers refuse, as far as an expression can say it.
var syntaxes = map[string]string{
	"pattern":   `.`, // anything but nothing
	"role":      `^(\*|arn:[^:]*:iam::[^:]*:role/([^/]*/)*[^/]+)$`,
	"role-name": `[^/]$`,
	"registry":  `^(localhost|[^/:@\s]*\.[^/@\s]*|[^/@\s]+:[0-9]+)(/[^:@\sA-Z]*)?$`,
	"release":   `^emr-(spark-)?[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}$`,
}

// modes that a rule can have. Helm reads the bare word off as false.
func modes(description string, names ...rule.Action) object {
	values := make([]any, 0, len(names)+1)
	for _, n := range names {
		values = append(values, n)
	}
	types := any("string")
	if slices.Contains(names, rule.Off) {
		values, types = append(values, false), []string{"string", "boolean"}
	}
	return object{"type": types, "description": description, "enum": values}
}

// Parts returns the schemas of the values `rules`, `overrides` and `exemptions`.
func Parts(list []rule.Rule) (map[string]any, error) {
	ids := make([]string, 0, len(list))
	properties := object{}
	parameters, err := parametersOf(list)
	if err != nil {
		return nil, err
	}
	for i := range list {
		r := &list[i]
		ids = append(ids, r.ID)
		reasons := object{}
		for _, reason := range r.Reasons {
			ids = append(ids, r.ID+"/"+reason.Name)
			reasons[reason.Name] = object{
				"type": "object", "description": "Settings of findings of severity " + string(reason.Severity) + ".", "additionalProperties": false, "required": []string{"mode"},
				"properties": object{"mode": modes("What follows from them. The bare word off, which YAML reads as false, is off.", rule.Deny, rule.Warn, rule.Audit, rule.Off)},
			}
		}
		properties[r.ID] = object{
			"type": "object", "description": "Settings of the rule: " + r.Title + ".", "additionalProperties": false,
			"properties": object{
				"mode":    modes("What the rule does. The bare word off, which YAML reads as false, is off.", rule.Deny, rule.Warn, rule.Audit, rule.Off),
				"onError": modes("What happens when the rule cannot look something up.", rule.Deny, rule.Warn, rule.Audit),
				"reasons": object{"type": "object", "description": "Settings of findings by their reasons.", "additionalProperties": false, "properties": reasons},
				"params":  parameters[r.ID],
			},
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	id := func(description string) object {
		return object{"type": "string", "description": description, "enum": ids}
	}
	text := func(description string) object { return object{"type": "string", "description": description} }
	pattern := object{"type": "string", "minLength": 1}
	return map[string]any{
		"rules": object{"type": "object", "description": "Settings of single rules, by rule id.", "additionalProperties": false, "properties": properties},
		"overrides": object{"type": "array", "description": "Other modes for some namespaces.", "items": object{
			"type": "object", "description": "An override.", "additionalProperties": false, "required": []string{"namespaces", "mode"},
			"properties": object{
				"namespaces": object{"type": "array", "description": "Namespaces (patterns).", "items": pattern, "minItems": 1},
				"rules":      object{"type": "array", "description": "Rule ids, or <rule>/<reason>; none means all.", "items": id("Rule id, or <rule>/<reason>.")},
				"mode":       modes("What the rules do there. The bare word off, which YAML reads as false, is off.", rule.Deny, rule.Warn, rule.Audit, rule.Off),
			},
		}},
		"exemptions": object{"type": "array", "description": "Exemptions.", "items": object{
			"type": "object", "description": "An exemption.", "additionalProperties": false, "required": []string{"rule", "reason"},
			"properties": object{
				"rule": id("Rule id, or <rule>/<reason>."), "namespace": text("Namespace (pattern)."), "object": text("Name of the object (pattern)."),
				"subject": text("Subject of a grant (pattern)."), "user": text("Requester (pattern)."),
				"reason": text("Why it exists."), "expires": text("RFC 3339 time at which it ends."),
			},
		}},
	}, nil
}

// parametersOf makes the schemas of the parameters by the structs into which the
// rules decode them.
func parametersOf(list []rule.Rule) (map[string]object, error) {
	decoded := map[string]reflect.Type{}
	for i := range list {
		_, err := list[i].New(rule.Settings{Decoding: func(id string, into any) {
			decoded[id] = reflect.TypeOf(into).Elem()
		}})
		if err != nil {
			return nil, fmt.Errorf("the parameters of %s: %w", list[i].ID, err)
		}
	}
	schemas := map[string]object{}
	for i := range list {
		r := &list[i]
		t, ok := decoded[r.ID]
		if !ok {
			return nil, fmt.Errorf("the rule %s decodes no parameters: decode them, or an empty struct", r.ID)
		}
		s, err := ofStruct(t)
		if err != nil {
			return nil, fmt.Errorf("the parameters of %s: %w", r.ID, err)
		}
		s["description"] = "Parameters of the rule."
		properties, _ := s["properties"].(object)
		if err := describe(properties, r.Parameters); err != nil {
			return nil, fmt.Errorf("the parameters of %s: %w", r.ID, err)
		}
		schemas[r.ID] = s
	}
	return schemas, nil
}

// describe gives each parameter its documentation; what has none, and what is
// documented and not decoded, is an error.
func describe(properties object, documented []rule.Parameter) error {
	left := maps.Clone(properties)
	for _, p := range documented {
		s, ok := properties[p.Name].(object)
		if !ok {
			return fmt.Errorf("%s is documented, and no field has that name", p.Name)
		}
		s["description"] = strings.ToUpper(p.Doc[:1]) + p.Doc[1:]
		delete(left, p.Name)
	}
	if len(left) > 0 {
		return fmt.Errorf("%s: document them in Parameters", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return nil
}

// Merge returns a JSON schema with other schemas in place of its properties of the
// same names. Everything else stays, in its order.
func Merge(file []byte, parts map[string]any) ([]byte, error) {
	fields, err := fieldsOf(file)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	at := slices.IndexFunc(fields, func(f field) bool { return f.name == "properties" })
	if at < 0 {
		return nil, errors.New("read the schema: it has no properties")
	}
	properties, err := fieldsOf(fields[at].value)
	if err != nil {
		return nil, fmt.Errorf("read the properties of the schema: %w", err)
	}
	for name, part := range parts {
		i := slices.IndexFunc(properties, func(f field) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("the schema has no property %s", name)
		}
		if properties[i].value, err = encode(part); err != nil {
			return nil, err
		}
	}
	if fields[at].value, err = join(properties); err != nil {
		return nil, err
	}
	raw, err := join(fields)
	if err != nil {
		return nil, err
	}
	return indented(raw)
}

// Encode writes a value as the chart's schema is written.
func Encode(v any) ([]byte, error) {
	raw, err := encode(v)
	if err != nil {
		return nil, err
	}
	return indented(raw)
}

func encode(v any) (json.RawMessage, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n")), nil
}
