// Package newcomer adds a rule as CONTRIBUTING.md shows it, to a copy of the
// repository, and looks at what had to be touched for it.
package newcomer_test

import (
	"crypto/sha256"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root = "../.."
	list = "pkg/rules/all.go"
)

// generated is where `make generate` writes.
var generated = []string{"charts/emrguard/files/", "charts/emrguard/values.schema.json", "config/", "docs/rules/", "README.md"}

// step is a block of the worked example: a "file" to write at a path, a "line" to put into
// the list below another one, or a script to "run".
type step struct{ what, path, below, text string }

var stepPattern = regexp.MustCompile("(?s)<!-- (file|line|run)(?:: ([^ ]+)(?: below ([^\n]+?))?)? -->\n```[a-z]+\n(.*?)```")

// Adding a rule touches one Go file, one page, one folder of fixtures and one line of the
// list; everything else is generated.
func TestNewRule(t *testing.T) {
	steps := example(t)
	dir := t.TempDir()
	before := copyRepository(t, dir)
	for _, s := range steps {
		switch s.what {
		case "file":
			write(t, filepath.Join(dir, s.path), s.text)
		case "line":
			insert(t, filepath.Join(dir, s.path), s.below, s.text)
		}
	}
	written := snapshot(t, dir)
	id := checkWritten(t, dir, changed(before, written))

	var ran strings.Builder
	for _, s := range steps {
		if s.what == "run" {
			run(t, dir, s.text)
			ran.WriteString(s.text)
		}
	}
	if script := ran.String(); !strings.Contains(script, "make generate\n") || !strings.Contains(script, id) {
		t.Errorf("the example runs\n%swhich does not generate anything, or does not test %s", script, id)
	}
	followed := changed(written, snapshot(t, dir))
	for _, file := range followed {
		if !slices.ContainsFunc(generated, func(p string) bool { return file == p || strings.HasSuffix(p, "/") && strings.HasPrefix(file, p) }) {
			t.Errorf("%s changed too, and is not generated", file)
		}
	}
	for _, file := range []string{"docs/rules/" + id + ".md", "docs/rules/README.md", "README.md", "charts/emrguard/values.schema.json"} {
		if !slices.Contains(followed, file) {
			t.Errorf("%s did not follow; what did: %q", file, followed)
		}
	}
}

// checkWritten checks which files the example writes by hand, and returns the id of its
// rule.
func checkWritten(t *testing.T, dir string, files []string) string {
	t.Helper()
	var code, page, id string
	fixtures := map[string]bool{}
	for _, file := range files {
		parts := strings.Split(file, "/")
		switch {
		case file == list:
		case strings.HasPrefix(file, "pkg/rules/") && path.Ext(file) == ".go" && code == "":
			code = file
		case strings.HasPrefix(file, "pkg/rules/") && path.Ext(file) == ".md" && page == "":
			page, id = file, strings.TrimSuffix(path.Base(file), ".md")
		case strings.HasPrefix(file, "test/fixtures/") && len(parts) == 5:
			fixtures[parts[2]] = true
		default:
			t.Errorf("the example touches %s as well", file)
		}
	}
	switch {
	case code == "" || page == "":
		t.Fatalf("the example writes no Go file or no page in pkg/rules: %q", files)
	case path.Dir(code) != path.Dir(page):
		t.Errorf("%s and %s are not in one folder", code, page)
	case len(fixtures) != 1 || !fixtures[id]:
		t.Errorf("the example has fixtures of %v, not of %s alone", slices.Collect(maps.Keys(fixtures)), id)
	}
	if text := read(t, filepath.Join(dir, code)); !isFormatted(t, text) {
		t.Errorf("%s is not as gofmt writes it", code)
	}
	old, now := lines(t, filepath.Join(root, list)), lines(t, filepath.Join(dir, list))
	if len(now) != len(old)+1 {
		t.Errorf("%s has %d lines more than before, not one", list, len(now)-len(old))
	}
	return id
}

// example reads the worked example.
func example(t *testing.T) []step {
	t.Helper()
	var steps []step
	for _, m := range stepPattern.FindAllStringSubmatch(read(t, filepath.Join(root, "CONTRIBUTING.md")), -1) {
		steps = append(steps, step{m[1], m[2], m[3], m[4]})
	}
	if len(steps) < 5 {
		t.Fatalf("CONTRIBUTING.md has %d blocks that belong to the example", len(steps))
	}
	return steps
}

// copyRepository copies everything but what is built, and returns the snapshot of it.
func copyRepository(t *testing.T, to string) map[string][sha256.Size]byte {
	t.Helper()
	walk(t, root, func(name string) {
		text := read(t, filepath.Join(root, name))
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, []byte(text), info.Mode()); err != nil {
			t.Fatal(err)
		}
	})
	return snapshot(t, to)
}

func snapshot(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	sums := map[string][sha256.Size]byte{}
	walk(t, dir, func(name string) {
		sums[name] = sha256.Sum256([]byte(read(t, filepath.Join(dir, name))))
	})
	return sums
}

// changed lists the files that differ, are new or are gone, sorted.
func changed(before, after map[string][sha256.Size]byte) []string {
	names := map[string]bool{}
	for name, sum := range after {
		if before[name] != sum {
			names[name] = true
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// walk calls f with every file of the repository, by its path with slashes, and leaves out
// what is built.
func walk(t *testing.T, dir string, f func(name string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".cache", "bin"}, name):
			return fs.SkipDir
		case d.Type().IsRegular() && name != ".git": // a worktree has a file of that name
			f(filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if _, err := os.Stat(file); err == nil {
		t.Fatalf("%s exists already: the example would replace it", file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// insert puts text below the one line that holds another text.
func insert(t *testing.T, file, below, text string) {
	t.Helper()
	all := lines(t, file)
	found := -1
	for i, line := range all {
		if strings.TrimSpace(line) == below {
			if found >= 0 {
				t.Fatalf("%s has %q twice", file, below)
			}
			found = i
		}
	}
	if found < 0 {
		t.Fatalf("%s has no line %q", file, below)
	}
	all = slices.Insert(all, found+1, strings.TrimSuffix(text, "\n"))
	if err := os.WriteFile(file, []byte(strings.Join(all, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	return strings.Split(read(t, file), "\n")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func isFormatted(t *testing.T, code string) bool {
	t.Helper()
	formatted, err := format.Source([]byte(code))
	if err != nil {
		t.Fatal(err)
	}
	return string(formatted) == code
}

// run runs a script in the copy, with the tools that the repository has built and without
// the network.
func run(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-trimpath")
	if os.Getenv("EMRGUARD_CACHE") == "" {
		cache, err := filepath.Abs(filepath.Join(root, ".cache"))
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, "EMRGUARD_CACHE="+cache)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v in\n%s\n%s", err, script, out)
	}
	if strings.Contains(script, "go test") && (!strings.Contains(string(out), "ok") || strings.Contains(string(out), "no tests to run")) {
		t.Errorf("nothing was tested by\n%s\n%s", script, out)
	}
}
