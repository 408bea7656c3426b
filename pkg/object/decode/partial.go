package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/emrguard/emrguard/pkg/object/fieldpath"
)

// UnreadError says which fields of a custom resource have not the form that their
// type has. Everything else of the object was read.
type UnreadError struct {
	// Fields that cannot be read, in the order of their paths.
	Fields []Mismatch
}

// Error names the first fields; what stands in them may be a secret.
func (e *UnreadError) Error() string {
	const first = 3
	var list []string
	for i := range e.Fields[:min(first, len(e.Fields))] {
		list = append(list, e.Fields[i].Error())
	}
	if more := len(e.Fields) - first; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, "; ")
}

// Parts reads a custom resource. One field that cannot be read never hides
// another one: the decoder gives up at the first error of a type that reads itself,
// such as a quantity, so what it refuses is read again part by part. Operators that
// are no Go programs take such objects, and overwrite or ignore the bad part.
func Parts(raw []byte, into any) error {
	err := JSON(raw, into)
	if err == nil || IsBroken(err) {
		return err
	}
	v := reflect.ValueOf(into).Elem()
	v.SetZero()
	p := partial{}
	p.read(raw, v, "")
	if len(p) == 0 {
		return nil
	}
	slices.SortFunc(p, func(a, b Mismatch) int { return strings.Compare(a.Field, b.Field) })
	return &UnreadError{Fields: p}
}

// partial collects the fields that cannot be read.
type partial []Mismatch

// read fills v as far as the JSON allows.
func (p *partial) read(raw []byte, v reflect.Value, path string) {
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return
	}
	whole := reflect.New(v.Type())
	if JSON(raw, whole.Interface()) == nil {
		v.Set(whole.Elem())
		return
	}
	if _, reads := reflect.TypeAssert[json.Unmarshaler](whole); reads || !p.readParts(raw, v, path) {
		*p = append(*p, Mismatch{Field: path, Want: wanted(v.Type()), Got: found(raw)})
	}
}

// readParts reads what v is made of. It reports false for something that has no
// parts, or other ones.
func (p *partial) readParts(raw []byte, v reflect.Value, path string) bool {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		p.read(raw, v.Elem(), path)
		return true
	case reflect.Struct:
		var fields map[string]json.RawMessage
		if JSON(raw, &fields) != nil {
			return false
		}
		p.readFields(fields, v, path)
		return true
	case reflect.Slice:
		var items []json.RawMessage
		if JSON(raw, &items) != nil {
			return false
		}
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i := range items {
			p.read(items[i], v.Index(i), fieldpath.Index(path, i))
		}
		return true
	case reflect.Map:
		var entries map[string]json.RawMessage
		if v.Type().Key().Kind() != reflect.String || JSON(raw, &entries) != nil {
			return false
		}
		v.Set(reflect.MakeMapWithSize(v.Type(), len(entries)))
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			value := reflect.New(v.Type().Elem()).Elem()
			p.read(entries[key], value, fieldpath.Key(path, key))
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
		}
		return true
	default:
		return coerce(raw, v)
	}
}

func (p *partial) readFields(fields map[string]json.RawMessage, v reflect.Value, path string) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch value, ok := fields[name]; {
		case name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct:
			p.readFields(fields, v.Field(i), path)
		case ok && v.Field(i).CanSet():
			at := name
			if path != "" {
				at = path + "." + name
			}
			p.read(value, v.Field(i), at)
		}
	}
}

// coerce takes a scalar for another one, as the readers of Java operators do: a
// number where text belongs, and the other way round.
func coerce(raw []byte, v reflect.Value) bool {
	text := string(bytes.TrimSpace(raw))
	if v.Kind() == reflect.String {
		if strings.ContainsAny(text[:1], `{["`) {
			return false
		}
		v.SetString(text)
		return true
	}
	quoted, err := strconv.Unquote(text)
	if err != nil {
		return false
	}
	switch v.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(quoted)))
		v.SetBool(b)
		return err == nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(strings.TrimSpace(quoted), 10, 64)
		if err == nil && !v.OverflowInt(n) {
			v.SetInt(n)
			return true
		}
	default:
	}
	return false
}

// wanted says what a field should hold.
func wanted(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Name() {
	case "Quantity":
		return `a quantity such as "500m" or "2Gi"`
	case "IntOrString":
		return "a whole number or a string"
	case "Time":
		return "a time"
	}
	return typeName(t)
}

// found is the type of a JSON value.
func found(raw []byte) string {
	switch c := bytes.TrimSpace(raw)[0]; c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a bool"
	}
	return "a number"
}
