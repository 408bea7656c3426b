package docs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/cli"
)

// block is a fenced block of a page behind a comment that says what to do with it:
// "file: NAME", "run: EXIT CODE", "output" or "yaml".
type block struct{ what, argument, text string }

var blockPattern = regexp.MustCompile("(?s)<!-- (file|run|output|yaml)(?:: ([^ ]+))? -->\n```[a-z]+\n(.*?)```")

// The examples that name files of their page do what the page says, and print what it
// shows.
func TestExamples(t *testing.T) {
	for page, least := range map[string]int{"README.md": 2, "docs/cli.md": 10} {
		t.Run(page, func(t *testing.T) {
			list := blockPattern.FindAllStringSubmatch(read(t, page), -1)
			t.Chdir(t.TempDir())
			ran, printed := 0, ""
			for _, m := range list {
				switch b := (block{m[1], m[2], m[3]}); b.what {
				case "file":
					b.write(t)
				case "yaml":
					var v any
					if err := yaml.UnmarshalStrict([]byte(b.text), &v); err != nil {
						t.Errorf("%v in\n%s", err, b.text)
					}
				case "run":
					for line := range strings.Lines(b.text) {
						printed = b.run(t, line)
						ran++
					}
				case "output":
					b.compare(t, printed)
					ran++
				}
			}
			if ran < least {
				t.Errorf("only %d examples were found", ran)
			}
		})
	}
}

func (b *block) write(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.argument), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.argument, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs one line, which must end with the exit code of the block, and returns what it
// prints.
func (b *block) run(t *testing.T, line string) string {
	t.Helper()
	want, err := strconv.Atoi(b.argument)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(line)
	if words[0] != "emrguard" {
		t.Fatalf("the test can only run emrguard: %s", line)
	}
	var out, errOut bytes.Buffer
	if code := cli.Execute(words[1:], &out, &errOut); code != want || errOut.Len() > 0 || out.Len() == 0 {
		t.Errorf("%s: exit code %d, want %d\n%s%s", line, code, want, &out, &errOut)
	}
	return out.String()
}

// compare compares what a page shows with what is printed. A line "…" stands for lines
// that are left out.
func (b *block) compare(t *testing.T, printed string) {
	t.Helper()
	rest := printed
	for i, part := range strings.Split(b.text, "…\n") {
		at := strings.Index(rest, part)
		if at < 0 || i == 0 && at > 0 {
			t.Fatalf("the page shows\n%s\nwhich emrguard does not print; it prints\n%s", part, printed)
		}
		rest = rest[at+len(part):]
	}
	if rest != "" && !strings.HasSuffix(b.text, "…\n") {
		t.Errorf("the page does not show the end of the output:\n%s", rest)
	}
}
