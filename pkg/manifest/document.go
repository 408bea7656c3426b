package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is one document of a file.
type document struct {
	text  []byte
	first int // line of the file on which text begins
	json  bool
	root  *node // when it was asked for
}

// split takes a file apart. "---" or "..." at the beginning of a line parts
// documents, in JSON too: no value of JSON has a line that begins so. A part that
// begins with a brace is a stream of JSON values, unless it is YAML after all. What
// cannot be taken apart is returned as errors.
func split(data []byte) ([]*document, []*lineError) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var documents []*document
	var errs []*lineError
	for _, part := range splitYAML(data) {
		if !bytes.HasPrefix(bytes.TrimSpace(part.text), []byte("{")) {
			documents = append(documents, part)
			continue
		}
		values, bad := splitJSON(part)
		documents = append(documents, values...)
		if bad != nil {
			errs = append(errs, bad)
		}
	}
	return documents, errs
}

// splitJSON takes a stream of JSON values apart. What follows them, or is no JSON,
// may be YAML.
func splitJSON(part *document) ([]*document, *lineError) {
	var documents []*document
	decoder := json.NewDecoder(bytes.NewReader(part.text))
	lines := func(end int) int { return bytes.Count(part.text[:min(end, len(part.text))], newline) }
	for last := 0; ; {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			rest := &document{text: part.text[last:], first: part.first + lines(last)}
			if !hasContent(rest.text) {
				return documents, nil // a comment behind the last value
			}
			if yaml.Unmarshal(rest.text, &yaml.Node{}) == nil {
				return append(documents, rest), nil
			}
			at := len(part.text) // it ends too early
			if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
				at = int(syntax.Offset)
			}
			return documents, &lineError{part.first + lines(at), unreadable("JSON", rest.text, err.Error())}
		}
		last = int(decoder.InputOffset())
		documents = append(documents, &document{text: raw, first: part.first + lines(last-len(raw)), json: true})
	}
}

// unreadable says what a text is not. Most often that is a template.
func unreadable(language string, text []byte, why string) error {
	if bytes.Contains(text, []byte("{{")) {
		return fmt.Errorf("it is a template, no %s yet: render it first (helm template … | emrguard check -): %s", language, why)
	}
	return fmt.Errorf("it is no %s: %s", language, why)
}

var newline = []byte("\n")

func splitYAML(data []byte) []*document {
	var documents []*document
	current := &document{first: 1}
	from, line := 0, 1
	end := func(at int) {
		if current.text = data[from:at]; hasContent(current.text) {
			documents = append(documents, current)
		}
	}
	for at := 0; at < len(data); line++ {
		next := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if isMarker(data[at:next]) {
			end(at)
			from, current = at+len("---"), &document{first: line}
		}
		at = next
	}
	end(len(data))
	return documents
}

// isMarker reports whether a line begins or ends a document. What stands behind the
// marker belongs to the next one.
func isMarker(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	return len(line) == 3 || strings.IndexByte(" \t\r\n", line[3]) >= 0
}

// hasContent reports whether there is more than blanks, comments and directives.
func hasContent(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return true
		}
	}
	return false
}

// content is the line on which the document's first words stand.
func (d *document) content() int {
	at := d.first
	for line := range bytes.Lines(d.text) {
		if hasContent(line) {
			break
		}
		at++
	}
	return at
}

// tree returns the document with its lines, nil for an empty one.
func (d *document) tree() (*node, error) {
	if d.root != nil {
		return d.root, nil
	}
	var err error
	if d.json {
		d.root, err = treeOfJSON(d.text, d.first)
	} else {
		d.root, err = d.treeOfYAML()
	}
	return d.root, err
}

func (d *document) treeOfYAML() (*node, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(d.text, &root); err != nil {
		return nil, d.yamlError(err)
	}
	if len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
		return nil, nil //nolint:nilnil // an empty document is no mistake
	}
	return fromYAML(root.Content[0], d.first-1, map[*yaml.Node]*node{}, 0)
}

var yamlLine = regexp.MustCompile(`^(?:error converting YAML to JSON: )?(?:yaml: )?(?:unmarshal errors:\s+)?(?:line (\d+): )?`)

// yamlError says where in the file the document is broken.
func (d *document) yamlError(err error) error {
	text := err.Error()
	line := d.content()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, convErr := strconv.Atoi(m[1]); convErr == nil {
			line = max(line, d.first+n-1) // the parser may say the line before
		}
		text = text[len(m[0]):]
	}
	return &lineError{line, unreadable("YAML", d.text, text)}
}
