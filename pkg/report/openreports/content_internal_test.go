package openreports

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

// found is a report of an audit with n findings in a namespace, of every action.
func found(namespace string, n int, text string) *report.Report {
	r := &report.Report{Tally: map[report.Key]int{}}
	for i := range n {
		f := report.Finding{
			Rule: "pod-exec", Action: []rule.Action{rule.Audit, rule.Warn, rule.Deny}[i%3],
			Object:  report.Object{APIVersion: "v1", Kind: "Pod", Namespace: namespace, Name: fmt.Sprintf("p-%04d", i)},
			Message: text, Remediation: text, Path: text,
		}
		r.Findings = append(r.Findings, f)
		r.Tally[report.Key{Namespace: namespace, Rule: f.Rule, Action: f.Action}]++
	}
	return r
}

func only(t *testing.T, r *report.Report, namespace string) *page {
	t.Helper()
	list, err := pages(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[namespace] == nil {
		t.Fatalf("want the report of %q alone, got %v", namespace, list)
	}
	return list[namespace]
}

// A namespace full of findings makes a report that etcd takes, with the worst of
// them, and says how many there are.
func TestReportsAreBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		findings int
		text     string
	}{
		"many findings": {3000, "short"},
		"long findings": {1500, strings.Repeat("é", 100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := only(t, found("emr-jobs", c.findings, c.text), "emr-jobs")
			raw, err := json.Marshal(p.content)
			if err != nil {
				t.Fatal(err)
			}
			if len(raw) > 1<<20 || len(p.Results) > maxResults || len(p.Results) == 0 {
				t.Errorf("%d results, %d bytes", len(p.Results), len(raw))
			}
			if p.Summary.Fail != c.findings/3 || p.Summary.Warn != c.findings*2/3 || p.leftOut != c.findings-len(p.Results) {
				t.Errorf("%+v and %d left out, of %d findings and %d results", p.Summary, p.leftOut, c.findings, len(p.Results))
			}
			for _, one := range p.Results {
				if one.Result != resultFail || one.Properties["action"] != "deny" {
					t.Fatalf("%+v takes the place of what would be denied", one)
				}
				if !utf8.ValidString(one.Message) {
					t.Fatal("a text is cut within a character")
				}
			}
		})
	}
}

// Findings that nobody kept are counted, and their namespace has a report.
func TestCountedFindingsMakeAReport(t *testing.T) {
	t.Parallel()
	r := &report.Report{Tally: map[report.Key]int{{Namespace: "emr-jobs", Rule: "pod-exec", Action: rule.Deny}: 7}}
	if p := only(t, r, "emr-jobs"); p.Summary.Fail != 7 || p.leftOut != 7 || len(p.Results) != 0 {
		t.Errorf("%+v, %d left out", p.content, p.leftOut)
	}
}

func TestOrderOfFindingsDoesNotMatter(t *testing.T) {
	t.Parallel()
	r := found("", 100, "text")
	want := only(t, r, "")
	rand.Shuffle(len(r.Findings), func(i, j int) { r.Findings[i], r.Findings[j] = r.Findings[j], r.Findings[i] })
	if got := only(t, r, ""); !reflect.DeepEqual(got, want) {
		t.Error("the report depends on the order in which things were found")
	}
}

// A result keeps the time at which it was found first.
func TestResultsKeepTheirTime(t *testing.T) {
	t.Parallel()
	first, later := time.Unix(1000, 0), time.Unix(2000, 0)
	before := only(t, found("emr-jobs", 2, "text"), "emr-jobs")
	if err := before.stamp(nil, first); err != nil {
		t.Fatal(err)
	}
	after := only(t, found("emr-jobs", 3, "text"), "emr-jobs")
	if err := after.stamp(before.Results, later); err != nil {
		t.Fatal(err)
	}
	for _, one := range after.Results {
		want := first
		if one.Resources[0].Name == "p-0002" {
			want = later
		}
		if one.Timestamp.Seconds != want.Unix() {
			t.Errorf("%s was found at %d, want %d", one.Resources[0].Name, one.Timestamp.Seconds, want.Unix())
		}
	}
}
