package reports_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// standard is the schema of SARIF 2.1.0; formats such as uri count.
func standard(t *testing.T) *jsonschema.Schema {
	t.Helper()
	const address = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	file, err := os.Open("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(address, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(address)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return schema.Validate(document)
}

func TestSARIFIsValid(t *testing.T) {
	t.Parallel()
	schema := standard(t)
	for name, r := range samples() {
		text := written(t, r, report.SARIF)
		if err := validate(t, schema, text); err != nil {
			t.Errorf("%s: %v in\n%s", name, err, text)
		}
		read(t, r)
	}
}

// TestTheSchemaIsUnderstood shows that TestSARIFIsValid can fail.
func TestTheSchemaIsUnderstood(t *testing.T) {
	t.Parallel()
	schema := standard(t)
	good := string(written(t, samples()["many"], report.SARIF))
	for _, c := range [][2]string{
		{`"level": "error"`, `"level": "deny"`},
		{`"uri": "jobs/etl.yaml"`, `"uri": "jobs/%zz.yaml"`},
		{`"informationUri": "https://`, `"informationUri": "`},
		{`"startLine": 14`, `"startLine": 0`},
		{`"executionSuccessful": true,`, ``},
		{`"version": "2.1.0"`, `"version": "2.2.0"`},
		{`"fullyQualifiedName"`, `"qualifiedName"`},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Errorf("%s is not in\n%s", c[0], good)
		} else if validate(t, schema, []byte(bad)) == nil {
			t.Errorf("%s instead of %s is valid", c[1], c[0])
		}
	}
}

// read is the only run of a report, as go-sarif reads it.
func read(t *testing.T, r *report.Report) *sarif.Run {
	t.Helper()
	text := written(t, r, report.SARIF)
	log, err := sarif.FromBytes(text)
	if err != nil || len(log.Runs) != 1 {
		t.Fatalf("go-sarif: %v in\n%s", err, text)
	}
	return log.Runs[0]
}

func TestSARIFRules(t *testing.T) {
	t.Parallel()
	driver := read(t, samples()["clean"]).Tool.Driver
	all := rules.All()
	if *driver.Name != "emrguard" || *driver.Version != "v1.2.3" || len(driver.Rules) != len(all) {
		t.Fatalf("%s %s has %d rules, not %d", *driver.Name, *driver.Version, len(driver.Rules), len(all))
	}
	levels := map[rule.Action]string{rule.Deny: "error", rule.Warn: "warning", rule.Audit: "note", rule.Off: "none"}
	severities := map[rule.Severity]string{rule.Critical: "9.5", rule.High: "8.0", rule.Medium: "5.0", rule.Low: "2.0"}
	for i, d := range driver.Rules {
		r := &all[i]
		clause := r.Clauses[0]
		if *d.ID != r.ID || *d.ShortDescription.Text != r.Title || *d.HelpURI != clause.Address {
			t.Errorf("%s is described as %s, %s, %s", r.ID, *d.ID, *d.ShortDescription.Text, *d.HelpURI)
		}
		if n := len(*d.FullDescription.Text); n == 0 || n > 1024 || len(r.Title) > 1024 {
			t.Errorf("%s: the description has %d bytes; GitHub reads 1024", r.ID, n)
		}
		for _, want := range []string{r.Doc, r.Reasons[0].Name, clause.Section, clause.Address} {
			if !strings.Contains(*d.Help.Text, want) || !strings.Contains(*d.Help.Markdown, want) {
				t.Errorf("%s: the help does not say %q", r.ID, want)
			}
		}
		action := r.Action(rule.Strict)
		if d.DefaultConfiguration.Level != levels[action] || d.DefaultConfiguration.Enabled != (action != rule.Off) {
			t.Errorf("%s: %s by default is %+v", r.ID, action, d.DefaultConfiguration)
		}
		if !slices.Equal(d.Properties.Tags, append([]string{"security"}, r.ClauseIDs()...)) || d.Properties.Properties["security-severity"] != severities[r.Severity()] {
			t.Errorf("%s has the properties %+v", r.ID, d.Properties)
		}
	}
}

func TestSARIFResults(t *testing.T) {
	t.Parallel()
	run := read(t, samples()["many"])
	if len(run.Results) != 4 || !*run.Invocations[0].ExecutionSuccessful {
		t.Fatalf("%d results, successful: %t", len(run.Results), *run.Invocations[0].ExecutionSuccessful)
	}
	for i, want := range []struct{ id, level string }{
		{"instance-profile-access", "error"}, {"kube2iam-kiam-daemonset", "warning"}, {"namespace-writers", "note"},
	} {
		got := run.Results[i]
		if *got.RuleID != want.id || *run.Tool.Driver.Rules[got.RuleIndex].ID != want.id || got.Level != want.level || len(got.Suppressions) != 0 {
			t.Errorf("result %d is %s %s, of rule %d", i, *got.RuleID, got.Level, got.RuleIndex)
		}
	}
	first := run.Results[0]
	if *first.Message.Text != "the pod is on the host network. Remediation: remove it." {
		t.Errorf("the message is %q", *first.Message.Text)
	}
	logical := first.Locations[0].LogicalLocations[0]
	if *logical.FullyQualifiedName != "Pod emr-jobs/etl spec.hostNetwork" || *logical.Kind != "resource" {
		t.Errorf("the logical location is %s %s", *logical.Kind, *logical.FullyQualifiedName)
	}
	subject := *read(t, samples()["cluster"]).Results[1].Message.Text
	if !strings.Contains(subject, "Gained by: Group data-scientists. Through: ClusterRoleBinding system:editors -> ClusterRole edit.") {
		t.Errorf("the message is %q", subject)
	}
}

