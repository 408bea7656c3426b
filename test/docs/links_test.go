package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fencePattern   = regexp.MustCompile("(?ms)^( *)```.*?^ *```$")
	linkedText     = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
)

// Relative links of all pages lead to files that exist, and their anchors to headings.
func TestLinks(t *testing.T) {
	found := 0
	for _, page := range pages(t) {
		for _, m := range linkPattern.FindAllStringSubmatch(withoutFences(t, page), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			found++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			info, err := os.Stat(target)
			if err != nil {
				t.Errorf("%s: the link %q leads nowhere: %v", page, m[1], err)
				continue
			}
			if anchor != "" && (info.IsDir() || !anchors(t, target)[anchor]) {
				t.Errorf("%s: there is no heading for the link %q", page, m[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d links were found", found)
	}
}

// The index of docs/ leads to every page there, but for those that have an index of
// their own.
func TestIndexIsComplete(t *testing.T) {
	index := read(t, "docs", "README.md")
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := filepath.Base(file); name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md has no link to %s", name)
		}
	}
}

// anchors are the anchors that GitHub gives to the headings of a page.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, m := range headingPattern.FindAllStringSubmatch(withoutFences(t, page), -1) {
		anchor := slug(m[1])
		for n := 1; known[anchor]; n++ {
			anchor = slug(m[1]) + "-" + strconv.Itoa(n)
		}
		known[anchor] = true
	}
	return known
}

// slug is the anchor of a heading: in lower case, without punctuation, with dashes for
// spaces.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(linkedText.ReplaceAllString(heading, "$1")) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

func TestSlug(t *testing.T) {
	for heading, want := range map[string]string{
		"Exemptions":                       "exemptions",
		"On EKS, in order":                 "on-eks-in-order",
		"What fails closed, and what open": "what-fails-closed-and-what-open",
		"1. Build the image":               "1-build-the-image",
		"`check`":                          "check",
		"[Rules](rules/README.md)":         "rules",
		"EMRGuardDown":                     "emrguarddown",
	} {
		if got := slug(heading); got != want {
			t.Errorf("the anchor of %q is %q, want %q", heading, got, want)
		}
	}
}

func withoutFences(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return fencePattern.ReplaceAllString(string(text), "")
}
