package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/test/harness"
)

// What the process says of a configuration that it has read.
const (
	taken   = "The configuration is in force"
	refused = "the last good one stays in force"
)

// withConfig brings a configuration to the running process as the kubelet does,
// waits until the process has read it and says so, and brings the chart's own
// back when the test ends.
func withConfig(t *testing.T, data, says string) {
	t.Helper()
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context()) // which has ended when this runs
		from := logSize(t)
		if err := guard.SyncConfig(ctx); err != nil {
			t.Error(err)
		}
		if err := waitForLog(ctx, from, taken); err != nil {
			t.Error(err)
		}
	})
	from := logSize(t)
	if err := guard.WriteConfig([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := waitForLog(t.Context(), from, says); err != nil {
		t.Fatal(err)
	}
}

// rendered is the chart's configuration with further fields.
func rendered(t *testing.T, more map[string]any) string {
	t.Helper()
	data, err := chart.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conf := map[string]any{}
	if err := yaml.Unmarshal(data, &conf); err != nil {
		t.Fatal(err)
	}
	maps.Copy(conf, more)
	changed, err := yaml.Marshal(conf)
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}

// metric returns the value of a metric without labels.
func metric(ctx context.Context, name string) (float64, error) { return metricOf(ctx, guard, name) }

// checkMetric compares the value of a metric without labels.
func checkMetric(t *testing.T, name string, want float64) {
	t.Helper()
	if got, err := metric(t.Context(), name); err != nil || got != want {
		t.Errorf("%s is %g (%v), want %g", name, got, err, want)
	}
}

// waitForLog waits for a line of the process's log, from an offset on, that has
// all the words.
func waitForLog(ctx context.Context, from int64, words ...string) error {
	return harness.WaitFor(ctx, fmt.Sprintf("a line of the log with %q", words), patience, func(context.Context) error {
		data, err := os.ReadFile(guard.LogPath())
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data[from:])) {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
				return nil
			}
		}
		return errors.New("there is none")
	})
}

func logSize(t *testing.T) int64 {
	t.Helper()
	info, err := os.Stat(guard.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestBadConfiguration proves that a configuration that is wrong never replaces
// one that works.
func TestBadConfiguration(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "config-bad", managed())
	violating := pod(t, "config-bad", "violating", onHostNetwork)
	for name, c := range map[string]struct {
		more   map[string]any
		reason string
	}{
		"unknown field":            {map[string]any{"exceptions": []any{}}, "exceptions"},
		"unknown rule":             {map[string]any{"rules": map[string]any{"no-such-rule": map[string]any{"mode": "off"}}}, "no-such-rule"},
		"exemption without reason": {map[string]any{"exemptions": []any{map[string]any{"rule": "instance-profile-access"}}}, "exemptions[0].reason"},
	} {
		t.Run(name, func(t *testing.T) {
			failures, err := metric(ctx, "emrguard_config_reload_failures_total")
			if err != nil {
				t.Fatal(err)
			}
			from := logSize(t)
			withConfig(t, rendered(t, c.more), refused)
			if err := waitForLog(ctx, from, refused, c.reason); err != nil {
				t.Error(err)
			}
			checkMetric(t, "emrguard_config_reload_failures_total", failures+1)
			checkMetric(t, "emrguard_config_last_reload_success", 0)
			a, _ := administrator(t).Create(ctx, violating, harness.DryRun)
			want(t, "the request", a, harness.Denied)
		})
		checkMetric(t, "emrguard_config_last_reload_success", 1)
	}
}

// TestExemption proves that an exemption holds until it expires, and what is
// then said.
func TestExemption(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "config-exemption", managed())
	exempted := pod(t, "config-exemption", "legacy", onHostNetwork)
	exemption := func(expires string) map[string]any {
		return map[string]any{"exemptions": []any{map[string]any{
			"rule": "instance-profile-access", "namespace": "config-exemption", "object": "leg*", "reason": "moves to IRSA in spring", "expires": expires,
		}}}
	}
	t.Run("holds", func(t *testing.T) {
		withConfig(t, rendered(t, exemption("2999-01-01T00:00:00Z")), taken)
		checkMetric(t, "emrguard_exemptions_expired", 0)
		other := pod(t, "config-exemption", "other", onHostNetwork)
		a, _ := administrator(t).Create(ctx, other, harness.DryRun)
		want(t, "another Pod", a, harness.Denied)
		a, _ = administrator(t).Create(ctx, exempted)
		want(t, "the exempted Pod", a, harness.Allowed)
		annotations, _ := recorded(auditEvent(t, "the exempted Pod", func(e *auditv1.Event) bool {
			return about(author, "create", "config-exemption", "legacy")(e) && !strings.Contains(e.RequestURI, "dryRun")
		}))
		if got := annotations["exempt"]; !harness.NamesRule(got, "instance-profile-access") || !strings.Contains(got, "moves to IRSA in spring") {
			t.Errorf("the audit log has %q", annotations)
		}
	})
	t.Run("has expired", func(t *testing.T) {
		from := logSize(t)
		withConfig(t, rendered(t, exemption("2020-01-01T00:00:00Z")), taken) // an expired exemption is no error
		if err := waitForLog(ctx, from, "expired", "instance-profile-access", "moves to IRSA in spring", "2020-01-01T00:00:00Z"); err != nil {
			t.Error(err)
		}
		checkMetric(t, "emrguard_exemptions_expired", 1)
		again := pod(t, "config-exemption", "legacy-2", onHostNetwork)
		a, _ := administrator(t).Create(ctx, again)
		want(t, "the Pod", a, harness.Denied)
	})
	// The chart's own configuration is back.
	checkMetric(t, "emrguard_exemptions_expired", 0)
}

