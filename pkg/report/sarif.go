package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/rule"
)

// The parts of SARIF 2.1.0 that are written, by the names of the standard:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string              `json:"id"`
		Name                 string              `json:"name"`
		ShortDescription     sarifText           `json:"shortDescription"`
		FullDescription      sarifText           `json:"fullDescription"`
		Help                 sarifText           `json:"help"`
		HelpURI              string              `json:"helpUri,omitempty"`
		DefaultConfiguration sarifConfiguration  `json:"defaultConfiguration"`
		Properties           sarifRuleProperties `json:"properties"`
	}
	sarifConfiguration struct {
		Enabled bool   `json:"enabled"`
		Level   string `json:"level"`
	}
	sarifRuleProperties struct {
		Tags []string `json:"tags"`
		// SecuritySeverity is what GitHub makes a severity of: above 9.0 critical,
		// from 7.0 high, from 4.0 medium, else low.
		SecuritySeverity string `json:"security-severity"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifInvocation struct {
		ExecutionSuccessful        bool                `json:"executionSuccessful"`
		ExitCode                   int                 `json:"exitCode"`
		ToolExecutionNotifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifResult struct {
		RuleID              string                `json:"ruleId"`
		RuleIndex           *int                  `json:"ruleIndex,omitempty"`
		Level               string                `json:"level"`
		Message             sarifText             `json:"message"`
		Locations           []sarifLocation       `json:"locations"`
		PartialFingerprints map[string]string     `json:"partialFingerprints"`
		Suppressions        []sarifSuppression    `json:"suppressions,omitempty"`
		Properties          sarifResultProperties `json:"properties"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifResultProperties struct {
		Reason   string        `json:"reason"`
		Severity rule.Severity `json:"severity"`
		Clauses  []string      `json:"clauses,omitempty"`
		Action   rule.Action   `json:"action"`
		Deferred bool          `json:"deferred,omitempty"`
		Path     string        `json:"path"`
		Subject  string        `json:"subject,omitempty"`
		Via      string        `json:"via,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysicalLocation  `json:"physicalLocation"`
		LogicalLocations []sarifLogicalLocation `json:"logicalLocations,omitempty"`
	}
	sarifPhysicalLocation struct {
		ArtifactLocation sarifArtifactLocation `json:"artifactLocation"`
		Region           sarifRegion           `json:"region"`
	}
	sarifArtifactLocation struct {
		URI         string     `json:"uri"`
		Description *sarifText `json:"description,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogicalLocation struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// The address of the schema is its own id.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// sarif writes SARIF 2.1.0 as GitHub code scanning and the viewers of editors
// read it. Exempted findings are results that are suppressed. Problems and notes
// are notifications of the invocation, which a problem makes unsuccessful.
//
// GitHub shows only results with a file and a line. A finding whose line is not
// known is shown on line 1; standard input is the file `stdin`; and an object of
// a cluster stands on line 1 of `cluster/<namespace>/<Kind>/<name>`, or
// `cluster/<Kind>/<name>` when it has no namespace. No such file exists, so the
// alert has no source to show, and keeps its address from run to run.
//
// GitHub does not read suppressions: an exempted finding is an open alert there
// until somebody dismisses it, or the action advanced-security/dismiss-alerts
// does (https://github.com/github/codeql-action/issues/1230).
func (r *Report) sarif(out *bytes.Buffer) error {
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: toolName, Version: visible(r.Tool), InformationURI: toolAddress, Rules: []sarifRule{},
		}},
		Invocations: []sarifInvocation{r.sarifInvocation()},
		Results:     []sarifResult{},
	}
	index := map[string]int{}
	for i := range r.Rules {
		if _, ok := index[r.Rules[i].ID]; ok {
			continue
		}
		index[r.Rules[i].ID] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, describe(&r.Rules[i]))
	}
	prints := fingerprints{}
	add := func(f *Finding, suppressions ...sarifSuppression) {
		result := sarifResult{
			RuleID:              visible(f.Rule),
			Level:               sarifLevel(f.Action),
			Message:             sarifText{Text: unlinked(sentences(f))},
			Locations:           []sarifLocation{locate(f)},
			PartialFingerprints: prints.of(f),
			Suppressions:        suppressions,
			Properties:          sarifResultProperties{Reason: visible(f.Reason), Severity: f.Severity, Clauses: f.Clauses, Action: f.Action, Deferred: f.Deferred, Path: visible(f.Path), Subject: visible(f.Subject), Via: visible(f.Via)},
		}
		if i, ok := index[f.Rule]; ok {
			result.RuleIndex = &i
		}
		run.Results = append(run.Results, result)
	}
	for i := range r.Findings {
		add(&r.Findings[i])
	}
	for i := range r.Exempted {
		e := &r.Exempted[i]
		add(&e.Finding, sarifSuppression{Kind: "external", Status: "accepted", Justification: visible(e.Exemption)})
	}
	text, err := indented(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
	out.Write(escapeInvisible(text))
	return err
}

