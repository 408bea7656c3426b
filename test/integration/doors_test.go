package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/test/fixtures"
	"github.com/emrguard/emrguard/test/harness"
)

// door is one way in which an object is judged when nobody asks for it. Its answers
// are "action [rule]", sorted.
type doors struct {
	fixture              *fixtures.Fixture
	engine, check, audit []string
}

// TestDoors plants the object of every fixture and has it judged at every door: by
// the engine, by `emrguard check` as a file, by `emrguard audit` as it exists on the
// API server. All must find the same; and where who asks does not matter, the same as
// the fixture says of admission, which TestFixtures compares with the API server's
// answer. The table of all answers is in the log (go test -v).
func TestDoors(t *testing.T) {
	list, err := fixtures.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]*doors{} // by configuration
	t.Run("plant", func(t *testing.T) {
		for i, f := range list {
			if !f.IsObject() || isShared(f) || f.BeingDeleted() {
				continue
			}
			f, err := f.In(fmt.Sprintf("door-%d", i))
			if err != nil {
				t.Fatal(err)
			}
			data, err := configOf(t.Context(), f.Config)
			if err != nil {
				t.Fatal(err)
			}
			all[data] = append(all[data], &doors{fixture: f})
			t.Run(testName(f), func(t *testing.T) {
				t.Parallel()
				plantFixture(t, f)
			})
		}
	})
	if t.Failed() {
		return
	}
	for _, conf := range slices.Sorted(maps.Keys(all)) {
		found := auditAll(t, conf)
		for _, d := range all[conf] {
			t.Run(testName(d.fixture), func(t *testing.T) { d.compare(t, conf, found) })
		}
	}
	logTable(t, all)
}

// isShared reports whether an object concerns more than its own namespace, so that
// it would get in the way of others.
func isShared(f *fixtures.Fixture) bool {
	return f.Elsewhere() || strings.HasPrefix(f.Object.GetAPIVersion(), "admissionregistration.k8s.io/") ||
		f.Audit && f.Object.GetNamespace() != f.Namespace && f.Object.GetName() != f.Namespace
}

// plantFixture brings about what a fixture asks for.
func plantFixture(t *testing.T, f *fixtures.Fixture) {
	t.Helper()
	setup := planter(t)
	if f.Object.GetKind() == "Namespace" {
		putInScope(f)
		plant(t, setup, f.Object)
	} else {
		namespace(t, f.Namespace, managed())
	}
	for _, obj := range f.Given {
		if ns := obj.GetNamespace(); ns != "" && ns != f.Namespace {
			namespace(t, ns, nil)
		}
		stored := plant(t, setup, obj)
		if written := obj.GetUID(); written != "" {
			f.Own(written, stored.GetUID())
		}
	}
	if f.Subresource == "" && f.Object.GetKind() != "Namespace" {
		plant(t, setup, f.Object)
	}
	if f.Subresource == "" {
		return
	}
	plant(t, setup, f.Old)
	change, err := f.Change()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := setup.Patch(t.Context(), f.Object, change.Type, string(change.Data), harness.Subresource(f.Subresource))
	must(t, "plant the change", a)
}

// auditAll runs `emrguard audit` on the whole cluster and returns what it finds, by
// kind, namespace and name.
func auditAll(t *testing.T, conf string) map[string][]string {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := harness.WriteKubeconfig(kubeconfig, cp.AdminConfig(), "default"); err != nil {
		t.Fatal(err)
	}
	return command(t, "audit", "--kubeconfig", kubeconfig, "--config", writeFile(t, conf))
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// command runs emrguard and returns its findings by kind, namespace and name.
func command(t *testing.T, args ...string) map[string][]string {
	t.Helper()
	binary, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, append(args, "-o", "json")...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Fatalf("emrguard %s: %v: %s%s", args[0], err, errOut.Bytes(), out.Bytes())
		}
	}
	var report struct {
		Findings []struct {
			Rule, Action string
			Object       struct{ Kind, Namespace, Name string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, f := range report.Findings {
		key := f.Object.Kind + " " + f.Object.Namespace + "/" + f.Object.Name
		found[key] = append(found[key], f.Action+" ["+f.Rule+"]")
	}
	for key := range found {
		slices.Sort(found[key])
	}
	return found
}

func (d *doors) compare(t *testing.T, conf string, found map[string][]string) {
	f := d.fixture
	e, err := fixtures.NewEngine(fixtures.MergeConfig(map[string]any{"emr": map[string]any{"namespaces": []any{f.Namespace}}}, f.Config))
	if err != nil {
		t.Fatal(err)
	}
	verdict := func(file bool) []string {
		v, err := f.Existing(t.Context(), e, file)
		if err != nil {
			t.Fatal(err)
		}
		return outcomes(&v)
	}
	key := f.Object.GetKind() + " " + f.Object.GetNamespace() + "/" + f.Object.GetName()
	var documents []string
	for _, obj := range append(slices.Clone(f.Given), f.Object) {
		text, err := yaml.Marshal(obj.Object)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(text))
	}
	d.engine, d.audit = verdict(false), found[key]
	inScope := fixtures.MergeConfig(map[string]any{"emr": map[string]any{"namespaces": []any{f.Namespace}}}, nil)
	d.check = command(t, "check", writeFile(t, strings.Join(documents, "---\n")), "--config", writeFile(t, mergeText(t, conf, inScope)))[key]
	if file := verdict(true); !slices.Equal(d.check, file) {
		t.Errorf("check finds %q, the engine %q", d.check, file)
	}
	if !slices.Equal(d.audit, d.engine) {
		t.Errorf("the audit finds %q, the engine %q", d.audit, d.engine)
	}
}

func mergeText(t *testing.T, conf string, more map[string]any) string {
	t.Helper()
	base := map[string]any{}
	if err := yaml.Unmarshal([]byte(conf), &base); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(fixtures.MergeConfig(base, more))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func outcomes(v *engine.Verdict) []string {
	var list []string
	for _, o := range slices.Concat(v.Denied, v.Warned, v.Audited) {
		list = append(list, string(o.Action)+" ["+o.Rule+"]")
	}
	slices.Sort(list)
	return list
}

func logTable(t *testing.T, all map[string][]*doors) {
	t.Helper()
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIXTURE\tADMISSION\tENGINE\tCHECK\tAUDIT")
	for _, conf := range slices.Sorted(maps.Keys(all)) {
		for _, d := range all[conf] {
			admission := string(d.fixture.Expect)
			if admission == "" {
				admission = "-"
			}
			row := []string{testName(d.fixture), admission}
			for _, list := range [][]string{d.engine, d.check, d.audit} {
				row = append(row, strings.Join(list, ", ")+"-"[min(1, len(list)):])
			}
			fmt.Fprintln(table, strings.Join(row, "\t"))
		}
	}
	if err := table.Flush(); err != nil {
		t.Error(err)
	}
	t.Log("\n" + text.String())
}

var _ = rule.Create
