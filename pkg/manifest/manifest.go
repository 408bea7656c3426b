// Package manifest reads Kubernetes objects from files, folders and streams, and
// knows on which lines their fields stand. It judges nothing.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// What is read at most. An object of Kubernetes has some megabytes at the utmost;
// who has more to check is better served by `emrguard audit`.
const (
	// MaxFileBytes of a file or stream.
	MaxFileBytes = 64 << 20
	// MaxInputBytes of all files together: what is read is held until it is judged.
	MaxInputBytes = 256 << 20
	// MaxDocumentBytes of one document, with its aliases resolved.
	MaxDocumentBytes = 16 << 20
	// MaxDepth of maps and lists in each other.
	MaxDepth = 128
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

// Object is one object of the input.
type Object struct {
	// File that the object stands in, "-" for the standard input.
	File string
	// GVK that the object says it is.
	GVK schema.GroupVersionKind
	// JSON of the object.
	JSON []byte

	document *document
	item     []int // its place in Lists in each other
	asked    *asked
}

// Line is the line, from 1, on which a field stands: the path is one of a finding.
// Of a path that leads further than the input, the last part that exists counts.
// Objects of one input are not to be asked at the same time.
func (o *Object) Line(path string) int {
	if last := o.asked.document; last != o.document {
		if last != nil {
			last.root = nil // the tree is far larger than the object
		}
		o.asked.document = o.document
	}
	return o.document.line(o.item, path)
}

// asked is the document whose lines somebody has asked for last.
type asked struct{ document *document }

// Problem is something in the input that is no Kubernetes object.
type Problem struct {
	// File, and Line from 1, or 0 when the file as a whole is meant.
	File string
	Line int
	Err  error
}

// Input is what was read.
type Input struct {
	Objects []Object
	// Problems are documents that cannot be read; the others are there.
	Problems []Problem
	// Foreign counts documents that are no Kubernetes objects: they have no
	// apiVersion and kind.
	Foreign int
	// Blank says of what was read and holds no document: the standard input, files,
	// and folders without files to read.
	Blank []string

	asked *asked
	bytes int
}

// Add reads the documents of one file.
func (in *Input) Add(file string, data []byte) {
	documents, bad := split(data)
	switch {
	case len(documents)+len(bad) > 0:
	case file == Stdin:
		in.Blank = append(in.Blank, "the standard input is empty (did the command before it fail?)")
	default:
		in.Blank = append(in.Blank, fmt.Sprintf("the file %s holds no document", file))
	}
	for _, d := range documents {
		if err := in.addDocument(file, d); err != nil {
			line := d.first
			if at := (*lineError)(nil); errors.As(err, &at) {
				line, err = at.line, at.err
			}
			in.problem(file, line, err)
		}
	}
	for _, b := range bad {
		in.problem(file, b.line, b.err)
	}
}

func (in *Input) problem(file string, line int, err error) {
	in.Problems = append(in.Problems, Problem{file, line, err})
}

// lineError is an error that knows its line.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }

func (in *Input) addDocument(file string, d *document) error {
	if len(d.text) > MaxDocumentBytes {
		return fmt.Errorf("the document is larger than %d MiB", MaxDocumentBytes>>20)
	}
	root, err := d.tree()
	if err != nil || root == nil {
		return err
	}
	if err := root.check(); err != nil {
		return err
	}
	// Lines are asked for where something is found, which is in few documents; the
	// tree is larger than the object, and made again there.
	d.root = nil
	raw := d.text
	if !d.json {
		// The same library as kubectl's: what `yes` means must not depend on who reads.
		if raw, err = yaml.YAMLToJSON(d.text); err != nil {
			return d.yamlError(err)
		}
	}
	return in.addJSON(file, d, raw, nil, schema.GroupVersionKind{})
}

// maxLists is how deep a List may hold Lists.
const maxLists = 4

// addJSON adds an object, or the items of a List, which may leave out their kind when
// the List is of one.
func (in *Input) addJSON(file string, d *document, raw []byte, item []int, kind schema.GroupVersionKind) error {
	var head struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Items      []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
			return &lineError{d.line(item, ""), fmt.Errorf("apiVersion and kind are texts, and the items of a List a list: %w", err)}
		}
		return &lineError{d.line(item, ""), errors.New("a Kubernetes object is a map, with apiVersion and kind")}
	}
	if head.Kind == "" && head.APIVersion == "" && kind.Empty() || head.Kind == "" && head.APIVersion == "v1" {
		kind = podTemplate(raw)
	}
	if (head.APIVersion == "" || head.Kind == "") && !kind.Empty() {
		var err error
		if raw, err = withKind(raw, kind); err != nil {
			return &lineError{d.line(item, ""), err}
		}
		head.APIVersion, head.Kind = kind.GroupVersion().String(), kind.Kind
	}
	if head.APIVersion == "" || head.Kind == "" {
		in.Foreign++
		return nil
	}
	if strings.HasSuffix(head.Kind, "List") && head.Items != nil {
		if len(item) == maxLists {
			return &lineError{d.line(item, ""), errors.New("it holds Lists in Lists in Lists")}
		}
		of := schema.GroupVersionKind{}
		if head.Kind != "List" {
			of = schema.FromAPIVersionAndKind(head.APIVersion, strings.TrimSuffix(head.Kind, "List"))
		}
		var errs []error
		for i, raw := range head.Items {
			errs = append(errs, in.addJSON(file, d, raw, append(slices.Clone(item), i), of))
		}
		return errors.Join(errs...)
	}
	if in.asked == nil {
		in.asked = &asked{}
	}
	in.Objects = append(in.Objects, Object{
		File: file, GVK: schema.FromAPIVersionAndKind(head.APIVersion, head.Kind), JSON: raw, document: d, item: item, asked: in.asked,
	})
	return nil
}
