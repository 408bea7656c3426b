package manifest_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/manifest"
)

func read(t *testing.T, text string) *manifest.Input {
	t.Helper()
	in, err := manifest.Read([]string{manifest.Stdin}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// names are the kinds and names of what was read.
func names(t *testing.T, in *manifest.Input) []string {
	t.Helper()
	for _, p := range in.Problems {
		t.Errorf("%s:%d: %v", p.File, p.Line, p.Err)
	}
	var list []string
	for _, o := range in.Objects {
		list = append(list, o.GVK.Kind)
	}
	return list
}

func TestReadEveryForm(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"two documents":                   "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Secret\n",
		"separator with a comment":        "apiVersion: v1\nkind: Pod\n--- # next\napiVersion: v1\nkind: Secret\n",
		"separator with content":          "--- {apiVersion: v1, kind: Pod}\n--- {apiVersion: v1, kind: Secret}\n",
		"hidden behind an end marker":     "apiVersion: v1\nkind: Pod\n...\napiVersion: v1\nkind: Secret\n",
		"Windows line ends":               "apiVersion: v1\r\nkind: Pod\r\n---\r\napiVersion: v1\r\nkind: Secret\r\n",
		"byte order mark":                 "\ufeffapiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Secret\n",
		"directive and empty documents":   "%YAML 1.1\n---\n# only a comment\n---\n---\napiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Secret\n---\n",
		"JSON values, one after another":  `{"apiVersion":"v1","kind":"Pod"}` + "\n" + `{"apiVersion":"v1","kind":"Secret"}`,
		"JSON documents":                  `{"apiVersion":"v1","kind":"Pod"}` + "\n---\n" + `{"apiVersion":"v1","kind":"Secret"}` + "\n",
		"JSON documents with tabs":        "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\"\n}\n---\n{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Secret\"\n}\n",
		"JSON documents from Windows":     "\ufeff{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}\r\n---\r\n{\"apiVersion\":\"v1\",\"kind\":\"Secret\"}\r\n",
		"JSON, then YAML":                 `{"apiVersion":"v1","kind":"Pod"}` + "\n---\napiVersion: v1\nkind: Secret\n",
		"YAML, then JSON":                 "apiVersion: v1\nkind: Pod\n---\n" + `{"apiVersion":"v1","kind":"Secret"}`,
		"JSON with a comment behind it":   `{"apiVersion":"v1","kind":"Pod"}` + "\n# the next\n---\n" + `{"apiVersion":"v1","kind":"Secret"}`,
		"JSON behind a comment":           "# generated\n" + `{"apiVersion":"v1","kind":"Pod"}` + "\n---\n# generated\n" + `{"apiVersion":"v1","kind":"Secret"}`,
		"JSON values on one line":         `{"apiVersion":"v1","kind":"Pod"} {"apiVersion":"v1","kind":"Secret"}`,
		"three dashes in a text of JSON":  `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"a":"\n---\n"}}}` + "\n" + `{"apiVersion":"v1","kind":"Secret"}`,
		"a file that begins with dashes":  "---\n" + `{"apiVersion":"v1","kind":"Pod"}` + "\n---\n" + `{"apiVersion":"v1","kind":"Secret"}` + "\n---\n",
		"a List of JSON documents":        `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod"}]}` + "\n---\n" + `{"apiVersion":"v1","kind":"Secret"}`,
		"YAML that begins like JSON":      "{apiVersion: v1, kind: Pod}\n---\n{apiVersion: v1, kind: Secret}\n",
		"a List in YAML":                  "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n- {apiVersion: v1, kind: Secret}\n",
		"a List in JSON":                  `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod"},{"apiVersion":"v1","kind":"Secret"}]}`,
		"a typed list":                    "apiVersion: v1\nkind: PodList\nitems: [{apiVersion: v1, kind: Pod}, {apiVersion: v1, kind: Secret}]\n",
		"a List in a List":                "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items: [{apiVersion: v1, kind: Pod}]\n- {apiVersion: v1, kind: Secret}\n",
		"the last one without a line end": "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Secret",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := names(t, read(t, text)); !slices.Equal(got, []string{"Pod", "Secret"}) {
				t.Errorf("read %q", got)
			}
		})
	}
}

