package action_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// hook is a hook of .pre-commit-hooks.yaml.
type hook struct {
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	Entry          string   `json:"entry"`
	Language       string   `json:"language"`
	Files          string   `json:"files"`
	Types          []string `json:"types"`
	RequireSerial  bool     `json:"require_serial"`
	MinimumVersion string   `json:"minimum_pre_commit_version"`
}

func loadHook(t *testing.T) *hook {
	t.Helper()
	text, err := os.ReadFile(repository + "/.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []hook
	if err := yaml.UnmarshalStrict(text, &hooks); err != nil || len(hooks) != 1 {
		t.Fatalf("%d hooks: %v", len(hooks), err)
	}
	return &hooks[0]
}

// pre-commit installs what the module's commands are, and calls the entry with the
// files that are about to be committed.
func TestHookJudgesTheFilesOfACommit(t *testing.T) {
	t.Parallel()
	h := loadHook(t)
	if h.ID != "emrguard-check" || h.Language != "golang" || !h.RequireSerial {
		t.Errorf("hook %+v", h)
	}
	files := regexp.MustCompile(h.Files)
	for name, want := range map[string]bool{"jobs/etl.yaml": true, "etl.yml": true, "etl.json": true, "etl.yaml.orig": false, "main.go": false} {
		if got := files.MatchString(name); got != want {
			t.Errorf("%s is a file of the hook: %v, want %v", name, got, want)
		}
	}

	emrguard, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(emrguard, filepath.Join(bin, "emrguard")); err != nil {
		t.Fatal(err)
	}
	entry := strings.Fields(h.Entry)
	for _, c := range []struct {
		files []string
		code  int
		says  string
	}{
		{[]string{"jobs/settings.yaml"}, 0, "Nothing breaks the guide"},
		{[]string{"jobs/settings.yaml", "jobs/etl.yaml"}, 1, "jobs/etl.yaml:5"},
		{[]string{"package.json", "values.yaml"}, 0, "2 of kinds that no rule reads skipped"},
		{[]string{"bad.yaml"}, 2, "bad.yaml:"},
	} {
		r := newRunner(t)
		r.write(t, "package.json", `{"name": "x"}`)
		r.write(t, "values.yaml", "replicas: 2\n")
		r.write(t, "bad.yaml", "kind: [")
		var out bytes.Buffer
		command := exec.CommandContext(t.Context(), filepath.Join(bin, entry[0]), append(entry[1:], c.files...)...)
		command.Dir, command.Stdout, command.Stderr = r.workspace, &out, &out
		code := 0
		if err := command.Run(); err != nil {
			failed := (*exec.ExitError)(nil)
			if !errors.As(err, &failed) {
				t.Fatal(err)
			}
			code = failed.ExitCode()
		}
		if code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q: exit code %d, want %d and %q in\n%s", c.files, code, c.code, c.says, &out)
		}
	}
}
