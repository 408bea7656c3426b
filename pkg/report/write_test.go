package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

var formats = []report.Format{report.Text, report.JSON, report.SARIF, report.JUnit}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		if got, err := report.ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("%s is read as %q, %v", f, got, err)
		}
	}
	for _, bad := range []string{"", "JSON", "yaml"} {
		_, err := report.ParseFormat(bad)
		if err == nil || !strings.Contains(err.Error(), "none of text, json, sarif, junit") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := sample().Write(io.Discard, "yaml", report.Options{}); err == nil {
		t.Error("a format that there is not was written")
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAWriterThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		if err := sample().Write(full{}, f, report.Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	odd := clean()
	odd.Findings = []report.Finding{
		{Rule: "a", Action: rule.Deny, Message: "no file, no object"},
		{Rule: "a", Action: rule.Deny, Object: report.Object{Kind: "Pod"}, File: "-", Line: 7, Message: "from standard input"},
		{Rule: "b", Action: rule.Deny, Subject: "Group a", Via: "Role b", Message: "Group a gains it by Role b, as the message says"},
		{Rule: "b", Action: rule.Deny, Subject: "Group a", Via: "Role b", Message: "Group a gains it, as the message says in part"},
	}
	for _, c := range []struct {
		file    string
		report  *report.Report
		options report.Options
	}{
		{"full.txt", sample(), report.Options{}},
		{"wrapped.txt", sample(), report.Options{Width: 50}},
		{"narrow.txt", sample(), report.Options{Width: 1}},
		{"odd.txt", odd, report.Options{}},
	} {
		want, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		if got := written(t, c.report, report.Text, c.options); got != string(want) {
			t.Errorf("%s: the text is\n%s\nnot\n%s", c.file, got, want)
		}
	}
}

func TestTextOfACleanReport(t *testing.T) {
	t.Parallel()
	exempted := clean()
	exempted.Exempted = sample().Exempted
	broken := clean()
	broken.Problems = sample().Problems
	for name, c := range map[string]struct {
		report *report.Report
		want   string
	}{
		"clean":    {clean(), "Nothing breaks the guide: 12 objects judged by 5 rules, 4 of kinds that no rule reads skipped.\n"},
		"one":      {&report.Report{Judged: 1, Rules: asked()[:1]}, "Nothing breaks the guide: 1 object judged by 1 rule.\n"},
		"empty":    {&report.Report{}, "Nothing was judged: there is no object of a kind that a rule reads.\n"},
		"skipped":  {&report.Report{Skipped: 3}, "Nothing was judged: there is no object of a kind that a rule reads, 3 of kinds that no rule reads skipped.\n"},
		"exempted": {exempted, "Nothing breaks the guide: 12 objects judged by 5 rules, 4 of kinds that no rule reads skipped, 1 finding exempted.\n"},
		"problem":  {broken, "12 objects judged, 4 of kinds that no rule reads skipped: 0 denied, 0 warned, 0 audited, 0 exempted, 1 problem.\n"},
	} {
		got := written(t, c.report, report.Text, report.Options{})
		if last := got[strings.LastIndex("\n"+strings.TrimSuffix(got, "\n"), "\n"):]; last != c.want {
			t.Errorf("%s: the last line is %q, not %q", name, last, c.want)
		}
		if name != "exempted" && name != "problem" && got != c.want {
			t.Errorf("%s: there is more than a line:\n%s", name, got)
		}
	}
}

func TestColorOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	got := written(t, sample(), report.Text, report.Options{Color: true})
	for _, want := range []string{"\x1b[1;31mDENY \x1b[0m", "\x1b[33mWARN \x1b[0m", "\x1b[36mAUDIT\x1b[0m"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	for _, f := range formats[1:] {
		if got := written(t, sample(), f, report.Options{Color: true, Width: 10}); got != written(t, sample(), f, report.Options{}) {
			t.Errorf("%s has options", f)
		}
	}
}

func TestTextShowsWhatHasNoGlyph(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"two\nlines\r":             `two\nlines\r`,
		"\x1b[2Jgone":              `\x1b[2Jgone`,
		"\u009b2J":                 `\u009b2J`,
		"user\u202egpj.exe":        `user\u202egpj.exe`,
		"zero\u200bwidth":          `zero\u200bwidth`,
		"\u2028\ufeff\x00\x7f\t":   `\u2028\ufeff\x00\x7f\t`,
		"bad\xffbyte":              `bad\xffbyte`,
		"\U000e0041":               `\U000e0041`,
		"작업 \"etl\" é\u00a0\ufffd": "작업 \"etl\" é\u00a0\ufffd",
		"##vso[task.x]##[error]":   `#\x23vso[task.x]#\x23[error]`,
		"::stop-commands::x ::":    `\x3a:stop-commands::x ::`,
		" \u00a0::add-mask::x":     " \u00a0\\x3a:add-mask::x",
		"##teamcity[x] # a ## b":   `#\x23teamcity[x] # a ## b`,
	} {
		r := &report.Report{Problems: []report.Problem{{Message: in}}}
		if got := written(t, r, report.Text, report.Options{}); !strings.Contains(got, "\n  "+want+"\n") {
			t.Errorf("%q is written as\n%s", in, got)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		Tool     struct{ Name, Version string }
		Summary  map[string]int
		Findings []report.Finding
		Exempted []report.Exempted
		Problems []report.Problem
		Notes    []string
	}
	text := written(t, sample(), report.JSON, report.Options{})
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := sample()
	if got.Tool.Name != "emrguard" || got.Tool.Version != want.Tool {
		t.Errorf("the tool is %v", got.Tool)
	}
	for name, n := range map[string]int{"judged": 12, "skipped": 4, "denied": 1, "warned": 1, "audited": 1, "exempted": 1, "problems": 1} {
		if got.Summary[name] != n {
			t.Errorf("%s is %d, not %d", name, got.Summary[name], n)
		}
	}
	if !reflect.DeepEqual(got.Findings, want.Findings) || !reflect.DeepEqual(got.Exempted, want.Exempted) || !slices.Equal(got.Problems, want.Problems) || !slices.Equal(got.Notes, want.Notes) {
		t.Errorf("read back it is another report:\n%s", text)
	}
	if !strings.Contains(text, `\"a<b\"`) {
		t.Errorf("< is escaped for HTML:\n%s", text)
	}
}

func TestJSONHasListsAlways(t *testing.T) {
	t.Parallel()
	text := written(t, &report.Report{}, report.JSON, report.Options{})
	for _, name := range []string{"findings", "exempted", "problems", "notes"} {
		if !strings.Contains(text, `"`+name+`": []`) {
			t.Errorf("%s is no empty list in\n%s", name, text)
		}
	}
}

func TestJSONKeepsWhatItEscapes(t *testing.T) {
	t.Parallel()
	const message = "\x1b[2J\u009b\u202e\U000e0041\x7f\n"
	text := written(t, &report.Report{Findings: []report.Finding{{Message: message}}}, report.JSON, report.Options{})
	var got struct{ Findings []report.Finding }
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.Findings[0].Message != message {
		t.Errorf("%q is read back as %+v, %v", message, got, err)
	}
	harmless(t, text)
}

// harmless fails when a terminal would see anything but glyphs and the ends of
// lines.
func harmless(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("no UTF-8: %q", text)
	}
	for _, r := range text {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Fatalf("%q reaches the terminal in\n%q", r, text)
		}
	}
}

