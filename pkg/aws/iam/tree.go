package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// members are those of a JSON object, in their order.
type members []member

type member struct {
	key   string
	value any // members, []any, string, bool, json.Number or nil
}

// maxDepth is more than any document needs, whose deepest element is the value of
// a condition.
const maxDepth = 16

// readTree reads one JSON value. A key that stands twice in an object is an error:
// readers of JSON disagree on which of both counts.
func readTree(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	tree, err := readValue(d, "", maxDepth)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the document is followed by something else")
	}
	return tree, nil
}

func readValue(d *json.Decoder, path string, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, notJSON(err)
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == 0:
		return nil, fmt.Errorf("%s: it is nested too deeply", path)
	case delim == '{':
		return readMembers(d, path, depth)
	}
	list := []any{}
	for d.More() {
		value, err := readValue(d, fmt.Sprintf("%s[%d]", path, len(list)), depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	return list, nil
}

func readMembers(d *json.Decoder, path string, depth int) (any, error) {
	list := members{}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("%s: a key is no string", path)
		}
		below := strings.TrimPrefix(path+"."+key, ".")
		if seen[key] {
			return nil, fmt.Errorf("%s: it is given twice", below)
		}
		seen[key] = true
		value, err := readValue(d, below, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, member{key, value})
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	return list, nil
}

func notJSON(err error) error { return fmt.Errorf("the document is no JSON: %w", err) }

func text(value any, path string) (string, error) {
	s, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s: it is no string", path)
	}
	return s, nil
}

// texts reads a string, or a list of them that is not empty.
func texts(value any, path string) ([]string, error) {
	if s, ok := value.(string); ok {
		return []string{s}, nil
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%s: it is neither a string nor a list of them", path)
	}
	all := make([]string, 0, len(list))
	for i, one := range list {
		s, err := text(one, fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// scalars reads the values of a condition, which may be booleans and numbers too.
func scalars(value any, path string) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	all := make([]string, 0, len(list))
	for _, one := range list {
		switch v := one.(type) {
		case string:
			all = append(all, v)
		case bool, json.Number:
			all = append(all, fmt.Sprint(v))
		default:
			return nil, fmt.Errorf("%s: a value is no string, boolean or number", path)
		}
	}
	return all, nil
}
