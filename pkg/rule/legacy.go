package rule

import "github.com/emrguard/emrguard/pkg/guide"

// legacy are the reasons of findings that name none, by action and by what they are about.
var legacy = map[Action]map[bool]*Reason{}

func init() {
	for action, severity := range map[Action]Severity{Deny: High, Warn: Medium, Audit: Low, Off: High} {
		legacy[action] = map[bool]*Reason{}
		for _, act := range []bool{false, true} {
			legacy[action][act] = &Reason{Name: "finding", Severity: severity, Message: "%[1]s", Act: act, OptIn: action == Off}
		}
	}
}

// LegacyReasons are those of a rule that declares none.
func LegacyReasons(r *Rule) []*Reason {
	if r.Default == "" {
		return nil
	}
	if r.Default == Off {
		return []*Reason{legacy[Off][false]}
	}
	return []*Reason{legacy[r.Default][false], legacy[Deny][true], legacy[Warn][true], legacy[Audit][true]}
}

func (f *Finding) giveReason(r *Rule) {
	if f.Reason != nil {
		return
	}
	if f.Action == "" {
		f.Action = r.Default
	}
	if r.Default == Off {
		f.Action = Off
	}
	if f.Remediation == "" {
		f.Remediation = r.Remediation
	}
	f.Reason, f.Args = legacy[f.Action][f.Act], Args(f.Message)
}

// AllReasons are the reasons that a rule declares.
func (r *Rule) AllReasons() []*Reason {
	if len(r.Reasons) == 0 {
		return LegacyReasons(r)
	}
	return r.Reasons
}

// AllClauses are the clauses that a rule declares.
func (r *Rule) AllClauses() []guide.Clause {
	if len(r.Clauses) == 0 {
		return []guide.Clause{{Guide: guide.EMR, ID: "guide", Section: r.Guide.Section, Address: r.Guide.Address}}
	}
	return r.Clauses
}

// FillLegacy fills the fields that some outputs still read, from the reasons and clauses
// of a rule that has them.
func (r *Rule) FillLegacy() {
	if len(r.Reasons) == 0 || len(r.Clauses) == 0 || r.Default != "" {
		return
	}
	main := r.Reasons[0]
	r.Default, r.Remediation = Strict.Action(main.Severity), format(main.Remedy, nil)
	if main.OptIn {
		r.Default = Off
	}
	r.Guide = Guide{Section: r.Clauses[0].Section, Address: r.Clauses[0].Address}
}
