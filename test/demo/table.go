package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/emrguard/emrguard/test/harness"
)

// The widths of the table's columns, in characters; what takes the rest.
const (
	numberWidth = 2
	whoWidth    = 17
	answerWidth = 7
	clauseWidth = 16
	gap         = 2

	minWidth, defaultWidth, maxWidth = 90, 110, 120
)

// table prints rows as they come in.
type table struct {
	out    io.Writer
	width  int
	colour bool
}

// newTable makes a table for standard output: as wide as the terminal allows,
// coloured only on one.
func newTable() *table {
	t := &table{out: os.Stdout, width: defaultWidth}
	fd := int(os.Stdout.Fd())
	if term.IsTerminal(fd) {
		if width, _, err := term.GetSize(fd); err == nil {
			t.width = min(max(width, minWidth), maxWidth)
		}
		t.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return t
}

func (t *table) whatWidth() int {
	return t.width - numberWidth - whoWidth - answerWidth - clauseWidth - 4*gap
}

func (t *table) header(title string) {
	fmt.Fprintf(t.out, "\n%s\n\n", title)
	t.line("#", "who", "what", "answer", "guide", "")
	fmt.Fprintln(t.out, strings.Repeat("─", t.width))
}

// row prints a request, the API server's answer, and below it what the requester
// was told.
func (t *table) row(n int, r *row, a harness.Answer, problem string) {
	answer, colour := "allowed", green
	switch a.Verdict {
	case harness.Allowed:
		if a.Message != "" { // by the guard; something else failed later
			answer = "passed"
		}
	case harness.Warned:
		answer, colour = "WARNED", yellow
	case harness.Denied:
		answer, colour = "DENIED", red
	default:
		answer, colour = "FAILED", red
	}
	t.line(strconv.Itoa(n), r.who, r.what, answer, r.clause, colour)
	if a.Message != "" {
		text := a.Message
		if a.Verdict == harness.Denied {
			by := fmt.Sprintf("admission webhook %q denied the request", a.Webhook)
			if a.Policy != "" {
				by = fmt.Sprintf("ValidatingAdmissionPolicy %q denied the request", a.Policy)
			}
			text = by + ": " + a.Message
		}
		t.note(text)
	}
	for _, warning := range a.Warnings {
		t.note("Warning: " + warning)
	}
	if problem != "" {
		t.note(t.paint(red, "NOT AS EXPECTED: "+problem))
	}
}

func (t *table) line(number, who, what, answer, clause, colour string) {
	lines := wrap(what, t.whatWidth())
	for i, part := range lines {
		if i > 0 {
			number, who, answer, clause = "", "", "", ""
		}
		text := fmt.Sprintf("%*s%s%s%s%s%s%s%s%s", numberWidth, number, space, pad(who, whoWidth), space,
			pad(part, t.whatWidth()), space, t.paint(colour, pad(answer, answerWidth)), space, clause)
		fmt.Fprintln(t.out, strings.TrimRight(text, " "))
	}
}

// note prints a text of several lines below a row.
func (t *table) note(text string) { t.text(strings.Repeat(" ", numberWidth+gap)+"│ ", text) }

// text prints a text of several lines, each after a prefix. What does not fit on a
// line goes on below it, indented, so that every finding begins at the margin.
func (t *table) text(prefix, text string) {
	const hanging = 2
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		for i, part := range wrap(line, t.width-utf8.RuneCountInString(prefix)-hanging) {
			if i > 0 {
				part = strings.Repeat(" ", hanging) + part
			}
			fmt.Fprintln(t.out, strings.TrimRight(prefix+part, " "))
		}
	}
}

var space = strings.Repeat(" ", gap)

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

func (t *table) paint(colour, text string) string {
	if !t.colour || colour == "" {
		return text
	}
	return colour + text + reset
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// wrap breaks a line at spaces so that no part is longer than width; a longer
// word is broken where the width ends. Further parts keep the indentation of the
// first.
func wrap(line string, width int) []string {
	body := strings.TrimLeft(line, " ")
	indent := line[:min(len(line)-len(body), width/2)]
	width -= len(indent)
	var parts []string
	current := ""
	for word := range strings.FieldsSeq(body) {
		for utf8.RuneCountInString(word) > width {
			room := width
			if current != "" {
				room = width - utf8.RuneCountInString(current) - 1
			}
			if room < width/2 {
				parts, current = append(parts, indent+current), ""
				continue
			}
			head := string([]rune(word)[:room])
			word = word[len(head):]
			if current != "" {
				head = current + " " + head
			}
			parts, current = append(parts, indent+head), ""
		}
		switch {
		case current == "":
			current = word
		case utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) <= width:
			current += " " + word
		default:
			parts, current = append(parts, indent+current), word
		}
	}
	if current != "" || len(parts) == 0 {
		parts = append(parts, indent+current)
	}
	return parts
}