// TestModeOfTheInstallation proves the dry run of an installation: mode warn.
func TestModeOfTheInstallation(t *testing.T) {
	podNamespace(t, "config-mode", managed())
	withConfig(t, rendered(t, map[string]any{"mode": "warn"}), taken)
	a, _ := administrator(t).Create(t.Context(), pod(t, "config-mode", "violating", onHostNetwork), harness.DryRun)
	want(t, "the request", a, harness.Warned)
	if warnings := told(a); len(warnings) != 1 || !harness.NamesRule(warnings[0], "instance-profile-access") || !strings.Contains(warnings[0], "] would be refused: ") {
		t.Errorf("the warnings are %q", a.Warnings)
	}
}

// TestRoleUsers proves that emr.roleUsers decides who may submit custom resources
// with which roles, and who may be granted to.
func TestRoleUsers(t *testing.T) {
	const ns = "config-role-users"
	podNamespace(t, ns, managed())
	conf := map[string]any{}
	if err := yaml.Unmarshal([]byte(rendered(t, nil)), &conf); err != nil {
		t.Fatal(err)
	}
	emr, ok := conf["emr"].(map[string]any)
	if !ok {
		t.Fatalf("the chart's configuration has no emr: %v", conf)
	}
	emr["roleUsers"] = []any{map[string]any{"groups": []any{harness.SubmitterGroup}, "roles": []any{harness.JobRoleARN}}}
	withConfig(t, rendered(t, map[string]any{"emr": emr}), taken)

	bob := as(t, "bob", "interns")
	spark := parse(t, inPlace("apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nmetadata: {name: etl, namespace: NS}\nspec: {driver: {serviceAccount: reader}}\n", ns))[0]
	run := func(role string) *unstructured.Unstructured {
		return parse(t, inPlace("apiVersion: emrcontainers.services.k8s.aws/v1alpha1\nkind: JobRun\nmetadata: {name: etl, namespace: NS}\nspec: {executionRoleARN: \""+role+"\"}\n", ns))[0]
	}
	plant(t, planter(t), parse(t, inPlace(roleText(ruleText("sparkoperator.k8s.io", "sparkapplications", "create", "")), ns))[0])
	granted := func(group string) *unstructured.Unstructured {
		return parse(t, inPlace(bindingText("Role", "team", subjectText("Group", group)), ns))[0]
	}
	for _, c := range []struct {
		name string
		by   *harness.Client
		obj  *unstructured.Unstructured
		rule string
	}{
		{"a listed submitter", alice(t), spark, ""},
		{"another submitter", bob, spark, "service-account-hijack"},
		{"a listed role", alice(t), run(harness.JobRoleARN), ""},
		{"another role", alice(t), run("arn:aws:iam::123456789012:role/AdminRole"), "service-account-hijack"},
		{"a grant to who is listed", administrator(t), granted(harness.SubmitterGroup), ""},
		{"a grant to others", administrator(t), granted("interns"), "rbac-pod-create"},
	} {
		a, _ := c.by.Create(t.Context(), c.obj, harness.DryRun)
		if c.rule == "" {
			want(t, c.name, a, harness.Allowed)
			continue
		}
		want(t, c.name, a, harness.Denied)
		if ids := idsIn(a.Message); !slices.Equal(ids, []string{c.rule}) {
			t.Errorf("%s: findings of %q, want %s: %s", c.name, ids, c.rule, a)
		}
	}
}
