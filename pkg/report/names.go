package report

import (
	"cmp"
	"fmt"
)

// toolName and toolAddress are what the formats say of emrguard.
const (
	toolName    = "emrguard"
	toolAddress = "https://github.com/emrguard/emrguard"
)

// stdin is the name of the file by which a command means standard input.
const stdin = "-"

// place is a line of a file as terminals and editors follow it, such as
// `jobs/etl.yaml:12`; empty for a cluster.
func place(file string, line int) string {
	switch {
	case file == "":
		return ""
	case line <= 0:
		return fileName(file)
	}
	return fmt.Sprintf("%s:%d", fileName(file), line)
}

func fileName(file string) string {
	if file == stdin {
		return "stdin"
	}
	return visible(file)
}

// title is the object as kubectl would name it. A file may hold objects that
// lack what the API server demands.
func title(o Object) string {
	o.Kind = cmp.Or(o.Kind, "object")
	o.Name = cmp.Or(o.Name, "(no name)")
	return visible(o.String())
}

// quantity is a number with its noun, such as `1 object` or `2 objects`.
func quantity(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
