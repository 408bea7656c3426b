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

func TestEveryRuleIsInTheREADME(t *testing.T) {
	readme := read(t, "README.md")
	for _, r := range rules.All() {
		row := "| [`" + r.ID + "`](docs/rules/" + r.ID + ".md) | " + r.Title + " | " + string(r.Default)
		if !strings.Contains(readme, row) {
			t.Errorf("the README's table of rules lacks the row\n%s …", row)
		}
		if !strings.Contains(readme, r.Guide.Section) {
			t.Errorf("the README does not name the clause %q of %s", r.Guide.Section, r.ID)
		}
	}
	if got, want := strings.Count(readme, "](docs/rules/"), len(rules.All()); got != want {
		t.Errorf("the README's table has %d rules, there are %d", got, want)
	}
}

func TestEveryRuleHasItsPage(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "docs/rules/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(rules.All()) {
		t.Errorf("docs/rules has %d pages for %d rules: run make generate", len(files), len(rules.All()))
	}
	for _, r := range rules.All() {
		page := read(t, "docs", "rules", r.ID+".md")
		for _, part := range []string{"# " + r.ID, r.Doc, r.Remediation, r.Guide.Address} {
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

// Links of the README lead to files that exist.
func TestLinksOfTheREADME(t *testing.T) {
	for part := range strings.SplitSeq(read(t, "README.md"), "](") {
		target, _, ok := strings.Cut(part, ")")
		if !ok || strings.Contains(target, "://") || strings.ContainsAny(target, " \n#") || target == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, target)); err != nil {
			t.Errorf("a link of the README leads nowhere: %v", err)
		}
	}
}