func TestSARIFLocations(t *testing.T) {
	t.Parallel()
	type place struct {
		uri  string
		line int
	}
	for name, want := range map[string][]place{
		"stdin":   {{"stdin", 14}},
		"no line": {{"jobs/etl.yaml", 1}},
		"paths":   {{"my%20jobs/50%25%23%3F.yaml", 14}, {"a%3Ab", 14}, {"file:///%EC%9E%91%EC%97%85.yaml", 14}},
		"cluster": {{"cluster/emr-jobs/Pod/etl", 1}, {"cluster/ClusterRoleBinding/system%3Aeditors", 1}, {"cluster/ClusterRoleBinding/system%3Aeditors", 1}},
	} {
		var got []place
		for _, result := range read(t, samples()[name]).Results {
			at := result.Locations[0].PhysicalLocation
			got = append(got, place{*at.ArtifactLocation.URI, *at.Region.StartLine})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the locations are %v, not %v", name, got, want)
		}
	}
}

func TestSARIFFingerprints(t *testing.T) {
	t.Parallel()
	const ours, github = "emrguard/v1", "primaryLocationLineHash"
	of := func(findings ...report.Finding) []map[string]string {
		var list []map[string]string
		for _, result := range read(t, &report.Report{Findings: findings}).Results {
			list = append(list, result.PartialFingerprints)
		}
		return list
	}
	base := of(finding(nil))[0]
	if base[ours] == "" || base[github] != "" {
		t.Errorf("in a file: %v", base)
	}
	for name, change := range map[string]func(*report.Finding){
		"line":        func(f *report.Finding) { f.Line = 99 },
		"remediation": func(f *report.Finding) { f.Remediation = "do otherwise" },
		"action":      func(f *report.Finding) { f.Action = rule.Warn },
	} {
		if of(finding(change))[0][ours] != base[ours] {
			t.Errorf("another %s is another fingerprint", name)
		}
	}
	for name, change := range map[string]func(*report.Finding){
		"rule":      func(f *report.Finding) { f.Rule = "pod-exec" },
		"name":      func(f *report.Finding) { f.Object.Name = "other" },
		"namespace": func(f *report.Finding) { f.Object.Namespace = "other" },
		"group":     func(f *report.Finding) { f.Object.APIVersion = "apps/v1" },
		"path":      func(f *report.Finding) { f.Path = "spec" },
		"message":   func(f *report.Finding) { f.Message = "other" },
		"subject":   func(f *report.Finding) { f.Subject = "User mallory" },
		"border":    func(f *report.Finding) { f.Path, f.Message = "spec.hostNetworkt", "he pod is on the host network" },
	} {
		if of(finding(change))[0][ours] == base[ours] {
			t.Errorf("another %s is the same fingerprint", name)
		}
	}
	versions := of(
		finding(func(f *report.Finding) { f.Object.APIVersion = "sparkoperator.k8s.io/v1beta2" }),
		finding(func(f *report.Finding) { f.Object.APIVersion, f.File = "sparkoperator.k8s.io/v1", "other.yaml" }),
	)
	if versions[0][ours] != versions[1][ours] {
		t.Errorf("another version of the API is another fingerprint: %v", versions)
	}
	twins := of(grant(), grant())
	if twins[0][ours] == twins[1][ours] || twins[0][ours] != twins[0][github] {
		t.Errorf("twins in a cluster: %v", twins)
	}
}

func TestSARIFExemptionsAndProblems(t *testing.T) {
	t.Parallel()
	run := read(t, samples()["exempted"])
	if s := run.Results[0].Suppressions; len(s) != 1 || *s[0].Justification != "incident 4711" || *s[0].Kind != "external" {
		t.Errorf("the suppressions are %+v", s)
	}
	invocation := read(t, samples()["problems"]).Invocations[0]
	if *invocation.ExecutionSuccessful || *invocation.ExitCode != 2 {
		t.Errorf("successful: %t, exit code %d", *invocation.ExecutionSuccessful, *invocation.ExitCode)
	}
	levels := make([]string, 0, 5)
	for _, n := range invocation.ToolExecutionNotifications {
		levels = append(levels, n.Level)
	}
	if !slices.Equal(levels, []string{"error", "error", "error", "note", "note"}) {
		t.Errorf("the notifications are %v", levels)
	}
	at := invocation.ToolExecutionNotifications[0].Locations[0].PhysicalLocation
	if *at.ArtifactLocation.URI != "jobs/broken.yaml" || *at.Region.StartLine != 3 {
		t.Errorf("the problem is at %s:%d", *at.ArtifactLocation.URI, *at.Region.StartLine)
	}
}

func TestSARIFMessagesHaveNoLinks(t *testing.T) {
	t.Parallel()
	for _, result := range read(t, samples()["hostile"]).Results {
		if strings.Contains(*result.Message.Text, "](") {
			t.Errorf("a link in %q", *result.Message.Text)
		}
	}
}
