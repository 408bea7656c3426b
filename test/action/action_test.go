// Package action proves the GitHub Action and the hook of pre-commit: it runs their
// commands as GitHub and pre-commit would.
package action_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"
)

const repository = "../.."

// step is a step of a composite action.
type step struct {
	Name  string            `json:"name"`
	ID    string            `json:"id"`
	If    string            `json:"if"`
	Uses  string            `json:"uses"`
	With  map[string]string `json:"with"`
	Shell string            `json:"shell"`
	Env   map[string]string `json:"env"`
	Run   string            `json:"run"`
}

// definition is an action.yml.
type definition struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Author      string `json:"author"`
	Inputs      map[string]struct {
		Description string `json:"description"`
		Default     string `json:"default"`
	} `json:"inputs"`
	Outputs map[string]struct {
		Description string `json:"description"`
		Value       string `json:"value"`
	} `json:"outputs"`
	Runs struct {
		Using string `json:"using"`
		Steps []step `json:"steps"`
	} `json:"runs"`
}

func load(t *testing.T) *definition {
	t.Helper()
	text, err := os.ReadFile(repository + "/.github/actions/emrguard-check/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var d definition
	if err := yaml.UnmarshalStrict(text, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// binary is the emrguard under test, built once unless one is named.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("EMRGUARD_BIN"); path != "" {
		return path, nil
	}
	path := filepath.Join(os.TempDir(), "emrguard-of-test-action")
	command := exec.Command("go", "build", "-o", path, "./cmd/emrguard")
	command.Dir, command.Stderr = repository, os.Stderr
	return path, command.Run()
})

// runner is a job of GitHub Actions with a workspace.
type runner struct {
	workspace, temp string
	outputs         map[string]string // "steps.ID.outputs.NAME"
	log             bytes.Buffer
	path            string
}

const badPod = "apiVersion: v1\nkind: Pod\nmetadata: {name: etl}\nspec:\n  hostNetwork: true\n  containers: [{name: c, image: i}]\n"

