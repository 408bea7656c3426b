package rule

import (
	"hash/maphash"

	"github.com/emrguard/emrguard/pkg/limit"
)

// Report collects the findings of checks. The zero value is ready for use.
//
// An object can hold tens of thousands of violations, and nobody reads more than a
// few. The report keeps [limit.Findings] for each rule and group, and counts the
// rest. What is not kept changes no verdict: findings are kept apart by what
// follows from them (Group), and old findings are excused before anything is left
// out (Excuse), so that a new violation cannot hide behind old ones.
type Report struct {
	// Group says what follows from a finding. Findings of one rule in different
	// groups are limited apart. Nil: by their reasons.
	Group func(*Finding) string

	rule     *Rule
	findings []Finding
	kept     map[string]int      // of the rule at hand, by group
	paths    map[uint64]struct{} // of the rule at hand
	omitted  int
	excused  Tally
	tally    Tally
}

// Tally counts findings that are the same wherever in the object they are. It holds
// hashes, because an object of 1.5 MB has room for 50,000 findings whose texts are longer
// than what they were found in.
type Tally map[uint64]int

// Begin makes the findings that follow those of rule r.
func (rep *Report) Begin(r *Rule) {
	rep.rule = r
	clear(rep.kept)
	clear(rep.paths)
}

// Count makes the report count all findings that can excuse others, and keep none.
func (rep *Report) Count() Tally {
	rep.tally = Tally{}
	return rep.tally
}

// Excuse leaves out one finding for each of the tally that is the same. The tally
// is used up.
func (rep *Report) Excuse(old Tally) { rep.excused = old }

// Add records a finding.
func (rep *Report) Add(f Finding) {
	f.Rule = rep.rule.ID
	if rep.paths == nil {
		rep.paths, rep.kept = map[uint64]struct{}{}, map[string]int{}
	}
	rep.paths[maphash.String(seed, f.Path)] = struct{}{}
	if rep.tally != nil {
		if !f.SkipsComparison() {
			rep.tally[f.sum()]++
		}
		return
	}
	if rep.excused.Takes(&f) {
		return
	}
	group := f.Reason.Name
	if rep.Group != nil {
		group = rep.Group(&f)
	}
	if rep.kept[group] == limit.Findings {
		rep.omitted++
		return
	}
	rep.kept[group]++
	rep.findings = append(rep.findings, f)
}

// Has reports whether the rule at hand has found something at that path already.
func (rep *Report) Has(path string) bool {
	_, has := rep.paths[maphash.String(seed, path)]
	return has
}

// Findings returns what was kept, in the order in which it was found.
func (rep *Report) Findings() []Finding { return rep.findings }

// Omitted is the number of findings that were found and not kept.
func (rep *Report) Omitted() int { return rep.omitted }

// Takes reports whether the tally has a finding that is the same as f, and takes
// it out. What the requester does is never in it.
func (t Tally) Takes(f *Finding) bool {
	if f.SkipsComparison() || len(t) == 0 {
		return false
	}
	sum := f.sum()
	if t[sum] == 0 {
		return false
	}
	t[sum]--
	return true
}