func (r *Report) sarifInvocation() sarifInvocation {
	invocation := sarifInvocation{ExecutionSuccessful: len(r.Problems) == 0, ExitCode: r.ExitCode()}
	for _, p := range r.Problems {
		n := sarifNotification{Level: "error", Message: sarifText{Text: unlinked(visible(p.Message))}}
		if p.File != "" {
			n.Locations = []sarifLocation{{PhysicalLocation: physical(p.File, p.Line)}}
		}
		invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, n)
	}
	for _, note := range r.Notes {
		invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, sarifNotification{Level: "note", Message: sarifText{Text: unlinked(visible(note))}})
	}
	return invocation
}

// describe says what a rule is. All of it is emrguard's own text.
func describe(r *rule.Rule) sarifRule {
	var reasons strings.Builder
	for _, reason := range r.Reasons {
		fmt.Fprintf(&reasons, "\n\n%s (%s): %s", reason.Name, reason.Severity, rule.Placeholders(reason.Remedy))
	}
	help := r.Doc + "\n\nRemediation, by reason:" + reasons.String()
	d := sarifRule{
		ID:                   r.ID,
		Name:                 pascal(r.ID),
		ShortDescription:     sarifText{Text: r.Title},
		FullDescription:      sarifText{Text: cut(r.Doc, 1024)},
		Help:                 sarifText{Text: help, Markdown: help},
		DefaultConfiguration: sarifConfiguration{Enabled: !r.OptIn(), Level: levelOf(r)},
		Properties:           sarifRuleProperties{Tags: []string{"security"}, SecuritySeverity: securitySeverity(r.Severity())},
	}
	for _, clause := range r.Clauses {
		d.Help.Text += fmt.Sprintf("\n\nGuide: %s, %s", clause.Section, clause.Address)
		d.Help.Markdown += fmt.Sprintf("\n\nGuide: [%s](%s)", clause.Section, clause.Address)
		d.Properties.Tags = append(d.Properties.Tags, clause.String())
		if u, err := url.Parse(clause.Address); err == nil && u.IsAbs() && d.HelpURI == "" {
			d.HelpURI = clause.Address
		}
	}
	return d
}

func sarifLevel(a rule.Action) string {
	switch a {
	case rule.Deny:
		return "error"
	case rule.Warn:
		return "warning"
	case rule.Audit:
		return "note"
	case rule.Off:
	}
	return "none"
}

// levelOf is that of a rule's main finding; a rule of another program may have no reasons.
func levelOf(r *rule.Rule) string {
	if len(r.Reasons) == 0 {
		return sarifLevel(rule.Off)
	}
	return sarifLevel(r.Action(rule.Strict))
}

func securitySeverity(s rule.Severity) string {
	switch s {
	case rule.Critical:
		return "9.5"
	case rule.High:
		return "8.0"
	case rule.Medium:
		return "5.0"
	case rule.Low:
	}
	return "2.0"
}

// pascal is the id of a rule as SARIF wants the names of rules: HostPath for
// `host-path`.
func pascal(id string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(id, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// cut shortens prose to a number of bytes, after a sentence when there is one.
// GitHub reads so much of a description.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	if end := strings.LastIndex(s[:limit], ". "); end > 0 {
		return s[:end+1]
	}
	return s[:limit]
}