// An API server leaves out the kind of the items of a list of one kind.
func TestItemsHaveTheKindOfTheirList(t *testing.T) {
	t.Parallel()
	in := read(t, `{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}`)
	if got := names(t, in); !slices.Equal(got, []string{"Pod", "Pod"}) || !bytes.Contains(in.Objects[1].JSON, []byte(`"kind":"Pod"`)) {
		t.Errorf("read %q", got)
	}
	if in := read(t, `{"apiVersion":"v1","kind":"List","items":[{"metadata":{"name":"a"}}]}`); in.Foreign != 1 || len(in.Objects) != 0 {
		t.Errorf("what is in a List without a kind: %d foreign, %d objects", in.Foreign, len(in.Objects))
	}
}

// Of what holds no document the input says so.
func TestBlankInput(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "standard input is empty", "# a comment\n---\n": "standard input is empty", "kind: [": "", "a: b": ""} {
		if in := read(t, text); strings.Contains(strings.Join(in.Blank, ""), want) != true || (want == "") != (len(in.Blank) == 0) {
			t.Errorf("%q: %q, want %q", text, in.Blank, want)
		}
	}
	in, err := manifest.Read([]string{t.TempDir()}, nil)
	if err != nil || len(in.Blank) != 1 || !strings.Contains(in.Blank[0], "holds no file that ends in") {
		t.Errorf("an empty folder: %v, %q", err, in.Blank)
	}
}

func TestForeignDocumentsAreCounted(t *testing.T) {
	t.Parallel()
	in := read(t, "services: {web: {image: nginx}}\n---\napiVersion: v1\nkind: Pod\n---\n{}\n")
	if got := names(t, in); len(got) != 1 || in.Foreign != 2 {
		t.Errorf("read %q and %d foreign documents, want one Pod and 2", got, in.Foreign)
	}
}

const pod = `# a comment
---
apiVersion: v1
kind: Pod
metadata:
  name: etl
  annotations:
    iam.amazonaws.com/role: admin
spec:
  containers:
  - name: main
    image: busybox
    env:
    - {name: A, value: b}
    - name: AWS_ACCESS_KEY_ID
      value: x
`

func TestLines(t *testing.T) {
	t.Parallel()
	list := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n- apiVersion: v1\n  kind: Pod\n  spec:\n    hostNetwork: true\n"
	asJSON := "\n{\n \"apiVersion\": \"v1\", \"kind\": \"Pod\",\n \"spec\": {\n  \"containers\": [\n   {\"name\": \"a\"},\n   {\n    \"name\": \"b\",\n    \"image\": \"x\"\n   }\n  ]\n }\n}\n"
	conf := "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: b\n  spark-defaults.conf: |\n    spark.app.name x\n    spark.kubernetes.driverEnv.AWS_PROFILE p\n"
	merged := "apiVersion: v1\nkind: Pod\nx: &x\n  image: y\nspec:\n  containers:\n  - <<: *x\n    name: a\n  - *x\n"
	for _, c := range []struct {
		text, path string
		object     int
		want       int
	}{
		{pod, "", 0, 3},
		{pod, "metadata.annotations[iam.amazonaws.com/role]", 0, 8},
		{pod, "spec.containers[0].env[1]", 0, 15},
		{pod, "spec.containers[0].env[0]", 0, 14},
		{pod, "spec.containers[0].securityContext.privileged", 0, 11}, // the last part that exists
		{pod, "spec.containers[7].image", 0, 10},
		{pod, "spec.initContainers[0]", 0, 9},
		{list, "spec.hostNetwork", 1, 9},
		{list, "", 1, 6},
		{asJSON, "spec.containers[1].image", 0, 9},
		{asJSON, "", 0, 2},
		{conf, "data[spark-defaults.conf][spark.kubernetes.driverEnv.AWS_PROFILE]", 0, 7},
		{conf, "data[spark-defaults.conf]", 0, 5},
		{merged, "spec.containers[0].image", 0, 4},
		{merged, "spec.containers[1].image", 0, 4},
		{pod, "spec.containers[", 0, 10}, // whatever a path looks like
	} {
		if got := read(t, c.text).Objects[c.object].Line(c.path); got != c.want {
			t.Errorf("%q stands on line %d, want %d", c.path, got, c.want)
		}
	}
}

