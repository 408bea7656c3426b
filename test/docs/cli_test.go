package docs_test

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/cli"
)

var (
	commandInText = regexp.MustCompile(`(?m)(?:^|\| |- |sh ')(?:kubectl )?emrguard ([a-z]+)([^|>#'\n]*)`)
	flagInText    = regexp.MustCompile(`(^|\s|\x60)(--?[a-z][a-z-]*)`)
	flagInHelp    = regexp.MustCompile(`(?m)^ +(?:(-[a-z]), )?(--[a-z-]+)`)
)

// Commands and flags in the text exist.
func TestFlagsOfTheCommandLine(t *testing.T) {
	known := map[string]map[string]bool{}
	found := 0
	for _, name := range pages(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range commandInText.FindAllStringSubmatch(code(string(text)), -1) {
			command := m[1]
			if known[command] == nil {
				known[command] = flagsOf(t, command)
			}
			found++
			for _, f := range flagInText.FindAllStringSubmatch(m[2], -1) {
				if !known[command][f[2]] {
					t.Errorf("emrguard %s has no flag %s, which %s shows: %s", command, f[2], name, m[0])
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d commands were found", found)
	}
	all := flagsOf(t, "check")
	for _, command := range []string{"audit", "access"} {
		maps.Copy(all, flagsOf(t, command))
	}
	for _, m := range regexp.MustCompile("`(--[a-z-]+)[^`]*`").FindAllStringSubmatch(read(t, "docs", "cli.md"), -1) {
		if !all[m[1]] {
			t.Errorf("docs/cli.md speaks of %s, which neither check nor audit nor access has", m[1])
		}
	}
}

var (
	fencedCode = regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```$")
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
)

// code is what a page shows as code, without what programs print.
func code(page string) string {
	var b strings.Builder
	for _, m := range fencedCode.FindAllStringSubmatch(page, -1) {
		if m[1] != "text" {
			b.WriteString(m[2])
		}
	}
	for _, m := range inlineCode.FindAllStringSubmatch(fencedCode.ReplaceAllString(page, ""), -1) {
		b.WriteString(m[1] + "\n")
	}
	return b.String()
}

// flagsOf are the flags of a command of emrguard, from its help.
func flagsOf(t *testing.T, command string) map[string]bool {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := cli.Execute([]string{command, "--help"}, &out, &errOut); code != 0 || !strings.Contains(out.String(), "emrguard "+command) {
		t.Errorf("there is no command %q", command)
	}
	flags := map[string]bool{}
	for _, m := range flagInHelp.FindAllStringSubmatch(out.String(), -1) {
		flags[m[1]], flags[m[2]] = true, true
	}
	return flags
}

// The table of inputs is that of the action, and the hook is the one that there is.
func TestActionAndHookInTheText(t *testing.T) {
	page := read(t, "docs", "cli.md")
	var action struct {
		Inputs  map[string]struct{ Default string }
		Outputs map[string]any
	}
	if err := yaml.Unmarshal([]byte(read(t, ".github", "actions", "emrguard-check", "action.yml")), &action); err != nil {
		t.Fatal(err)
	}
	for name, input := range action.Inputs {
		cell := " "
		if input.Default != "" {
			cell = " `" + input.Default + "` "
		}
		if !strings.Contains(page, "| `"+name+"` |"+cell+"|") {
			t.Errorf("docs/cli.md lacks the input %s with the default %q", name, input.Default)
		}
	}
	for name := range action.Outputs {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/cli.md lacks the output %s", name)
		}
	}
	if hooks := read(t, ".pre-commit-hooks.yaml"); !strings.Contains(hooks, "- id: emrguard-check\n") || !strings.Contains(page, "- id: emrguard-check\n") {
		t.Error("docs/cli.md does not name the hook that there is")
	}
}
