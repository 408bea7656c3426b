package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// field is a field of a JSON object, which has an order here.
type field struct {
	name  string
	value json.RawMessage
}

func fieldsOf(object []byte) ([]field, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	begin, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if begin != json.Delim('{') {
		return nil, fmt.Errorf("it begins with %v, not with a brace", begin)
	}
	var list []field
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var f field
		f.name, _ = name.(string) // a key of an object is one
		if err := decoder.Decode(&f.value); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

func join(list []field) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, fmt.Errorf("write the schema: %w", err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(f.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func indented(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
