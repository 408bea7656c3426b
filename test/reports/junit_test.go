package reports_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"

	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// suites are the suites of a report, as go-junit reads them.
func suites(t *testing.T, r *report.Report) map[string]junit.Suite {
	t.Helper()
	text := written(t, r, report.JUnit)
	list, err := junit.Ingest(text)
	if err != nil {
		t.Fatalf("go-junit: %v in\n%s", err, text)
	}
	named := map[string]junit.Suite{}
	for _, s := range list {
		named[s.Name] = s
	}
	if len(named) != len(list) || list[0].Name != "rules" {
		t.Fatalf("the suites are not told apart in\n%s", text)
	}
	return named
}

func TestJUnitIsRead(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		suites []string
		totals junit.Totals // of all suites but that of the rules
	}{
		"nothing":  {nil, junit.Totals{}},
		"clean":    {nil, junit.Totals{}},
		"many":     {[]string{"jobs/etl.yaml"}, junit.Totals{Tests: 3, Passed: 2, Failed: 1}},
		"stdin":    {[]string{"stdin"}, junit.Totals{Tests: 1, Failed: 1}},
		"cluster":  {[]string{"cluster", "namespace emr-jobs"}, junit.Totals{Tests: 2, Failed: 2}},
		"paths":    {[]string{"/작업.yaml", "a:b", "my jobs/50%#?.yaml"}, junit.Totals{Tests: 3, Failed: 3}},
		"deferred": {[]string{"jobs/etl.yaml"}, junit.Totals{Tests: 1, Failed: 1}},
		"exempted": {[]string{"jobs/etl.yaml"}, junit.Totals{Tests: 1, Skipped: 1}},
		"problems": {[]string{"cluster", "jobs/broken.yaml", "jobs/etl.yaml"}, junit.Totals{Tests: 3, Passed: 1, Error: 2}},
	} {
		var names []string
		var totals junit.Totals
		for _, s := range suites(t, samples()[name]) {
			if s.Name == "rules" {
				continue
			}
			names = append(names, s.Name)
			totals.Tests += s.Totals.Tests
			totals.Passed += s.Totals.Passed
			totals.Skipped += s.Totals.Skipped
			totals.Failed += s.Totals.Failed
			totals.Error += s.Totals.Error
		}
		if slices.Sort(names); !slices.Equal(names, want.suites) || totals != want.totals {
			t.Errorf("%s: %v, %+v", name, names, totals)
		}
	}
}

func TestJUnitCountsItself(t *testing.T) {
	t.Parallel()
	for name, r := range samples() {
		text := string(written(t, r, report.JUnit))
		tests := strings.Count(text, "<testcase ")
		for attribute, n := range map[string]int{
			"failures": strings.Count(text, "<failure "), "errors": strings.Count(text, "<error "), "skipped": strings.Count(text, "<skipped "), "tests": tests,
		} {
			sum, total := 0, 0
			for _, s := range suites(t, r) {
				sum += len(s.Tests)
			}
			if sum != tests {
				t.Errorf("%s: go-junit reads %d tests of %d", name, sum, tests)
			}
			for line := range strings.Lines(text) {
				if value, ok := attributeOf(line, "<testsuites ", attribute); ok {
					total = value
				}
			}
			if total != n {
				t.Errorf("%s: %s is %d, not %d", name, attribute, total, n)
			}
		}
	}
}

func attributeOf(line, element, name string) (int, bool) {
	if !strings.HasPrefix(line, element) {
		return 0, false
	}
	_, rest, _ := strings.Cut(line, " "+name+`="`)
	n := 0
	for _, digit := range rest {
		if digit < '0' || digit > '9' {
			break
		}
		n = 10*n + int(digit-'0')
	}
	return n, true
}

func TestJUnitRules(t *testing.T) {
	t.Parallel()
	all := rules.All()
	clean := suites(t, samples()["clean"])["rules"]
	if clean.Totals.Passed != len(all) || clean.Properties["judged"] != "12" || clean.Properties["version"] != "v1.2.3" {
		t.Errorf("a clean report has %+v, %v", clean.Totals, clean.Properties)
	}
	for i, test := range clean.Tests {
		if test.Classname != all[i].ID || test.Name != "all objects" {
			t.Errorf("%s is the test %s %s", all[i].ID, test.Classname, test.Name)
		}
	}
	for _, broken := range []struct{ sample, id string }{{"many", "instance-profile-access"}, {"many", "namespace-writers"}, {"exempted", "instance-profile-access"}} {
		for _, test := range suites(t, samples()[broken.sample])["rules"].Tests {
			if test.Classname == broken.id {
				t.Errorf("%s: %s passes", broken.sample, broken.id)
			}
		}
	}
	nothing := suites(t, &report.Report{Rules: all, Notes: []string{"nothing to read"}})["rules"]
	if nothing.Totals.Skipped != len(all) || !strings.Contains(nothing.SystemOut, "nothing to read") {
		t.Errorf("when nothing was judged: %+v, %q", nothing.Totals, nothing.SystemOut)
	}
}

func TestJUnitTests(t *testing.T) {
	t.Parallel()
	many := suites(t, samples()["many"])["jobs/etl.yaml"].Tests
	failed, warned := many[0], many[1]
	if failed.Classname != "instance-profile-access" || failed.Name != "Pod emr-jobs/etl" || failed.Properties["file"] != "jobs/etl.yaml" || failed.Message != "the pod is on the host network" {
		t.Errorf("the failure is %+v", failed)
	}
	for _, want := range []string{"jobs/etl.yaml:14  spec.hostNetwork\n", "jobs/etl.yaml:20  spec.hostPID\n", "remediation: remove it\n"} {
		if !strings.Contains(failed.Error.Error(), want) {
			t.Errorf("%q is missing in %q", want, failed.Error.Error())
		}
	}
	if warned.Status != junit.StatusPassed || !strings.Contains(warned.SystemOut, "WARN   kube2iam-kiam-daemonset") {
		t.Errorf("the warning is %+v", warned)
	}
	skipped := suites(t, samples()["exempted"])["jobs/etl.yaml"].Tests[0]
	if skipped.Status != junit.StatusSkipped || skipped.Message != "exempted: incident 4711" {
		t.Errorf("the exemption is %+v", skipped)
	}
	problem := suites(t, samples()["problems"])["jobs/broken.yaml"].Tests[0]
	if problem.Status != junit.StatusError || !strings.Contains(problem.Error.Error(), "jobs/broken.yaml:9") {
		t.Errorf("the problem is %+v", problem)
	}
}

// TestJUnitExemptionHidesNoFailure: what else was found on an object decides.
func TestJUnitExemptionHidesNoFailure(t *testing.T) {
	t.Parallel()
	warned := finding(func(f *report.Finding) { f.Action = rule.Warn })
	for status, f := range map[junit.Status]report.Finding{junit.StatusFailed: finding(nil), junit.StatusPassed: warned} {
		r := &report.Report{Findings: []report.Finding{f}, Exempted: []report.Exempted{{Finding: finding(nil), Exemption: "incident 4711"}}}
		tests := suites(t, r)["jobs/etl.yaml"].Tests
		if len(tests) != 1 || tests[0].Status != status || !strings.Contains(tests[0].SystemOut, "exempted: incident 4711") {
			t.Errorf("%s: %+v", status, tests)
		}
	}
}
