package report

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/emrguard/emrguard/pkg/rule"
)

// The parts of the JUnit format that CI systems agree on.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitTotals
		Suites []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitTotals
		Properties *junitProperties `xml:"properties"`
		Cases      []*junitCase     `xml:"testcase"`
		Out        string           `xml:"system-out,omitempty"`
	}
	junitTotals struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		File    string       `xml:"file,attr,omitempty"`
		Time    string       `xml:"time,attr"`
		Skipped *junitResult `xml:"skipped"`
		Error   *junitResult `xml:"error"`
		Failure *junitResult `xml:"failure"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// junit writes test results as CI systems show them.
//
// The first suite has a test for each rule that was asked and found nothing, so
// that a clean run has tests that pass; they are skipped when nothing was judged.
// Then comes one suite for each file, or namespace of a cluster, in which
// something was found: a test is one rule (its class) on one object (its name).
// It fails when it would be denied. A warning, or a finding that is only
// recorded, lets it pass and is its output. When all is exempted it is skipped,
// with the reason. What could not be judged is a test that ends in an error.
//
// Names have no line numbers: CI systems know a test by its names from one run to
// the next.
func (r *Report) junit(out *bytes.Buffer) error {
	b := &junitBuilder{suites: map[string]*junitSuite{}, cases: map[junitKey]*junitCase{}}
	b.list = []*junitSuite{r.passed()}
	for i := range r.Problems {
		b.problem(&r.Problems[i])
	}
	for i := range r.Findings {
		b.finding(&r.Findings[i])
	}
	for i := range r.Exempted {
		b.exempted(&r.Exempted[i])
	}
	document := junitSuites{Name: toolName, Suites: b.list}
	document.Time = "0"
	for _, s := range b.list {
		s.count()
		document.Tests += s.Tests
		document.Failures += s.Failures
		document.Errors += s.Errors
		document.Skipped += s.Skipped
	}
	text, err := xml.MarshalIndent(document, "", "  ")
	out.WriteString(xml.Header)
	// Line breaks are those of bodies, never of attributes: readable they mean the
	// same there.
	out.Write(bytes.ReplaceAll(text, []byte("&#xA;"), []byte("\n")))
	out.WriteByte('\n')
	return err
}

// passed is the suite of the rules that found nothing.
func (r *Report) passed() *junitSuite {
	broken := map[string]bool{}
	for i := range r.Findings {
		broken[r.Findings[i].Rule] = true
	}
	for i := range r.Exempted {
		broken[r.Exempted[i].Rule] = true
	}
	suite := &junitSuite{Name: "rules", Properties: &junitProperties{List: []junitProperty{
		{"version", visible(r.Tool)}, {"judged", strconv.Itoa(r.Judged)}, {"skipped", strconv.Itoa(r.Skipped)}, {"outside", strconv.Itoa(r.Outside)},
	}}}
	for i := range r.Rules {
		if broken[r.Rules[i].ID] {
			continue
		}
		c := &junitCase{Class: visible(r.Rules[i].ID), Name: "all objects"}
		if r.Judged == 0 || r.Empty != "" {
			c.Skipped = &junitResult{Message: "no object was judged"}
		}
		suite.Cases = append(suite.Cases, c)
	}
	lines := &printer{out: &bytes.Buffer{}}
	for _, note := range r.Notes {
		lines.prose("", "", note)
	}
	suite.Out = lines.out.String()
	return suite
}

func (s *junitSuite) count() {
	s.Tests, s.Time = len(s.Cases), "0"
	for _, c := range s.Cases {
		c.Time = "0"
		switch {
		case c.Error != nil:
			s.Errors++
		case c.Failure != nil:
			s.Failures++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
}

type junitKey struct{ suite, class, name string }

type junitBuilder struct {
	list   []*junitSuite
	suites map[string]*junitSuite
	cases  map[junitKey]*junitCase
}

// test is the test of that name, a new one when there is none yet.
func (b *junitBuilder) test(file, namespace, class, name string) *junitCase {
	suite := "cluster"
	switch {
	case file != "":
		suite = fileName(file)
	case namespace != "":
		suite = "namespace " + visible(namespace)
	}
	s, ok := b.suites[suite]
	if !ok {
		s = &junitSuite{Name: suite}
		b.suites[suite] = s
		b.list = append(b.list, s)
	}
	key := junitKey{suite, class, name}
	c, ok := b.cases[key]
	if !ok {
		c = &junitCase{Class: class, Name: name, File: fileName(file)}
		b.cases[key] = c
		s.Cases = append(s.Cases, c)
	}
	return c
}

func (b *junitBuilder) finding(f *Finding) {
	c := b.test(f.File, f.Object.Namespace, visible(f.Rule), title(f.Object))
	if f.Action != rule.Deny {
		c.Out += details(f, "")
		return
	}
	if c.Failure == nil {
		c.Failure = &junitResult{Message: visible(f.Message), Type: string(rule.Deny)}
	}
	c.Failure.Text += details(f, "")
}

// exempted comes after all findings: whatever else was found on the object
// decides what becomes of its test.
func (b *junitBuilder) exempted(e *Exempted) {
	c := b.test(e.File, e.Object.Namespace, visible(e.Rule), title(e.Object))
	if c.Failure == nil && c.Out == "" && c.Skipped == nil {
		c.Skipped = &junitResult{Message: "exempted: " + visible(e.Exemption)}
	}
	if c.Skipped != nil {
		c.Skipped.Text += details(&e.Finding, e.Exemption)
		return
	}
	c.Out += details(&e.Finding, e.Exemption)
}

func (b *junitBuilder) problem(p *Problem) {
	c := b.test(p.File, "", "input", "can be judged")
	if c.Error == nil {
		c.Error = &junitResult{Message: visible(p.Message), Type: "problem"}
	}
	lines := &printer{out: &bytes.Buffer{}}
	lines.line(place(p.File, p.Line))
	lines.prose("", "", p.Message)
	c.Error.Text += lines.out.String()
}

// details is a finding as the text format has it.
func details(f *Finding, exemption string) string {
	lines := &printer{out: &bytes.Buffer{}}
	lines.finding(f)
	if exemption != "" {
		lines.prose("         ", "exempted: ", exemption)
	}
	return strings.TrimPrefix(lines.out.String(), "  ")
}
