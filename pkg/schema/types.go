package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
)

func ofStruct(t reflect.Type) (object, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("they are a %s, not a struct", t)
	}
	properties := object{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			return nil, fmt.Errorf("the field %s has no name in JSON", f.Name)
		}
		s, err := ofType(f.Type, f.Tag)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		s["description"] = strings.ToUpper(name[:1]) + name[1:] + "."
		properties[name] = s
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties}, nil
}

func ofType(t reflect.Type, tag reflect.StructTag) (object, error) {
	if t == reflect.TypeFor[rule.Action]() {
		return modes("", rule.Deny, rule.Warn, rule.Audit, rule.Off), nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return ofType(t.Elem(), tag)
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		s := object{"type": "integer"}
		return s, numbers(s, tag, map[string]string{"min": "minimum", "max": "maximum"})
	case reflect.String:
		s := object{"type": "string"}
		if name, ok := tag.Lookup("syntax"); ok {
			syntax, known := syntaxes[name]
			if !known {
				return nil, fmt.Errorf("the tag syntax:%q is none of %q", name, slices.Sorted(maps.Keys(syntaxes)))
			}
			s["pattern"] = syntax
		}
		return s, nil
	case reflect.Slice:
		items, err := ofType(t.Elem(), tag)
		if err != nil {
			return nil, err
		}
		if _, described := items["description"]; !described {
			items["description"] = "An entry."
		}
		s := object{"type": "array", "items": items}
		return s, numbers(s, tag, map[string]string{"minItems": "minItems"})
	case reflect.Struct:
		return ofStruct(t)
	default:
		return nil, fmt.Errorf("no schema can be made of a %s", t)
	}
}

func numbers(s object, tag reflect.StructTag, names map[string]string) error {
	for name, keyword := range names {
		text, ok := tag.Lookup(name)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("the tag %s: %w", name, err)
		}
		s[keyword] = n
	}
	return nil
}