// FuzzWrite writes a report whose every string is somebody else's.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"", "plain", "a\nb", "\x1b]0;title\a", "\u009b", "]]>", "<![CDATA[", "&lt;", "\xff\xfe", "\ufffe", "[x](https://x)", "../..", "C:\\x", "a:b", "%zz", "-"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		made := func(a, b string) *report.Report {
			finding := report.Finding{
				Rule: a, Action: rule.Deny, Object: report.Object{APIVersion: a, Kind: b, Namespace: a, Name: b}, Path: a,
				Subject: "s" + b, Via: "v" + a, Message: b, Remediation: "r" + a, File: "f" + b, Line: len(a),
			}
			warned, audited := finding, finding
			warned.Action, warned.File = rule.Warn, ""
			audited.Action = rule.Action(a)
			return &report.Report{
				Tool:     a,
				Rules:    []rule.Rule{{ID: a, Title: b}},
				Findings: []report.Finding{finding, warned, audited},
				Exempted: []report.Exempted{{Finding: finding, Exemption: "e" + b}},
				Problems: []report.Problem{{File: "p" + a, Line: len(b), Message: b}},
				Notes:    []string{"n" + b}, Judged: 1,
			}
		}
		var texts [4]string
		for i, format := range formats {
			texts[i] = written(t, made(a, b), format, report.Options{})
			harmless(t, texts[i])
		}
		harmless(t, written(t, made(a, b), report.Text, report.Options{Width: 40}))
		if got, want := strings.Count(texts[0], "\n"), strings.Count(written(t, made("a", "b"), report.Text, report.Options{}), "\n"); got != want {
			t.Errorf("the text has %d lines, not %d:\n%s", got, want, texts[0])
		}
		if !json.Valid([]byte(texts[1])) || !json.Valid([]byte(texts[2])) {
			t.Errorf("no JSON:\n%s\n%s", texts[1], texts[2])
		}
		for d := xml.NewDecoder(bytes.NewReader([]byte(texts[3]))); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("no XML: %v\n%s", err, texts[3])
			}
		}
	})
}
