package report

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
)

// ANSI sequences (SGR of ECMA-48).
const (
	bold   = "\x1b[1m"
	red    = "\x1b[1;31m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	plain  = "\x1b[0m"
)

// narrowest is the least room that wrapped prose is given, in columns.
const narrowest = 20

// text writes what was found object by object, then what could not be judged,
// the notes and what is exempted, and a line of numbers at the end,
// where the eye is when a long report has run through a terminal.
func (r *Report) text(out *bytes.Buffer, o Options) {
	p := &printer{out: out, options: o}
	for _, group := range byObject(r.Findings) {
		first := group[0]
		p.line(p.paint(bold, title(first.Object)), fileName(first.File))
		for _, f := range group {
			p.finding(f)
		}
		p.line()
	}
	if len(r.Problems) > 0 {
		p.line(p.paint(red, "Could not be judged:"))
		for _, problem := range r.Problems {
			if at := place(problem.File, problem.Line); at != "" {
				p.line("  " + at)
				p.prose("    ", "", problem.Message)
			} else {
				p.prose("  ", "", problem.Message)
			}
		}
		p.line()
	}
	if len(r.Notes) > 0 {
		p.line(p.paint(bold, "Notes:"))
		for _, note := range r.Notes {
			p.prose("  ", "", note)
		}
		p.line()
	}
	if len(r.Exempted) > 0 {
		p.line(p.paint(bold, "Exempted:"))
		for i := range r.Exempted {
			e := &r.Exempted[i]
			p.line("  "+title(e.Object), visible(e.ID()), place(e.File, e.Line), visible(e.Path))
			p.prose("    ", "reason: ", e.Exemption)
		}
		p.line()
	}
	p.prose("", "", r.conclusion())
}

// conclusion is the report in one line. It reassures only when something was
// judged, and all of it.
func (r *Report) conclusion() string {
	skipped := ""
	if r.Outside > 0 {
		skipped = fmt.Sprintf(", %d of them outside of managed namespaces", r.Outside)
	}
	if r.Skipped > 0 {
		skipped += fmt.Sprintf(", %d of kinds that no rule reads skipped", r.Skipped)
	}
	switch {
	case len(r.Findings)+len(r.Problems) > 0:
		return fmt.Sprintf("%s judged%s: %d denied, %d warned, %d audited, %d exempted, %s.", quantity(r.Judged, "object"), skipped,
			r.Count(rule.Deny), r.Count(rule.Warn), r.Count(rule.Audit), len(r.Exempted), quantity(len(r.Problems), "problem"))
	case r.Empty != "":
		return fmt.Sprintf("Nothing was judged: %s%s.", visible(r.Empty), skipped)
	case r.Judged == 0:
		return fmt.Sprintf("Nothing was judged: there is no object of a kind that a rule reads%s.", skipped)
	}
	exempted := ""
	if len(r.Exempted) > 0 {
		exempted = fmt.Sprintf(", %s exempted", quantity(len(r.Exempted), "finding"))
	}
	return fmt.Sprintf("Nothing breaks the guide: %s judged by %s%s%s.", quantity(r.Judged, "object"), quantity(len(r.Rules), "rule"), skipped, exempted)
}

// byObject groups findings by file and object, in the order of their first ones.
func byObject(findings []Finding) [][]*Finding {
	type key struct {
		file   string
		object Object
	}
	var groups [][]*Finding
	index := map[key]int{}
	for i := range findings {
		f := &findings[i]
		k := key{f.File, f.Object}
		n, ok := index[k]
		if !ok {
			n = len(groups)
			index[k] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], f)
	}
	return groups
}

// printer writes lines. Everything that it is given is visible already, except
// what prose takes.
type printer struct {
	out     *bytes.Buffer
	options Options
}

// colors of the actions.
var colors = map[rule.Action]string{rule.Deny: red, rule.Warn: yellow, rule.Audit: cyan}

func (p *printer) finding(f *Finding) {
	const indent = "         "
	action := p.paint(colors[f.Action], fmt.Sprintf("%-5s", label(f)))
	p.line("  "+action, visible(f.ID()), place(f.File, f.Line), visible(f.Path))
	p.prose(indent, "", f.Message)
	// Most messages say both already.
	if !strings.Contains(f.Message, f.Subject) || !strings.Contains(f.Message, f.Via) {
		if f.Subject != "" {
			p.prose(indent, "gained by: ", f.Subject)
		}
		if f.Via != "" {
			p.prose(indent, "through: ", f.Via)
		}
	}
	if f.Remediation != "" {
		p.prose(indent, "remediation: ", f.Remediation)
	}
}

func label(f *Finding) string {
	text := strings.ToUpper(visible(string(f.Action)))
	if f.Deferred {
		text += " (its Pods)"
	}
	return text
}

// line writes the parts that are not empty on one line.
func (p *printer) line(parts ...string) {
	separator := ""
	for _, part := range parts {
		if part == "" {
			continue
		}
		p.out.WriteString(separator)
		p.out.WriteString(part)
		separator = "  "
	}
	p.out.WriteByte('\n')
}

// prose writes a text that may be long behind an indentation and a label, wrapped
// at spaces with a hanging indentation when the width is known. A word that is
// longer than the room stays whole, unless it may be broken between its letters.
func (p *printer) prose(indent, label, text string) {
	text = label + visible(text)
	if p.options.Width <= 0 {
		p.line(indent + text)
		return
	}
	lead, line, used := indent, "", 0
	for i, word := range pieces(text) {
		length := columns(word.text)
		blank := 0
		if word.spaced {
			blank = 1
		}
		switch {
		case i == 0:
			line, used = word.text, length
		case used+blank+length > max(p.options.Width-len(lead), narrowest):
			p.line(lead + line)
			lead, line, used = indent+"  ", word.text, length
		default:
			line, used = line+strings.Repeat(" ", blank)+word.text, used+blank+length
		}
	}
	p.line(lead + line)
}

func (p *printer) paint(color, text string) string {
	if !p.options.Color || color == "" {
		return text
	}
	return color + text + plain
}
