// Package docs keeps the documentation in step with the rules.
package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/rules"
)

const root = "../.."

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryRuleIsInTheIndex(t *testing.T) {
	index := read(t, "docs", "rules", "README.md")
	for _, r := range rules.All() {
		row := "| [`" + r.ID + "`](" + r.ID + ".md) | " + r.Title + " | "
		if !strings.Contains(index, row) {
			t.Errorf("docs/rules/README.md lacks the row\n%s …\nrun make generate", row)
		}
	}
	if got, want := strings.Count(index, "\n| [`"), len(rules.All()); got != want {
		t.Errorf("docs/rules/README.md has %d rules, there are %d: run make generate", got, want)
	}
}

func TestEveryRuleHasItsPage(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "docs/rules/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if pages := len(files) - 1; pages != len(rules.All()) { // and the index
		t.Errorf("docs/rules has %d pages for %d rules: run make generate", pages, len(rules.All()))
	}
	for _, r := range rules.All() {
		page := read(t, "docs", "rules", r.ID+".md")
		for _, part := range []string{"# " + r.ID, r.Doc, r.Clauses[0].Address, "## Reasons", "## An example that passes", "## An example that is "} {
			if !strings.Contains(page, part) {
				t.Errorf("docs/rules/%s.md lacks %q: run make generate", r.ID, part)
			}
		}
		for _, p := range r.Parameters {
			if !strings.Contains(page, "`"+p.Name+"`") {
				t.Errorf("docs/rules/%s.md lacks the parameter %s: run make generate", r.ID, p.Name)
			}
		}
	}
}
