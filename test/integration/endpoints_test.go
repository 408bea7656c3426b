package integration

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/audit/controller"
	"github.com/emrguard/emrguard/pkg/cli"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/test/fixtures"
	"github.com/emrguard/emrguard/test/harness"
)

// endpoint is one way in which an object is judged when nobody asks for it. Its answers
// are "action [rule]", sorted.
type plantedFixture struct {
	fixture                          *fixtures.Fixture
	engine, check, audit, background []string
}

// TestEveryEndpoint plants the object of every fixture and has it judged at every endpoint: by
// the engine, by `emrguard check` as a file, by `emrguard audit` as it exists on the
// API server, and by the background audit, which writes a Report. All must find the
// same. What admission answers, which TestFixtures compares with the API server,
// stands beside it: it differs where a rule judges who asks, or what an update adds.
// The table of all answers is in the log (go test -v).
func TestEveryEndpoint(t *testing.T) {
	list, err := fixtures.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := cp.InstallOpenReports(); err != nil {
		t.Fatal(err)
	}
	var alone, together []*plantedFixture
	for i, f := range list {
		if !f.IsObject() || f.BeingDeleted() {
			continue // it stands in no file, or is gone before anybody looks
		}
		d := &plantedFixture{fixture: f}
		name := "endpoint-"
		if f.Rule == sharedRole {
			name = apart + name
		}
		if !isShared(f) {
			if d.fixture, err = f.In(fmt.Sprintf("%s%d", name, i)); err != nil {
				t.Fatal(err)
			}
		}
		if isShared(f) || f.Config != nil || f.Rule == sharedRole {
			alone = append(alone, d)
		} else {
			together = append(together, d)
		}
	}
	// First what is in everybody's way, a few at a time, while the cluster is small.
	for _, b := range batches(t, alone) {
		t.Run("batch-"+testName(b.endpoints[0].fixture), func(t *testing.T) { b.judge(t) })
	}
	t.Run("plant", func(t *testing.T) {
		for _, d := range together {
			t.Run(testName(d.fixture), func(t *testing.T) {
				t.Parallel()
				plantFixture(t, d.fixture)
			})
		}
	})
	if t.Failed() {
		return
	}
	conf := quiet(t, together)
	audited, background := auditAll(t, conf), backgroundAll(t, conf)
	for _, d := range together {
		t.Run(testName(d.fixture), func(t *testing.T) { d.compare(t, conf, audited, background) })
	}
	logTable(t, append(alone, together...))
}

// batch are fixtures of one configuration that are not in each other's way.
type batch struct {
	conf      string
	endpoints []*plantedFixture
	taken     map[string]bool
}

func batches(t *testing.T, list []*plantedFixture) []*batch {
	t.Helper()
	var all []*batch
	for _, d := range list {
		f := d.fixture
		conf, err := configOf(t.Context(), f.Config)
		if err != nil {
			t.Fatal(err)
		}
		if isShared(f) { // what concerns every managed namespace is judged where there is one
			conf = mergeText(t, conf, onlyNamed())
			// Its labels are known wherever the namespace exists.
			f.Given = append([]*unstructured.Unstructured{theNamespace()}, f.Given...)
		}
		var keys []string
		if hasDefaultClass(f) {
			keys = append(keys, "the default class")
		}
		for _, obj := range append(slices.Clone(f.Given), f.Object) {
			if obj.GetAnnotations()["ingressclass.kubernetes.io/is-default-class"] == "true" {
				keys = append(keys, "the default class")
			}
			// A policy is judged by its bindings, whoever else's they are.
			if policy, found, _ := unstructured.NestedString(obj.Object, "spec", "policyName"); found {
				keys = append(keys, "MutatingAdmissionPolicy /"+policy)
			}
			if obj.GetKind() != "Namespace" {
				keys = append(keys, obj.GetKind()+" "+obj.GetNamespace()+"/"+obj.GetName())
			}
		}
		i := slices.IndexFunc(all, func(b *batch) bool {
			return b.conf == conf && !slices.ContainsFunc(keys, func(key string) bool { return b.taken[key] })
		})
		if i < 0 {
			i, all = len(all), append(all, &batch{conf: conf, taken: map[string]bool{}})
		}
		all[i].endpoints = append(all[i].endpoints, d)
		for _, key := range keys {
			all[i].taken[key] = true
		}
	}
	return all
}

func theNamespace() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": harness.JobNamespace}}}
}

// judge plants the fixtures, has them judged, and leaves the cluster as it was but for
// what is in namespaces of its own.
func (b *batch) judge(t *testing.T) {
	t.Helper()
	for _, d := range b.endpoints {
		// Accounts of a shared role would be in the way of other tests.
		if !isShared(d.fixture) && d.fixture.Rule != sharedRole {
			plantFixture(t, d.fixture)
			continue
		}
		if !isShared(d.fixture) {
			namespace(t, d.fixture.Namespace, managed())
		}
		for _, obj := range append(slices.Clone(d.fixture.Given), d.fixture.Object) {
			if ns := obj.GetNamespace(); ns != "" && ns != "kube-system" && (ns != d.fixture.Namespace || isShared(d.fixture)) {
				namespace(t, ns, nil)
			}
			stored := plantForNow(t, obj)
			if written := obj.GetUID(); written != "" {
				d.fixture.Own(written, stored.GetUID())
			}
		}
	}
	audited, background := auditAll(t, b.conf), backgroundAll(t, b.conf)
	for _, d := range b.endpoints {
		t.Run(testName(d.fixture), func(t *testing.T) { d.compare(t, b.conf, audited, background) })
	}
}