// sentences are the message and what else there is to say of a finding. Of the
// message the first sentence is shown where room is short.
func sentences(f *Finding) string {
	text := ended(f.Message)
	if f.Deferred {
		text += " The Pods that are made from it will be refused."
	}
	if f.Subject != "" {
		text += " Gained by: " + ended(f.Subject)
	}
	if f.Via != "" {
		text += " Through: " + ended(f.Via)
	}
	if f.Remediation != "" {
		text += " Remediation: " + ended(f.Remediation)
	}
	return text
}

// ended is a visible text with a full stop.
func ended(s string) string {
	s = visible(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// unlinked parts what SARIF reads as a link in a message, `[text](address)`: who
// writes a manifest shall not put links into the alerts about it. (The standard
// also doubles braces, as `{0}` is an argument; no viewer puts them back
// together, and there are no arguments here.)
func unlinked(s string) string { return strings.ReplaceAll(s, "](", "] (") }

func locate(f *Finding) sarifLocation {
	name := title(f.Object)
	if f.Path != "" {
		name += " " + visible(f.Path)
	}
	where := sarifLocation{LogicalLocations: []sarifLogicalLocation{{Name: visible(f.Object.Name), FullyQualifiedName: name, Kind: "resource"}}}
	if f.File != "" {
		where.PhysicalLocation = physical(f.File, f.Line)
	} else {
		where.PhysicalLocation = sarifPhysicalLocation{
			ArtifactLocation: sarifArtifactLocation{URI: clusterURI(f.Object)},
			Region:           sarifRegion{StartLine: 1},
		}
	}
	return where
}

func physical(file string, line int) sarifPhysicalLocation {
	at := sarifPhysicalLocation{Region: sarifRegion{StartLine: max(line, 1)}}
	if file == stdin {
		at.ArtifactLocation = sarifArtifactLocation{URI: "stdin", Description: &sarifText{Text: "standard input"}}
	} else {
		at.ArtifactLocation.URI = fileURI(file, runtime.GOOS == "windows")
	}
	return at
}

func clusterURI(o Object) string {
	parts := slices.DeleteFunc([]string{"cluster", o.Namespace, o.Kind, o.Name}, func(s string) bool { return s == "" })
	return escaped(parts)
}

var drive = regexp.MustCompile(`^[A-Za-z]:/`)

// fileURI is a relative path as a relative reference, and another as a file URI
// (RFC 8089).
func fileURI(file string, windows bool) string {
	if windows {
		file = strings.ReplaceAll(file, `\`, "/")
		if share, ok := strings.CutPrefix(file, "//"); ok {
			return "file://" + escaped(strings.Split(share, "/"))
		}
		if drive.MatchString(file) {
			return "file:///" + file[:2] + escaped(strings.Split(path.Clean(file[2:]), "/"))
		}
	}
	file = path.Clean(file)
	uri := escaped(strings.Split(file, "/"))
	if path.IsAbs(file) {
		return "file://" + uri
	}
	return uri
}

// escaped joins the segments of a path. A colon is escaped too: in the first
// segment it would end a scheme.
func escaped(segments []string) string {
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
	}
	return strings.Join(segments, "/")
}

// fingerprints counts findings that are the same by all that identifies one.
type fingerprints map[string]int

// of is the identity of a finding: rule, object, field, message, and who gains.
// Neither the line nor the version of the API counts. Findings that are equal in
// all that are numbered, file by file.
//
// GitHub reads `primaryLocationLineHash` alone. For results with a file, its
// upload action computes that from the line, and complains about any other
// value; without a file it cannot, so that there it is ours.
func (p fingerprints) of(f *Finding) map[string]string {
	group := schema.FromAPIVersionAndKind(f.Object.APIVersion, f.Object.Kind).Group
	hash := sha256.New()
	for _, part := range []string{f.Rule, group, f.Object.Kind, f.Object.Namespace, f.Object.Name, f.Path, f.Subject, f.Message} {
		fmt.Fprintf(hash, "%d:", len(part))
		_, _ = io.WriteString(hash, part) // a hash never fails
	}
	id := hex.EncodeToString(hash.Sum(nil)[:16])
	p[f.File+"\x00"+id]++
	id = fmt.Sprintf("%s:%d", id, p[f.File+"\x00"+id])
	prints := map[string]string{"emrguard/v1": id}
	if f.File == "" {
		prints["primaryLocationLineHash"] = id
	}
	return prints
}