func newRunner(t *testing.T) *runner {
	t.Helper()
	r := &runner{workspace: t.TempDir(), temp: t.TempDir(), outputs: map[string]string{}, path: os.Getenv("PATH")}
	r.write(t, "jobs/etl.yaml", badPod)
	r.write(t, "jobs/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
	return r
}

func (r *runner) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(r.workspace, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var expression = regexp.MustCompile(`^\$\{\{ (inputs\.([a-z-]+)|steps\.[a-z]+\.outputs\.[a-z-]+) \}\}$`)

// run runs the scripts of the action one after the other as GitHub does and answers
// the exit code of the last one that ran.
func (r *runner) run(t *testing.T, d *definition, inputs map[string]string) int {
	t.Helper()
	for _, s := range d.Runs.Steps {
		if s.Run == "" {
			continue
		}
		output := filepath.Join(r.temp, s.ID+".output")
		command := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		command.Dir, command.Stdout, command.Stderr = r.workspace, &r.log, &r.log
		command.Env = []string{"PATH=" + r.path, "HOME=" + r.temp, "RUNNER_TEMP=" + r.temp, "GITHUB_OUTPUT=" + output}
		for name, value := range s.Env {
			m := expression.FindStringSubmatch(value)
			switch {
			case m == nil:
				t.Fatalf("step %s: the test cannot evaluate %s", s.ID, value)
			case m[2] == "":
				value = r.outputs[m[1]]
			default:
				input, ok := d.Inputs[m[2]]
				if !ok {
					t.Fatalf("step %s reads the input %s, which there is not", s.ID, m[2])
				}
				value = input.Default
				if given, ok := inputs[m[2]]; ok {
					value = given
				}
			}
			command.Env = append(command.Env, name+"="+value)
		}
		if err := command.Run(); err != nil {
			failed := (*exec.ExitError)(nil)
			if !errors.As(err, &failed) {
				t.Fatal(err)
			}
			return failed.ExitCode()
		}
		text, err := os.ReadFile(output)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			if !ok {
				t.Fatalf("step %s wrote the output %q", s.ID, line)
			}
			r.outputs["steps."+s.ID+".outputs."+name] = value
		}
	}
	return 0
}

func TestAction(t *testing.T) {
	t.Parallel()
	emrguard, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	const config = "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\nemr: {namespaces: [emr-jobs]}\n"
	for name, c := range map[string]struct {
		inputs           map[string]string
		code             int
		findings         bool
		noReport         bool
		log, exitOfCheck string
	}{
		"by default":            {code: 1, findings: true, exitOfCheck: "1", log: "would deny something"},
		"fail-on none":          {inputs: map[string]string{"fail-on": "none"}, findings: true, exitOfCheck: "1", log: "jobs/etl.yaml:5"},
		"one clean file":        {inputs: map[string]string{"paths": "jobs/settings.yaml"}, exitOfCheck: "0", log: "Nothing breaks the guide"},
		"two paths":             {inputs: map[string]string{"paths": "jobs/settings.yaml\n  jobs/etl.yaml\n\n"}, code: 1, findings: true, exitOfCheck: "1"},
		"a path with blanks":    {inputs: map[string]string{"paths": "with blanks/etl.yaml"}, code: 1, findings: true, exitOfCheck: "1"},
		"out of scope":          {inputs: map[string]string{"config": "config.yml", "namespace": "other"}, code: 2, exitOfCheck: "2", log: "Nothing was judged"},
		"out of scope, allowed": {inputs: map[string]string{"config": "config.yml", "namespace": "other", "args": "--allow-empty"}, exitOfCheck: "0"},
		"a warning":             {inputs: map[string]string{"args": "--rules=irsa-credentials"}, findings: true, exitOfCheck: "0"},
		"fail-on warn":          {inputs: map[string]string{"args": "--rules=irsa-credentials", "fail-on": "warn"}, code: 1, findings: true, exitOfCheck: "1", log: "or warn about it"},
		"in scope":              {inputs: map[string]string{"config": "config.yml", "namespace": "emr-jobs"}, code: 1, findings: true, exitOfCheck: "1"},
		"arguments":             {inputs: map[string]string{"args": "--mode=warn\n--rules=instance-profile-access"}, findings: true, exitOfCheck: "0"},
		"a bad argument":        {inputs: map[string]string{"args": "--no-such"}, code: 2, noReport: true, exitOfCheck: "2", log: "unknown flag"},
		"what cannot be read":   {inputs: map[string]string{"paths": "bad.yaml\njobs/settings.yaml", "fail-on": "none"}, code: 2, exitOfCheck: "2", log: "could not judge everything"},
		"a path that is not":    {inputs: map[string]string{"paths": "none.yaml"}, code: 2, noReport: true, exitOfCheck: "2", log: "none.yaml"},
		"no such binary":        {inputs: map[string]string{"binary": "none"}, code: 2, noReport: true, log: "::error::binary: none is no program"},
		"fail-on something":     {inputs: map[string]string{"fail-on": "audit"}, code: 2, noReport: true, log: "::error::fail-on"},
		"a moving version":      {inputs: map[string]string{"binary": "", "version": "latest"}, code: 2, noReport: true, log: "::error::version"},
		"a path like an option": {inputs: map[string]string{"paths": "--help"}, code: 2, noReport: true, exitOfCheck: "2", log: "--help"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.write(t, "config.yml", config)
			r.write(t, "with blanks/etl.yaml", badPod)
			r.write(t, "bad.yaml", "kind: [")
			inputs := map[string]string{"binary": emrguard, "paths": "jobs"}
			maps.Copy(inputs, c.inputs)
			code := r.run(t, load(t), inputs)
			if code != c.code || !strings.Contains(r.log.String(), c.log) || r.outputs["steps.check.outputs.exit-code"] != c.exitOfCheck {
				t.Errorf("exit code %d, want %d and %q in\n%s\noutputs %q", code, c.code, c.log, &r.log, r.outputs)
			}
			sarif := r.outputs["steps.check.outputs.sarif"]
			if c.noReport {
				if sarif != "" {
					t.Errorf("there is a report, %s", sarif)
				}
				return
			}
			if got := results(t, sarif); got != c.findings {
				t.Errorf("the report has findings: %v, want %v", got, c.findings)
			}
		})
	}
}

// results reports whether a SARIF file holds results.
func results(t *testing.T, path string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var sarif struct {
		Version string
		Runs    []struct{ Results []any }
	}
	if err := json.Unmarshal(text, &sarif); err != nil || sarif.Version != "2.1.0" || len(sarif.Runs) != 1 {
		t.Fatalf("no SARIF: %v: %s", err, text)
	}
	return len(sarif.Runs[0].Results) > 0
}