// plantForNow plants an object until the test ends; then what was there before is
// there again.
func plantForNow(t *testing.T, obj *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	admin := planter(t)
	before, err := admin.Get(t.Context(), obj)
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	stored := plant(t, admin, obj)
	if obj.GetKind() == "Namespace" {
		return stored
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if a := admin.Delete(ctx, stored); a.Err != nil && !apierrors.IsNotFound(a.Err) {
			t.Errorf("delete %s %s: %s", obj.GetKind(), obj.GetName(), a)
		}
		if before != nil && err == nil {
			before.SetResourceVersion("")
			before.SetUID("")
			if a, _ := admin.Create(ctx, before); !a.Done() {
				t.Errorf("bring %s %s back: %s", obj.GetKind(), obj.GetName(), a)
			}
		}
	})
	return stored
}

// quiet is the chart's configuration without results about namespaces, but for those
// that fixtures are about: a Report holds some hundred.
func quiet(t *testing.T, list []*plantedFixture) string {
	t.Helper()
	conf, err := configOf(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	base := map[string]any{}
	if err := yaml.Unmarshal([]byte(conf), &base); err != nil {
		t.Fatal(err)
	}
	overrides, _, err := unstructured.NestedSlice(base, "overrides")
	if err != nil {
		t.Fatal(err)
	}
	about := []any{"imds-network-policy", "managed-namespace-scope"}
	var names []any
	for _, d := range list {
		if slices.Contains(about, any(d.fixture.Rule)) || d.fixture.Object.GetKind() == "Namespace" {
			names = append(names, d.fixture.Namespace)
		}
	}
	return mergeText(t, conf, map[string]any{"overrides": append(overrides,
		map[string]any{"namespaces": names, "rules": about, "mode": "warn"},
		map[string]any{"namespaces": []any{"*"}, "rules": about, "mode": "off"},
	)})
}

// onlyNamed is a configuration by which one namespace is managed.
func onlyNamed() map[string]any {
	return map[string]any{"emr": map[string]any{"namespaces": []any{harness.JobNamespace}, "namespaceSelector": nil, "discover": false}}
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

// backgroundAll runs the background audit until it has written its reports, and
// returns what they hold, by kind, namespace and name.
func backgroundAll(t *testing.T, conf string) map[string][]string {
	t.Helper()
	guard, err := config.Parse([]byte(conf))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(guard, rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	audits := 0
	log := funcr.New(func(_, args string) {
		if strings.Contains(args, `"msg"="Audited"`) {
			if audits++; audits == 2 { // the reports of the first are written
				cancel()
			}
		}
	}, funcr.Options{})
	a, err := controller.New(cp.AdminConfig(), controller.Options{Interval: time.Nanosecond, QPS: 10_000, Reports: true},
		func() *engine.Engine { return e }, rules.All(), metrics.NewAudit(prometheus.NewRegistry()), log)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(ctx); err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, resource := range []string{"reports", "clusterreports"} {
		raw, err := cp.Clientset().CoreV1().RESTClient().Get().AbsPath("/apis/openreports.io/v1alpha1/" + resource).DoRaw(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var list struct{ Items []struct{ Results []result } }
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatal(err)
		}
		for _, report := range list.Items {
			for _, r := range report.Results {
				of := r.Resources[0]
				key := of.Kind + " " + of.Namespace + "/" + of.Name
				found[key] = append(found[key], r.Properties["action"]+" ["+r.Policy+"]")
			}
		}
	}
	for key := range found {
		slices.Sort(found[key])
	}
	return found
}

// result is what the test reads of a result in a Report.
type result struct {
	Policy     string
	Resources  []struct{ Kind, Namespace, Name string }
	Properties map[string]string
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

func (d *plantedFixture) compare(t *testing.T, conf string, audited, background map[string][]string) {
	t.Helper()
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
	d.engine, d.audit, d.background = verdict(false), audited[key], background[key]
	d.check = command(t, "check", writeFile(t, strings.Join(documents, "---\n")), "--allow-empty", "--config", writeFile(t, mergeText(t, conf, inScope)))[key]
	if res, _ := object.FindKind(f.Object.GroupVersionKind().GroupKind()); res.Workload {
		// What the Pods of a workload are refused for by rules that read Pods alone.
		d.check = slices.DeleteFunc(d.check, func(found string) bool { return strings.Contains(found, "[irsa-credentials]") })
	}
	if file := verdict(true); !slices.Equal(d.check, file) {
		t.Errorf("check finds %q, the engine %q", d.check, file)
	}
	if !slices.Equal(d.audit, d.engine) {
		t.Errorf("the audit finds %q, the engine %q", d.audit, d.engine)
	}
	if !slices.Equal(d.background, d.audit) {
		t.Errorf("the background audit reports %q, the audit %q", d.background, d.audit)
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
		if o.PodsDenied { // counts as denied
			o.Action = rule.Deny
		}
		list = append(list, string(o.Action)+" ["+o.Rule+"]")
	}
	slices.Sort(list)
	return list
}

func logTable(t *testing.T, all []*plantedFixture) {
	t.Helper()
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIXTURE\tADMISSION\tENGINE\tCHECK\tAUDIT\tBACKGROUND")
	for _, d := range all {
		admission := string(d.fixture.Expect)
		if d.fixture.Pass {
			admission = "pass"
		}
		row := []string{testName(d.fixture), admission, cmp.Or(strings.Join(d.engine, ", "), "nothing")}
		for _, list := range [][]string{d.check, d.audit, d.background} {
			says := "the same"
			if !slices.Equal(list, d.engine) {
				says = cmp.Or(strings.Join(list, ", "), "nothing")
			}
			row = append(row, says)
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	if err := table.Flush(); err != nil {
		t.Error(err)
	}
	t.Log("\n" + text.String())
}
