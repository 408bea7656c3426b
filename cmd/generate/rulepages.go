package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/cli"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/test/fixtures"
)

// rulePages writes the page of every rule into a directory: what `emrguard rules ID -o
// markdown` says, and an example of what passes and of what does not.
func rulePages(directory string) error {
	list, err := fixtures.Load()
	if err != nil {
		return fmt.Errorf("read the fixtures: %w", err)
	}
	examples, err := fixtures.Examples(list)
	if err != nil {
		return fmt.Errorf("choose the examples: %w", err)
	}
	if err := os.RemoveAll(directory); err != nil { //nolint:gosec // the Makefile names the directory
		return fmt.Errorf("remove the old pages: %w", err)
	}
	if err := os.MkdirAll(directory, 0o755); err != nil { //nolint:gosec // everybody may read the documentation
		return fmt.Errorf("make the directory of the pages: %w", err)
	}
	for _, r := range rules.All() {
		var page, complaint bytes.Buffer
		if cli.Execute([]string{"rules", r.ID, "-o", "markdown"}, &page, &complaint) != 0 {
			return fmt.Errorf("describe %s: %s", r.ID, &complaint)
		}
		e := examples[r.ID]
		for _, f := range []*fixtures.Fixture{e.Pass, e.Fail} {
			if err := show(&page, f); err != nil {
				return fmt.Errorf("show %s: %w", f.Path(), err)
			}
		}
		name := filepath.Join(directory, r.ID+".md")
		if err := os.WriteFile(name, page.Bytes(), 0o644); err != nil { //nolint:gosec // everybody may read the documentation
			return fmt.Errorf("write the page of %s: %w", r.ID, err)
		}
	}
	return nil
}

// show appends a fixture to a page.
func show(page *bytes.Buffer, f *fixtures.Fixture) error {
	if f == nil {
		return nil
	}
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n```yaml\n", heading(f), f.Comment())
	separator := ""
	for _, part := range []struct{ what, field string }{
		{"The configuration.", "config"},
		{"This exists already.", "given"},
		{"Before the update.", "old"},
		{asked(f), "object"},
	} {
		for i, text := range f.Written(part.field) {
			text, err := inBlocks(text)
			if err != nil {
				return err
			}
			page.WriteString(separator)
			if i == 0 {
				fmt.Fprintf(page, "# %s\n", part.what)
			}
			page.WriteString(text)
			separator = "---\n"
		}
	}
	page.WriteString("```\n")
	return nil
}

// inBlocks spreads a document that is written in one line.
func inBlocks(text string) (string, error) {
	if !strings.HasPrefix(text, "{") {
		return text, nil
	}
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return "", err
	}
	out, err := yaml.Marshal(value)
	return string(out), err
}

func heading(f *fixtures.Fixture) string {
	switch f.Expect {
	case rule.Deny:
		return "An example that is refused"
	case rule.Warn:
		return "An example that is warned about"
	case rule.Audit:
		return "An example that is recorded"
	case rule.Off:
	}
	return "An example that passes"
}

// asked says what is asked for, and by whom.
func asked(f *fixtures.Fixture) string {
	if f.Audit {
		return "This exists, and an audit reads it."
	}
	what := string(f.Operation)
	if f.Subresource != "" {
		what += " " + f.Subresource
	}
	who := f.User
	if len(f.Groups) > 0 {
		who += " (" + strings.Join(f.Groups, ", ") + ")"
	}
	return fmt.Sprintf("%s by %s.", what, who)
}
