package config

import (
	"cmp"
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"
)

// source holds the types of the configuration: the comments there are what explains them,
// so that no second text can say something else.
//
//go:embed types.go
var source string

// Field is one field of the configuration file.
type Field struct {
	// Path of the field, such as "emr.principals.users", "rules.<id>.mode" or
	// "exemptions[].reason".
	Path string
	// Type in words, such as "list of strings".
	Type string
	// Default as YAML on one line; empty when there is none.
	Default string
	// Meaning is what the type's comment says.
	Meaning string
}

// names of the types that have words of their own.
var typeNames = map[string]string{
	"string": "string", "*bool": "true or false",
	"rule.Action": "deny, warn, audit or off", "rule.Profile": "strict, baseline or off",
	"*metav1.LabelSelector": "label selector", "*metav1.Time": "time, as in RFC 3339", "json.RawMessage": "parameters of the rule",
}

// fieldTypes are the types of fields that take less than their type can hold, by path.
var fieldTypes = map[string]string{
	"mode": "warn or audit", "rules.<id>.onError": "deny, warn or audit",
	"emr.virtualClusters": "map of namespaces by the ids of virtual clusters",
}

// keys are the names that stand for the keys of maps.
var keys = map[string]string{"rules": "<id>", "reasons": "<reason>", "virtualClusters": "<virtual cluster>"}

// Fields lists every field of the configuration file in the order of the file, without
// apiVersion and kind. An error is a mistake of ours in the comments of the types.
func Fields() ([]Field, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "types.go", source, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("read the types of the configuration: %w", err)
	}
	e := explainer{types: map[string]*ast.StructType{}}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				e.types[spec.Name.Name] = s
			}
		}
		return true
	})
	raw, err := yaml.Marshal(Default())
	if err != nil {
		return nil, fmt.Errorf("write the defaults: %w", err)
	}
	var defaults map[string]any
	if err := yaml.Unmarshal(raw, &defaults); err != nil {
		return nil, fmt.Errorf("read the defaults: %w", err)
	}
	if err := e.walk("", "Guard", defaults); err != nil {
		return nil, err
	}
	return e.list, nil
}

type explainer struct {
	types map[string]*ast.StructType
	list  []Field
}

func (e *explainer) walk(prefix, name string, defaults map[string]any) error {
	for _, f := range e.types[name].Fields.List {
		key, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
		path := prefix + key
		if path == "apiVersion" || path == "kind" {
			continue
		}
		meaning := strings.Join(strings.Fields(f.Doc.Text()), " ")
		if meaning == "" {
			return fmt.Errorf("the field %s has no comment", path)
		}
		words, inner, suffix := e.typeOf(f.Type, key)
		if words == "" {
			return fmt.Errorf("the type of the field %s has no words", path)
		}
		field := Field{Path: path, Type: cmp.Or(fieldTypes[path], words), Meaning: meaning}
		value, has := defaults[key]
		if inner == "" && has {
			line, err := yaml.Marshal(value)
			if err != nil {
				return fmt.Errorf("write the default of %s: %w", path, err)
			}
			field.Default = flow(value, strings.TrimSpace(string(line)))
		}
		e.list = append(e.list, field)
		if inner != "" {
			below, _ := value.(map[string]any)
			if err := e.walk(path+suffix+".", inner, below); err != nil {
				return err
			}
		}
	}
	return nil
}

// typeOf returns a type in words, and for a struct below it its name, and what stands
// between the path of the field and those of the struct's.
func (e *explainer) typeOf(t ast.Expr, key string) (words, inner, suffix string) {
	switch x := t.(type) {
	case *ast.ArrayType:
		words, inner, _ = e.typeOf(x.Elt, key)
		return "list of " + plural(words), inner, "[]"
	case *ast.MapType:
		words, inner, _ = e.typeOf(x.Value, key)
		return "map of " + plural(words), inner, "." + keys[key]
	case *ast.Ident:
		if _, ok := e.types[x.Name]; ok {
			return "object", x.Name, ""
		}
		return typeNames[x.Name], "", ""
	case *ast.SelectorExpr:
		if pkg, ok := x.X.(*ast.Ident); ok {
			return typeNames[pkg.Name+"."+x.Sel.Name], "", ""
		}
	case *ast.StarExpr:
		switch y := x.X.(type) {
		case *ast.Ident:
			return typeNames["*"+y.Name], "", ""
		case *ast.SelectorExpr:
			if pkg, ok := y.X.(*ast.Ident); ok {
				return typeNames["*"+pkg.Name+"."+y.Sel.Name], "", ""
			}
		}
	}
	return "", "", ""
}

func plural(words string) string { return words + "s" }

// flow writes a value on one line.
func flow(value any, line string) string {
	if list, ok := value.([]any); ok {
		parts := make([]string, len(list))
		for i, item := range list {
			parts[i] = fmt.Sprint(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return line
}
