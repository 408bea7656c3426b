package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/cli"
	"github.com/emrguard/emrguard/pkg/engine"
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
	var shared []*doors
	t.Run("plant", func(t *testing.T) {
		for i, f := range list {
			if !f.IsObject() || f.BeingDeleted() {
				continue // it stands in no file, or is gone before anybody looks
			}
			d := &doors{fixture: f}
			if isShared(f) {
				shared = append(shared, d)
				continue
			}
			name := "door-"
			if f.Rule == sharedRole {
				name = apart + name
			}
			if d.fixture, err = f.In(fmt.Sprintf("%s%d", name, i)); err != nil {
				t.Fatal(err)
			}
			data, err := configOf(t.Context(), d.fixture.Config)
			if err != nil {
				t.Fatal(err)
			}
			all[data] = append(all[data], d)
			t.Run(testName(f), func(t *testing.T) {
				t.Parallel()
				plantFixture(t, d.fixture)
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
	for _, d := range shared {
		t.Run(testName(d.fixture), func(t *testing.T) {
			// What concerns every managed namespace is judged where there is one.
			conf, err := configOf(t.Context(), fixtures.MergeConfig(onlyNamed(), d.fixture.Config))
			if err != nil {
				t.Fatal(err)
			}
			d.alone(t, conf)
		})
	}
	all[""] = shared
	logTable(t, all)
}

// onlyNamed is a configuration by which one namespace is managed.
func onlyNamed() map[string]any {
	return map[string]any{"emr": map[string]any{"namespaces": []any{harness.JobNamespace}, "namespaceSelector": nil, "discover": false}}
}

// alone plants what is in everybody's way, has it judged, and takes it away again.
func (d *doors) alone(t *testing.T, conf string) {
	f := d.fixture
	admin := planter(t)
	var planted []*unstructured.Unstructured
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, obj := range slices.Backward(planted) {
			if a := admin.Delete(ctx, obj); a.Err != nil && !apierrors.IsNotFound(a.Err) {
				t.Errorf("delete %s %s: %s", obj.GetKind(), obj.GetName(), a)
			}
		}
	})
	for _, obj := range append(slices.Clone(f.Given), f.Object) {
		if ns := obj.GetNamespace(); ns != "" && ns != "kube-system" {
			namespace(t, ns, nil)
		}
		stored := plant(t, admin, obj)
		planted = append(planted, stored)
		if written := obj.GetUID(); written != "" {
			f.Own(written, stored.GetUID())
		}
	}
	d.compare(t, conf, auditAll(t, conf))
}

// isShared reports whether an object concerns more than its own namespace, so that
// it would get in the way of others.
func isShared(f *fixtures.Fixture) bool {
	isClass := func(obj *unstructured.Unstructured) bool { return obj.GetKind() == "IngressClass" }
	return f.Elsewhere() || slices.ContainsFunc(f.Given, isClass) || hasDefaultClass(f) || strings.HasPrefix(f.Object.GetAPIVersion(), "admissionregistration.k8s.io/") ||
		f.Audit && f.Object.GetNamespace() != f.Namespace && f.Object.GetName() != f.Namespace
}

// hasDefaultClass reports whether the answer depends on the default IngressClass of
// the cluster.
func hasDefaultClass(f *fixtures.Fixture) bool {
	class, found, _ := unstructured.NestedString(f.Object.Object, "spec", "ingressClassName")
	return f.Object.GetKind() == "Ingress" && (!found || class == "")
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
	var out, errOut bytes.Buffer
	if code := cli.Execute(append(args, "-o", "json"), &out, &errOut); code > 1 {
		t.Fatalf("emrguard %s ends with %d: %s%s", args[0], code, errOut.Bytes(), out.Bytes())
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
	inScope := map[string]any{"emr": map[string]any{"namespaces": []any{f.Namespace}}}
	if f.Object.GetKind() == "Namespace" { // whose labels say whether it is
		inScope = map[string]any{}
	}
	if isShared(f) {
		inScope = map[string]any{"emr": map[string]any{"namespaceSelector": nil, "discover": false}}
	}
	e, err := fixtures.NewEngine(fixtures.MergeConfig(inScope, f.Config))
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
	d.check = command(t, "check", writeFile(t, strings.Join(documents, "---\n")), "--config", writeFile(t, mergeText(t, conf, inScope)))[key]
	if file := verdict(true); !slices.Equal(d.check, file) {
		t.Errorf("check finds %q, the engine %q", d.check, file)
	}
	for _, obj := range f.Given {
		// The controllers have filled an aggregate since: its binding gives it all now.
		if strings.Contains(f.Name, "aggregate") && len(d.audit) == 0 && strings.HasSuffix(obj.GetKind(), "Binding") {
			d.audit = found[obj.GetKind()+" "+obj.GetNamespace()+"/"+obj.GetName()]
		}
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
