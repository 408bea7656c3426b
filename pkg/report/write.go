package report

import (
	"bytes"
	"fmt"
	"io"
)

// Format is how a report is written.
type Format string

// The formats.
const (
	Text  Format = "text"  // for people
	JSON  Format = "json"  // one object; its fields are those of the types here
	SARIF Format = "sarif" // SARIF 2.1.0, for code scanning
	JUnit Format = "junit" // JUnit XML, for the test results of a pipeline
)

// ParseFormat reads a format.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case Text, JSON, SARIF, JUnit:
		return f, nil
	}
	return "", fmt.Errorf("%q is none of text, json, sarif, junit", s)
}

// Options of the text; the other formats have none.
type Options struct {
	// Color the actions and the names of objects by ANSI sequences.
	Color bool
	// Width of the terminal in columns, at which prose is wrapped; 0 for a pipe,
	// where nothing is.
	Width int
}

// Write writes the report in one piece. What comes from the objects and files
// never reaches the output raw: see visible.
func (r *Report) Write(w io.Writer, f Format, o Options) error {
	var out bytes.Buffer
	var err error
	switch f {
	case Text:
		r.text(&out, o)
	case JSON:
		err = r.json(&out)
	case SARIF:
		err = r.sarif(&out)
	case JUnit:
		err = r.junit(&out)
	default:
		_, err = ParseFormat(string(f))
	}
	if err == nil {
		_, err = w.Write(out.Bytes())
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
