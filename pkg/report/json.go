package report

import (
	"bytes"
	"encoding/json"

	"github.com/emrguard/emrguard/pkg/rule"
)

// document is the report as JSON. Its lists are never null.
type document struct {
	Tool     toolJSON    `json:"tool"`
	Summary  summaryJSON `json:"summary"`
	Findings []Finding   `json:"findings"`
	Exempted []Exempted  `json:"exempted"`
	Problems []Problem   `json:"problems"`
	Notes    []string    `json:"notes"`
}

type toolJSON struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// summaryJSON counts objects (judged, those of them outside of managed namespaces,
// skipped), findings and problems.
type summaryJSON struct {
	Judged   int `json:"judged"`
	Outside  int `json:"outside"`
	Skipped  int `json:"skipped"`
	Denied   int `json:"denied"`
	Warned   int `json:"warned"`
	Audited  int `json:"audited"`
	Exempted int `json:"exempted"`
	Problems int `json:"problems"`
}

func (r *Report) json(out *bytes.Buffer) error {
	text, err := indented(document{
		Tool: toolJSON{Name: toolName, Version: r.Tool},
		Summary: summaryJSON{
			Judged: r.Judged, Outside: r.Outside, Skipped: r.Skipped,
			Denied: r.Count(rule.Deny), Warned: r.Count(rule.Warn), Audited: r.Count(rule.Audit),
			Exempted: len(r.Exempted), Problems: len(r.Problems),
		},
		Findings: list(r.Findings),
		Exempted: list(r.Exempted),
		Problems: list(r.Problems),
		Notes:    list(r.Notes),
	})
	out.Write(escapeInvisible(text))
	return err
}

// indented is JSON for machines that people read too: `<` stays `<`.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	return b.Bytes(), err
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
