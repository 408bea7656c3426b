package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/rules"
)

// maxReadme is how many lines a newcomer is asked to read.
const maxReadme = 150

func TestREADMEIsShort(t *testing.T) {
	if n := strings.Count(read(t, "README.md"), "\n"); n > maxReadme {
		t.Errorf("README.md has %d lines, at most %d are allowed: move something to docs/", n, maxReadme)
	}
}

func TestREADMECountsTheRules(t *testing.T) {
	if want := fmt.Sprintf("[%d rules](docs/rules/README.md)", len(rules.All())); !strings.Contains(read(t, "README.md"), want) {
		t.Errorf("README.md does not say %q", want)
	}
}

var (
	makeCommand = regexp.MustCompile("(?m)(?:^|`)make ([a-z][a-z-]*)")
	makeTarget  = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
)

// Every target of make that a page names exists.
func TestTargetsOfThePages(t *testing.T) {
	known := map[string]bool{}
	for _, m := range makeTarget.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		known[m[1]] = true
	}
	found := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range makeCommand.FindAllStringSubmatch(string(text), -1) {
			found++
			if !known[m[1]] {
				t.Errorf("%s: there is no target %q of make", page, m[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands of make were found", found)
	}
}

// What the README calls the test is what a clean clone is tested by.
func TestREADMENamesTheTest(t *testing.T) {
	const command = "make test"
	if !strings.Contains(read(t, "README.md"), "`"+command+"`") {
		t.Errorf("README.md does not name %q", command)
	}
	if !strings.Contains(read(t, ".ci", "run"), "\n"+command+"\n") {
		t.Errorf(".ci/run does not call %q, which README.md names", command)
	}
}
