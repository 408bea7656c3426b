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

// split takes a file apart. A file that begins with a brace is a stream of JSON
// values, unless it is YAML after all; in YAML, "---" or "..." at the beginning of a
// line parts documents. What cannot be taken apart is returned as an error.
func split(data []byte) ([]*document, *lineError) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		documents, bad := splitJSON(data)
		if bad == nil || len(documents) > 0 || yaml.Unmarshal(data, &yaml.Node{}) != nil {
			return documents, bad
		}
	}
	return splitYAML(data), nil
}

func splitJSON(data []byte) ([]*document, *lineError) {
	var documents []*document
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			at := int64(len(data)) // it ends too early
			if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
				at = syntax.Offset
			}
			return documents, &lineError{1 + bytes.Count(data[:min(int(at), len(data))], newline), fmt.Errorf("it is no JSON: %w", err)}
		}
		from := int(decoder.InputOffset()) - len(raw)
		documents = append(documents, &document{text: raw, first: 1 + bytes.Count(data[:from], newline), json: true})
	}
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
	hint := ""
	if bytes.Contains(d.text, []byte("{{")) {
		hint = "; a template has to be rendered first: helm template … | emrguard check -"
	}
	return &lineError{line, fmt.Errorf("it is no YAML: %s%s", text, hint)}
}
