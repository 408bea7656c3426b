package describe_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/cli/describe"
)

func TestCell(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a plain text":                        "a plain text",
		"a|b\nc":                              "a\\|b c",
		"any <name> of *":                     "any &lt;name> of \\*",
		"`system:<name>` and `arn:*`":         "`system:<name>` and `arn:*`",
		"`a|b` or <c>":                        "`a\\|b` or &lt;c>",
		"a backquote ` that nothing closes <": "a backquote ` that nothing closes &lt;",
	} {
		if got := describe.Cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
