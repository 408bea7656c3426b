package audit

import (
	"fmt"

	"github.com/emrguard/emrguard/pkg/limit"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

// full reports whether a list has no room for one more.
func full(held, most int) bool { return most > 0 && held >= most }

// keep counts a finding, and adds it to the report while there is room. So a
// namespace full of findings costs the memory of a few, and the numbers stay right.
func (a *Auditor) keep(f report.Finding) {
	ns := f.Object.Namespace
	a.report.Tally[report.Key{Namespace: ns, Rule: f.Rule, Reason: f.Reason, Severity: f.Severity, Action: f.Action}]++
	if full(len(a.report.Findings), a.options.MaxFindings) || full(a.kept[ns], a.options.MaxFindingsPerNamespace) {
		if a.report.Dropped.Findings == nil {
			a.report.Dropped.Findings = map[rule.Action]int{}
		}
		a.report.Dropped.Findings[f.Action]++
		return
	}
	a.kept[ns]++
	a.report.Findings = append(a.report.Findings, f)
}

func (a *Auditor) keepExempted(x report.Exempted) {
	if full(len(a.report.Exempted), a.options.MaxFindings) {
		a.report.Dropped.Exempted++
		return
	}
	a.report.Exempted = append(a.report.Exempted, x)
}

func (a *Auditor) keepProblem(p report.Problem) {
	if full(len(a.report.Problems), a.options.MaxFindings) {
		a.report.Dropped.Problems++
		return
	}
	a.report.Problems = append(a.report.Problems, p)
}

// noteDropped says what the limits kept out.
func (a *Auditor) noteDropped() {
	d := a.report.Dropped
	if a.omitted > 0 {
		a.report.Notes = append(a.report.Notes, fmt.Sprintf("%d further findings are not listed: of one object, each rule lists at most %d.", a.omitted, limit.Findings))
	}
	if n := d.Total(); n > 0 {
		a.report.Notes = append(a.report.Notes, fmt.Sprintf("%d findings are counted and not listed: at most %d are, and %d of one namespace.",
			n, a.options.MaxFindings, a.options.MaxFindingsPerNamespace))
	}
	if n := d.Exempted + d.Problems; n > 0 {
		a.report.Notes = append(a.report.Notes, fmt.Sprintf("%d exempted findings and objects that could not be judged are not listed: at most %d of each are.",
			n, a.options.MaxFindings))
	}
}
