package main

import (
	"os"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/test/harness"
)

// Every request of the demo is in docs/demo.md, with the answer that it must get, and
// the rows that the README shows are among them.
func TestPageShowsEveryRequest(t *testing.T) {
	page := readFile(t, "../../docs/demo.md")
	for i, r := range rows() {
		var out strings.Builder
		(&table{out: &out, width: defaultWidth}).row(i+1, &r, harness.Answer{Verdict: r.want}, "")
		if !strings.Contains(page, "\n"+out.String()) {
			t.Errorf("docs/demo.md lacks the row below: take it from the output of make demo\n%s", out.String())
		}
	}
	_, readme, _ := strings.Cut(readFile(t, "../../README.md"), "```text\n")
	readme, _, _ = strings.Cut(readme, "```")
	for line := range strings.Lines(readme) {
		if !strings.Contains(page, "\n"+line) {
			t.Errorf("README.md shows a line of the demo that docs/demo.md does not have: %s", line)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