// TestBrokenDocumentIsNamed proves that the others are read.
func TestBrokenDocumentIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, says string
		line       int
	}{
		"YAML":                   {"apiVersion: v1\nkind: Pod\n---\nkind: Pod\n  bad: : x\n---\napiVersion: v1\nkind: Secret\n", "it is no YAML", 5},
		"a tab":                  {"apiVersion: v1\nkind: Pod\n---\nkind: Pod\nspec:\n\tx: y\n---\napiVersion: v1\nkind: Secret\n", "it is no YAML", 6},
		"a template":             {"apiVersion: v1\nkind: Pod\n---\n{{- if .Values.x }}\nkind: Pod\n{{- end }}\n---\napiVersion: v1\nkind: Secret\n", "helm template", 4},
		"a template like JSON":   {"apiVersion: v1\nkind: Pod\n---\n{{- /* a comment */ -}}\napiVersion: v1\n---\napiVersion: v1\nkind: Secret\n", "it is a template", 4},
		"broken JSON":            {`{"apiVersion":"v1","kind":"Pod"}` + "\n---\n{\"apiVersion\":\n  \"v1\" \"kind\"}\n---\n" + `{"apiVersion":"v1","kind":"Secret"}`, "it is no JSON", 4},
		"a list":                 {"apiVersion: v1\nkind: Pod\n---\n- a\n- b\n---\napiVersion: v1\nkind: Secret\n", "a Kubernetes object is a map", 4},
		"a text":                 {"apiVersion: v1\nkind: Pod\n---\nError: release not found\nsee the log\n---\napiVersion: v1\nkind: Secret\n", "it is no YAML", 5},
		"kind is no text":        {"apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: [Pod]\n---\napiVersion: v1\nkind: Secret\n", "apiVersion and kind are texts", 4},
		"an alias of itself":     {"apiVersion: v1\nkind: Pod\n---\na: &a [*a]\n---\napiVersion: v1\nkind: Secret\n", "contains itself", 4},
		"an alias of nothing":    {"apiVersion: v1\nkind: Pod\n---\na: *b\n---\napiVersion: v1\nkind: Secret\n", "it is no YAML", 4},
		"no UTF-8":               {"apiVersion: v1\nkind: Pod\n---\na: \xff\xfe\n---\napiVersion: v1\nkind: Secret\n", "it is no YAML", 4},
		"Lists in Lists forever": {"apiVersion: v1\nkind: Pod\n---\n" + strings.Repeat("{apiVersion: v1, kind: List, items: [", 6) + strings.Repeat("]}", 6) + "\n---\napiVersion: v1\nkind: Secret\n", "Lists in Lists", 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := read(t, c.text)
			if len(in.Problems) != 1 || in.Problems[0].Line != c.line || !strings.Contains(in.Problems[0].Err.Error(), c.says) || in.Problems[0].File != "-" {
				t.Errorf("the problems are %+v, want one of line %d that says %q", in.Problems, c.line, c.says)
			}
			if len(in.Objects) != 2 {
				t.Errorf("%d objects are read beside it, want 2", len(in.Objects))
			}
		})
	}
}

func TestBrokenJSONKeepsWhatCameBefore(t *testing.T) {
	t.Parallel()
	in := read(t, `{"apiVersion":"v1","kind":"Pod"}`+"\n\n"+`{"apiVersion":"v1",`)
	if len(in.Objects) != 1 || len(in.Problems) != 1 || in.Problems[0].Line != 3 || !strings.Contains(in.Problems[0].Err.Error(), "no JSON") {
		t.Errorf("read %d objects, problems %+v", len(in.Objects), in.Problems)
	}
}

