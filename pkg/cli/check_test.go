package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	onTheHost = "apiVersion: v1\nkind: Pod\nmetadata: {name: %, namespace: emr-jobs}\nspec:\n  hostNetwork: true\n  containers: [{name: c, image: public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest}]\n"
	clean     = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %, namespace: emr-jobs}\n"
)

func manifestOf(text, name string) string { return strings.ReplaceAll(text, "%", name) }

// folder writes files into a folder and answers it.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCheckEndsByWhatItFinds(t *testing.T) {
	t.Parallel()
	bad, good := write(t, "bad.yaml", manifestOf(onTheHost, "etl")), write(t, "good.yaml", manifestOf(clean, "settings"))
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{good}, 0, "Nothing breaks the guide: 1 object judged"},
		{[]string{bad}, 1, bad + ":5  spec.hostNetwork"},
		{[]string{good, bad}, 1, "2 objects judged: 1 denied"},
		{[]string{"--mode", "warn", bad}, 0, "0 denied, 2 warned"},
		{[]string{"--rules", "kube2iam-kiam-annotation", bad}, 0, "1 rule"},
	} {
		if code, out, errOut := run(append([]string{"check"}, c.args...)...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", c.args, code, c.code, c.want, out, errOut)
		}
	}
}

func TestCheckRefusesBadUsage(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", manifestOf(clean, "settings"))
	for want, args := range map[string][]string{
		"name the files":   {},
		"/no/such/file":    {"/no/such/file"},
		`"xml" is none`:    {"-o", "xml", good},
		`--mode "off"`:     {"--mode", "off", good},
		"--as-group needs": {"--as-group", "a", good},
		`--color "blue"`:   {"--color", "blue", good},
		"no-such-rule":     {"--rules", "no-such-rule", good},
		"/no/such/config":  {"--config", "/no/such/config", good},
	} {
		if code, out, errOut := run(append([]string{"check"}, args...)...); code != 2 || !strings.Contains(errOut, want) || out != "" {
			t.Errorf("%q: exit code %d, want 2 and a word about %s: %s%s", args, code, want, out, errOut)
		}
	}
}

// One file that cannot be read hides nothing of the others, and is never taken for
// a clean one.
func TestCheckNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	var bomb strings.Builder
	bomb.WriteString("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c < 'k'; c++ {
		fmt.Fprintf(&bomb, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	for _, c := range []struct {
		name, text string
		line       string
	}{
		{"tabs.yaml", "apiVersion: v1\nkind: Pod\n\tmetadata: {}\n", ":"},
		{"second.yaml", manifestOf(clean, "a") + "---\nkind: [\n", ":"},
		{"list.yaml", "- a\n- b\n", ":1"},
		{"wrong.yaml", "# a comment\napiVersion: v1\nkind: Pod\nmetadata: []\n", ":2"},
		{"nameless.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {}\n", ":1"},
		{"cut.json", `{"apiVersion": "v1", "kind": "Pod"`, ":1"},
		{"deep.yaml", "apiVersion: v1\nkind: Pod\nspec: " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "\n", ":1"},
		{"bomb.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n" + bomb.String(), ":"},
		{"big.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x, annotations: {a: " + strings.Repeat("x", 17<<20) + "}}\n", ":"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{
				c.name: c.text, "etl.yaml": manifestOf(onTheHost, "etl"),
				"unknown.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\n", "values.yml": "replicas: 1\n", "readme.txt": "kind: [",
			})
			code, out, errOut := run("check", dir)
			if code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			if at := "\n  " + filepath.Join(dir, c.name) + c.line; !strings.Contains(out, "Could not be judged:") || !strings.Contains(out, at) {
				t.Errorf("the report does not name %s", at)
			}
			if !strings.Contains(out, "etl.yaml:5  spec.hostNetwork") || !strings.Contains(out, "2 of kinds that no rule reads skipped: 1 denied") || !strings.Contains(out, "1 problem.") {
				t.Error("the other files were not judged and counted")
			}
			if t.Failed() {
				t.Logf("%s%s", out[:min(len(out), 3000)], errOut)
			}
			code, out, _ = run("check", "-o", "json", dir)
			if !json.Valid([]byte(out)) || code != 2 {
				t.Errorf("as JSON: exit code %d, %s", code, out[:min(len(out), 1000)])
			}
		})
	}
}