// What an input says never becomes a command, of the shell or of GitHub.
func TestHostileInputs(t *testing.T) {
	t.Parallel()
	d := load(t)
	for _, s := range d.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q: an expression stands in the script", s.Name)
		}
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("step %q has the shell %q", s.Name, s.Shell)
		}
	}
	emrguard, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var inputs []string
	for name := range d.Inputs {
		inputs = append(inputs, name)
	}
	slices.Sort(inputs)
	for _, name := range inputs {
		for _, value := range []string{
			"; touch pwned", "$(touch pwned)", "`touch pwned`", "' ; touch pwned ; '", "\"; touch pwned; \"", "&& touch pwned", "| touch pwned",
			"x\ntouch pwned", "a[$(touch pwned)]", "x\n::add-mask::pwned", "x\nemrguard=/bin/true", "\\$(touch pwned)", "*", "${IFS}touch${IFS}pwned",
		} {
			t.Run(name+" "+value, func(t *testing.T) {
				t.Parallel()
				r := newRunner(t)
				given := map[string]string{"binary": emrguard, "paths": "jobs"}
				given[name] = value
				if name == "version" {
					given["binary"] = ""
				}
				r.run(t, d, given)
				for _, folder := range []string{r.workspace, r.temp} {
					err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
						if strings.HasPrefix(filepath.Base(path), "pwned") {
							t.Errorf("a command was run: %s", path)
						}
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				for line := range strings.Lines(r.log.String()) {
					if line = strings.TrimSpace(line); strings.HasPrefix(line, "::") && !strings.HasPrefix(line, "::error::") {
						t.Errorf("GitHub would take this as a command: %s", line)
					}
				}
				if got := r.outputs["steps.install.outputs.emrguard"]; got != "" && got != emrguard {
					t.Errorf("the step would run %s", got)
				}
			})
		}
	}
}

// Without a binary one is installed, of the version that is asked for.
func TestActionInstalls(t *testing.T) {
	t.Parallel()
	emrguard, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v0.1.0", "v1.2.3-rc.1", strings.Repeat("0a", 20)} {
		r := newRunner(t)
		tools := t.TempDir()
		r.path = tools + string(os.PathListSeparator) + r.path
		fake := "#!/bin/sh\necho \"$@\" > asked\nmkdir -p \"$GOBIN\" && ln -s '" + emrguard + "' \"$GOBIN/emrguard\"\n"
		if err := os.WriteFile(filepath.Join(tools, "go"), []byte(fake), 0o700); err != nil {
			t.Fatal(err)
		}
		code := r.run(t, load(t), map[string]string{"version": version, "paths": "jobs"})
		asked, err := os.ReadFile(filepath.Join(r.workspace, "asked"))
		if want := "install github.com/emrguard/emrguard/cmd/emrguard@" + version + "\n"; err != nil || string(asked) != want || code != 1 {
			t.Errorf("exit code %d; go was asked to %q (%v), want %q\n%s", code, asked, err, want, &r.log)
		}
	}
}

// What is not a script is looked at: outputs and conditions name what there is, and
// other actions have a version.
func TestActionIsWired(t *testing.T) {
	t.Parallel()
	d := load(t)
	if d.Runs.Using != "composite" || d.Name == "" || d.Description == "" {
		t.Errorf("using %q, name %q", d.Runs.Using, d.Name)
	}
	for name, input := range d.Inputs {
		if input.Description == "" {
			t.Errorf("the input %s has no description", name)
		}
	}
	written := map[string]bool{"steps.upload.outputs.sarif-id": true} // by GitHub's action
	output := regexp.MustCompile(`printf '([a-z-]+)=%s\\n' .* >> "\$GITHUB_OUTPUT"`)
	for _, s := range d.Runs.Steps {
		for _, m := range output.FindAllStringSubmatch(s.Run, -1) {
			written["steps."+s.ID+".outputs."+m[1]] = true
		}
		if s.Uses != "" && !regexp.MustCompile(`^(actions|github)/[a-z/-]+@v[0-9]+$`).MatchString(s.Uses) {
			t.Errorf("step %q uses %s", s.Name, s.Uses)
		}
	}
	text, err := os.ReadFile(repository + "/.github/actions/emrguard-check/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, reference := range regexp.MustCompile(`steps\.[a-z]+\.outputs\.[a-z-]+`).FindAllString(string(text), -1) {
		if !written[reference] {
			t.Errorf("no step writes %s", reference)
		}
	}
	for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
		if _, ok := d.Inputs[m[1]]; !ok {
			t.Errorf("there is no input %s", m[1])
		}
	}
}