// bomb is a billion laughs: each anchor holds the one before nine times.
func bomb(leaf string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Pod\na0: &a0 " + leaf + "\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}

// TestBombsAreRefused has inputs that would take all memory or time if somebody
// resolved them.
func TestBombsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"aliases of aliases": {bomb("x"), "aliases"},
		"aliases of one long text": {
			"apiVersion: v1\nkind: Pod\na: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a,", 1000) + "]\n", "aliases",
		},
		"deep flow lists":   {"apiVersion: v1\nkind: Pod\na: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "nest"},
		"very deep lists":   {"a: " + strings.Repeat("[", 200_000), "exceeded max depth"},
		"deep JSON":         {`{"apiVersion":"v1","kind":"Pod","a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "nests deeper"},
		"very deep JSON":    {`{"a":` + strings.Repeat(`{"a":`, 200_000), "no JSON"},
		"a large document":  {"apiVersion: v1\nkind: Pod\na: " + strings.Repeat("x", manifest.MaxDocumentBytes), "larger than 16 MiB"},
		"a file of 100 MiB": {strings.Repeat("a: b\n", 20<<20), "larger than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := read(t, c.text)
			if len(in.Objects) != 0 || len(in.Problems) != 1 || !strings.Contains(in.Problems[0].Err.Error(), c.says) {
				t.Errorf("read %d objects, problems %+v, want %q", len(in.Objects), in.Problems, c.says)
			}
		})
	}
}

// All files together are bounded too; those that were read are judged.
func TestLargeInputIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.yaml")
	text := append([]byte("apiVersion: v1\nkind: Pod\n---\n# "), bytes.Repeat([]byte("x"), 60<<20)...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := manifest.Read([]string{file, file, file, file, file}, nil)
	if err != nil || len(in.Objects) != 4 || len(in.Problems) != 1 || !strings.Contains(in.Problems[0].Err.Error(), "larger than 256 MiB together") {
		t.Errorf("%v: %d objects, problems %v", err, len(in.Objects), in.Problems)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, kind := range map[string]string{
		"b.yaml": "B", "a/x.YML": "A", "a/y.json": "", "notes.txt": "Z", ".hidden.yaml": "Z", ".git/x.yaml": "Z", "c.yaml.tpl": "Z",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		text := "apiVersion: v1\nkind: " + kind + "\n"
		if kind == "" {
			text = `{"apiVersion": "v1", "kind": "J"}`
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in, err := manifest.Read([]string{dir}, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, in); !slices.Equal(got, []string{"A", "J", "B"}) {
		t.Errorf("the folder has %q, want A, J, B in the order of the paths", got)
	}
	// What is named is read, whatever it is called.
	in, err = manifest.Read([]string{filepath.Join(dir, ".hidden.yaml")}, nil)
	if err != nil || len(in.Objects) != 1 {
		t.Errorf("a hidden file that is named: %v, %v", in, err)
	}
	if _, err := manifest.Read([]string{filepath.Join(dir, "none.yaml")}, nil); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that does not exist: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(pod), "spec.containers[0].env[1]")
	f.Add([]byte(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod"}]}`), "metadata[")
	f.Add([]byte("a: &a [*a]\n...\nb: *a"), "a[0][0]")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		var in manifest.Input
		in.Add("x", data)
		lines := 1
		for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} { // each ends a line of YAML
			lines += bytes.Count(data, []byte(end))
		}
		for i := range in.Objects {
			if line := in.Objects[i].Line(path); line < 1 || line > lines {
				t.Fatalf("%q stands on line %d of %d", path, line, lines)
			}
		}
		for _, p := range in.Problems {
			if p.Err == nil || p.Line > lines+1 {
				t.Fatalf("the problem %+v in %d lines", p, lines)
			}
		}
	})
}
