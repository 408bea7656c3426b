package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// Mismatch is the error of a field that has another type than expected. It speaks of
// the API's fields and types, where encoding/json speaks of those of Go.
type Mismatch struct { //nolint:errname // it reads better without the ending
	// Field is the path of the field, such as `spec.driver.cores`; empty when the
	// value as a whole is meant.
	Field string
	// Want and Got say which types were expected and found.
	Want, Got string
	cause     error
}

// Error says which field it is, what was expected and what was found.
func (m *Mismatch) Error() string {
	if m.Field == "" {
		return fmt.Sprintf("expected %s, found %s", m.Want, m.Got)
	}
	return fmt.Sprintf("%s: expected %s, found %s", m.Field, m.Want, m.Got)
}

// Unwrap returns the error of the decoder.
func (m *Mismatch) Unwrap() error { return m.cause }

// Describe says in words of the API what a decoder could not read. Errors that do
// not come from a mismatch of types stay as they are.
func Describe(err error) error {
	var known *Mismatch
	var mismatch *json.UnmarshalTypeError
	if err == nil || errors.As(err, &known) || !errors.As(err, &mismatch) {
		return err
	}
	return &Mismatch{Field: mismatch.Field, Want: typeName(mismatch.Type), Got: article(jsonName(mismatch.Value)), cause: err}
}

// DescribeText is Describe for text that stands inside a field: it names the field
// and what the text should be. The cause is told and not wrapped, because an object
// with such a text is readable itself.
func DescribeText(field, want string, err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at := field
		if mismatch.Field != "" {
			at += ": " + mismatch.Field
		}
		return &Mismatch{Field: at, Want: typeName(mismatch.Type), Got: article(jsonName(mismatch.Value))}
	}
	return fmt.Errorf("%s: expected %s, found text that is neither%s", field, want, atLine(err))
}

var parserLine = regexp.MustCompile(`\byaml: (line [0-9]+):`)

// atLine is the line in which the parser of YAML gave up, as ", from line 3 on". The
// rest of its message may quote the text, which may hold a secret.
func atLine(err error) string {
	if found := parserLine.FindStringSubmatch(err.Error()); found != nil {
		return ", from " + found[1] + " on"
	}
	return ""
}

// jsonName drops the number itself from what encoding/json calls "number 1.5".
func jsonName(value string) string {
	name, _, _ := strings.Cut(value, " ")
	return name
}

func article(name string) string {
	if strings.ContainsAny(name[:min(1, len(name))], "aeio") {
		return "an " + name
	}
	return "a " + name
}

// typeName is the name that JSON has for a type of Go.
func typeName(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Map, reflect.Struct:
		return "a map"
	default:
		return "another type"
	}
}
