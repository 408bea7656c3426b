package openreports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Bounds of one report. etcd takes no object of more than 1.5 MiB, and every reader
// has to carry what is in it.
const (
	maxResults = 500
	maxBytes   = 768 << 10 // of the results, as JSON
	maxText    = 1 << 10   // of one text
)

// source is who says so in all reports.
const source = "emrguard"

// page is one report before it is written.
type page struct {
	content
	// leftOut counts the findings that are not among the results.
	leftOut int
}

// pages makes the reports, by namespace; the one of "" is the ClusterReport. A
// namespace without findings has none.
func pages(r *report.Report) (map[string]*page, error) {
	list := map[string]*page{}
	for key, n := range r.Tally {
		if n == 0 {
			continue
		}
		p := list[key.Namespace]
		if p == nil {
			p = &page{content: content{
				Source:        source,
				Configuration: &configuration{Limits: limits{MaxResults: maxResults, StatusFilter: []string{resultFail, resultWarn}}},
			}}
			list[key.Namespace] = p
		}
		if key.Action == rule.Deny {
			p.Summary.Fail += n
		} else {
			p.Summary.Warn += n
		}
	}
	byNamespace := map[string][]*report.Finding{}
	for i := range r.Findings {
		ns := r.Findings[i].Object.Namespace
		byNamespace[ns] = append(byNamespace[ns], &r.Findings[i])
	}
	for ns, p := range list {
		if err := p.fill(byNamespace[ns]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// fill takes the findings that there is room for, the worst first, always in the
// same order.
func (p *page) fill(findings []*report.Finding) error {
	slices.SortFunc(findings, compare)
	size := 0
	for _, f := range findings {
		if len(p.Results) == maxResults {
			break
		}
		one := resultOf(f)
		raw, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("write a result of rule %s: %w", f.Rule, err)
		}
		if size += len(raw); size > maxBytes {
			break
		}
		p.Results = append(p.Results, one)
	}
	p.leftOut = p.Summary.Fail + p.Summary.Warn - len(p.Results)
	return nil
}

func compare(a, b *report.Finding) int {
	rank := func(x rule.Action) int { return slices.Index([]rule.Action{rule.Deny, rule.Warn, rule.Audit}, x) }
	return cmp.Or(
		cmp.Compare(rank(a.Action), rank(b.Action)), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Reason, b.Reason),
		cmp.Compare(a.Object.Kind, b.Object.Kind), cmp.Compare(a.Object.APIVersion, b.Object.APIVersion), cmp.Compare(a.Object.Name, b.Object.Name),
		cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Via, b.Via),
		cmp.Compare(a.Remediation, b.Remediation),
	)
}

// resultOf writes a finding as the API has it: what would be denied fails; a
// warning, or what is only recorded, is a policy that is not scored.
func resultOf(f *report.Finding) result {
	r := result{
		Policy: f.Rule, Rule: f.Reason, Category: f.Guide.Section, Message: short(f.Message),
		Result: resultWarn, Severity: string(f.Severity),
		Resources:  []corev1.ObjectReference{{APIVersion: f.Object.APIVersion, Kind: f.Object.Kind, Namespace: f.Object.Namespace, Name: f.Object.Name}},
		Properties: map[string]string{"action": string(f.Action), "clauses": strings.Join(f.Clauses, ",")},
	}
	if f.Action == rule.Deny {
		r.Result, r.Scored = resultFail, true
	}
	if f.Deferred {
		r.Properties["deferred"] = "true" // it meets the Pods that are made from the object
	}
	for name, text := range map[string]string{
		"path": f.Path, "remediation": f.Remediation, "subject": f.Subject, "via": f.Via, "guide": f.Guide.Address,
	} {
		if text != "" {
			r.Properties[name] = short(text)
		}
	}
	return r
}

// short cuts a text that is too long, between two characters.
func short(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimSpace(s[:cut]) + "…"
}

// stamp gives every result the time at which it was found first: that of the report
// before where the result was there already, now otherwise.
func (p *page) stamp(before []result, now time.Time) error {
	since := map[string]*metav1.Timestamp{}
	for _, old := range before {
		key, err := old.key()
		if err != nil {
			return err
		}
		since[key] = old.Timestamp
	}
	for i := range p.Results {
		key, err := p.Results[i].key()
		if err != nil {
			return err
		}
		if p.Results[i].Timestamp = since[key]; p.Results[i].Timestamp == nil {
			p.Results[i].Timestamp = &metav1.Timestamp{Seconds: now.Unix()}
		}
	}
	return nil
}

// key is the result without its time.
func (r result) key() (string, error) {
	r.Timestamp = nil
	raw, err := json.Marshal(r)
	return string(raw), err
}
