package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value with the line on which it, or the key before it, stands.
type node struct {
	line   int
	fields map[string]*node
	items  []*node
	// text of a block scalar, whose lines follow that of the key.
	block string
	// bytes and depth of everything below, aliases resolved.
	bytes, depth int
}

// check refuses what would take too much to resolve or to judge.
func (n *node) check() error {
	switch {
	case n.depth > MaxDepth:
		return fmt.Errorf("it nests deeper than %d levels", MaxDepth)
	case n.bytes > MaxDocumentBytes:
		return fmt.Errorf("with its aliases resolved it is larger than %d MiB", MaxDocumentBytes>>20)
	}
	return nil
}

// add takes in what lies below, without ever overflowing.
func (n *node) add(below *node) {
	n.bytes = min(n.bytes+below.bytes, 2*MaxDocumentBytes)
	n.depth = max(n.depth, below.depth+1)
}

// stopAt bounds the recursion: the check refuses what is deeper.
const stopAt = MaxDepth + 2

// fromYAML turns a node of YAML. An alias is the very node that it names.
func fromYAML(y *yaml.Node, before int, seen map[*yaml.Node]*node, depth int) (*node, error) {
	if n, ok := seen[y]; ok {
		if n == nil {
			return nil, &lineError{before + y.Line, fmt.Errorf("the anchor &%s contains itself", y.Anchor)}
		}
		return n, nil
	}
	if y.Anchor != "" {
		seen[y] = nil // until it is done
	}
	n := &node{line: before + y.Line, bytes: len(y.Value) + 1}
	if depth > stopAt {
		n.depth = stopAt
		return n, nil
	}
	switch y.Kind {
	case yaml.MappingNode:
		if err := n.addFields(y, before, seen, depth); err != nil {
			return nil, err
		}
	case yaml.SequenceNode:
		for _, item := range y.Content {
			below, err := fromYAML(item, before, seen, depth+1)
			if err != nil {
				return nil, err
			}
			n.add(below)
			n.items = append(n.items, below)
		}
	case yaml.AliasNode:
		if y.Alias == nil {
			return nil, &lineError{n.line, fmt.Errorf("the alias *%s has no anchor", y.Value)}
		}
		below, err := fromYAML(y.Alias, before, seen, depth+1)
		if err != nil {
			return nil, err
		}
		n.fields, n.items, n.block = below.fields, below.items, below.block
		n.add(below)
	case yaml.ScalarNode:
		if y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			n.block = y.Value
		}
	case yaml.DocumentNode:
	}
	if y.Anchor != "" {
		seen[y] = n
	}
	return n, nil
}

// addFields adds the fields of a map.
func (n *node) addFields(y *yaml.Node, before int, seen map[*yaml.Node]*node, depth int) error {
	n.fields = make(map[string]*node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		below, err := fromYAML(value, before, seen, depth+1)
		if err != nil {
			return err
		}
		n.add(below)
		n.bytes += len(key.Value)
		if key.Tag == "!!merge" {
			n.merge(below)
			continue
		}
		at := *below
		at.line = before + key.Line
		n.fields[key.Value] = &at
	}
	return nil
}

// merge takes over the fields of `<<`, or of each map in a list of them.
func (n *node) merge(from *node) {
	for key, value := range from.fields {
		if n.fields[key] == nil {
			n.fields[key] = value
		}
	}
	for _, item := range from.items {
		n.merge(item)
	}
}

// treeOfJSON reads the lines of a JSON value, which stands on line first.
func treeOfJSON(text []byte, first int) (*node, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	line, counted := first, 0
	here := func() int {
		at := int(decoder.InputOffset())
		line += bytes.Count(text[counted:at], newline)
		counted = at
		return line
	}
	var value func(depth int) (*node, error)
	value = func(depth int) (*node, error) {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		n := &node{line: here(), bytes: 1}
		if depth > stopAt {
			return nil, fmt.Errorf("it nests deeper than %d levels", MaxDepth)
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' {
				n.fields = map[string]*node{}
			}
			for decoder.More() {
				key, at := "", 0
				if t == '{' {
					if token, err = decoder.Token(); err != nil {
						return nil, err
					}
					key, _ = token.(string)
					at = here()
				}
				below, err := value(depth + 1)
				if err != nil {
					return nil, err
				}
				n.add(below)
				if t == '{' {
					below.line = at
					n.fields[key] = below
				} else {
					n.items = append(n.items, below)
				}
			}
			_, err = decoder.Token() // the closing one
		case string:
			n.bytes += len(t)
		}
		return n, err
	}
	n, err := value(0)
	if err != nil {
		return nil, &lineError{line, fmt.Errorf("it is no JSON: %w", err)}
	}
	return n, nil
}

// line finds a field, from 1. Items lead through Lists to the object.
func (d *document) line(items []int, path string) int {
	n, err := d.tree()
	if err != nil || n == nil {
		return d.first
	}
	for _, i := range items {
		list := n.fields["items"]
		if list == nil || i >= len(list.items) {
			return n.line
		}
		n = list.items[i]
	}
	for _, step := range steps(path) {
		next := n.fields[step]
		if i, err := strconv.Atoi(step); next == nil && err == nil && i >= 0 && i < len(n.items) {
			next = n.items[i]
		}
		if next == nil {
			return n.lineInBlock(step)
		}
		n = next
	}
	return n.line
}

// lineInBlock finds a word in a block scalar, such as a Spark property in a
// ConfigMap.
func (n *node) lineInBlock(word string) int {
	at := n.line
	for line := range strings.Lines(n.block) {
		at++
		if strings.Contains(line, word) {
			return at
		}
	}
	return n.line
}

// steps takes a path such as `spec.containers[0].env[2]` or
// `metadata.annotations[iam.amazonaws.com/role]` apart. Inside brackets a dot is
// part of the key.
func steps(path string) []string {
	var list []string
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return list
			}
			list = append(list, path[1:end])
			path = path[end+1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			list = append(list, path[:end])
			path = path[end:]
		}
	}
	return list
}
