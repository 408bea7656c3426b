package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/test/fixtures"
	"github.com/emrguard/emrguard/test/harness"
)

// webhookWriters is a group that may write everything of the API group of
// admission, and nothing else: no verb `bypass`.
const webhookWriters = "integration-webhook-writers"

// policyAnnotation is where the API server records what a policy found.
const policyAnnotation = "validation.policy.admission.k8s.io/validation_failure"

// byPolicy reports whether a fixture is of a rule whose objects the API server
// sends to no webhook.
func byPolicy(f *fixtures.Fixture) bool {
	switch f.Rule {
	case "mutating-webhook", "mutating-admission-policy", "guard-protection":
		return true
	}
	return false
}

// policyFixtures are the fixtures of a rule that policies enforce, by their
// configurations; "" is the chart's.
func policyFixtures(t *testing.T, id string) map[string][]*fixtures.Fixture {
	t.Helper()
	list, err := fixtures.Load()
	if err != nil {
		t.Fatal(err)
	}
	byConfig := map[string][]*fixtures.Fixture{}
	for _, f := range list {
		if f.Rule != id || f.Audit {
			continue
		}
		key := ""
		if f.Config != nil {
			data, err := json.Marshal(f.Config)
			if err != nil {
				t.Fatal(err)
			}
			key = string(data)
		}
		byConfig[key] = append(byConfig[key], f)
	}
	return byConfig
}

// writer is a client of somebody who may write webhook configurations and
// policies.
func writer(t *testing.T, server *harness.ControlPlane, user string, groups ...string) *harness.Client {
	t.Helper()
	c, err := server.As(user, append(slices.Clone(groups), webhookWriters)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// letWrite gives webhookWriters their rights.
func letWrite(t *testing.T, server *harness.ControlPlane) {
	t.Helper()
	grant(t, server, webhookWriters, rbacv1.PolicyRule{APIGroups: []string{"admissionregistration.k8s.io"}, Resources: []string{"*"}, Verbs: []string{"*"}})
}

// ready gives them their rights on the stage, and waits until the API server has the
// chart's policies.
func ready(t *testing.T) {
	t.Helper()
	letWrite(t, cp)
	own := existing("MutatingWebhookConfiguration", "pod-identity-webhook")
	c := writer(t, cp, harness.Submitter)
	err := harness.WaitFor(t.Context(), "the chart's policies", patience, func(ctx context.Context) error {
		if a := c.Delete(ctx, own, harness.DryRun); a.Verdict != harness.Denied {
			return errors.New(a.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// existing names an object of the API group of admission.
func existing(kind, name string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetAPIVersion("admissionregistration.k8s.io/v1")
	obj.SetKind(kind)
	obj.SetName(name)
	return obj
}

// grant gives a group rights by a ClusterRole of its name.
func grant(t *testing.T, server *harness.ControlPlane, group string, policy ...rbacv1.PolicyRule) {
	t.Helper()
	setup, err := server.As("planter", "system:masters", harness.BreakGlassGroup)
	if err != nil {
		t.Fatal(err)
	}
	meta := metav1.ObjectMeta{Name: group}
	for _, object := range []any{
		&rbacv1.ClusterRole{TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"}, ObjectMeta: meta, Rules: policy},
		&rbacv1.ClusterRoleBinding{
			TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"}, ObjectMeta: meta,
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: group},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group}},
		},
	} {
		obj, err := harness.FromObject(object)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := setup.Create(t.Context(), obj)
		must(t, "create "+obj.GetKind()+" "+group, a)
		t.Cleanup(func() { must(t, "remove "+group, setup.Delete(context.WithoutCancel(t.Context()), obj)) })
	}
}

// policyCanary is excused by an exemption that every configuration of a test gets: once it
// passes in silence, the API server has the new policies.
const policyCanary = "canary"

// withPolicyCanary adds the exemption.
func withPolicyCanary(config map[string]any, id string, n int) map[string]any {
	exemptions, _ := config["exemptions"].([]any)
	config["exemptions"] = append(slices.Clone(exemptions), map[string]any{"rule": id, "user": fmt.Sprintf("%s-%d", policyCanary, n), "reason": "the test waits for it"})
	return config
}

// waitForPolicyCanary sends a request that the rule refuses until the policyCanary's exemption
// is known.
func waitForPolicyCanary(t *testing.T, server *harness.ControlPlane, bad *fixtures.Fixture, n int) {
	t.Helper()
	c := writer(t, server, fmt.Sprintf("%s-%d", policyCanary, n))
	err := harness.WaitFor(t.Context(), "the new policies", patience, func(ctx context.Context) error {
		if a, _ := c.Create(ctx, bad.Object, harness.DryRun); a.Verdict != harness.Allowed {
			return errors.New(a.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sendToPolicy sends the request of a fixture as a dry run, which goes through
// admission like any other: what it would make must not serve other tests' pods.
func sendToPolicy(t *testing.T, server *harness.ControlPlane, f *fixtures.Fixture) harness.Answer {
	t.Helper()
	admin, err := server.Admin()
	if err != nil {
		t.Fatal(err)
	}
	plantForPolicy := func(obj *unstructured.Unstructured) {
		a, _ := admin.Create(t.Context(), obj)
		if obj.GetKind() == "Namespace" && apierrors.IsAlreadyExists(a.Err) {
			return // another test has made it
		}
		must(t, "plant "+obj.GetName(), a)
		t.Cleanup(func() { must(t, "remove "+obj.GetName(), admin.Delete(context.WithoutCancel(t.Context()), obj)) })
	}
	for _, obj := range f.Given {
		plantForPolicy(obj)
	}
	if f.Old != nil {
		plantForPolicy(f.Old)
	} else if f.Operation == rule.Delete {
		plantForPolicy(f.Object)
	}
	c := writer(t, server, f.User, f.Groups...)
	switch f.Operation {
	case rule.Delete:
		return c.Delete(t.Context(), f.Object, harness.DryRun)
	case rule.Update:
		change, err := f.Change()
		if err != nil {
			t.Fatal(err)
		}
		a, _ := c.Patch(t.Context(), f.Object, change.Type, string(change.Data), harness.DryRun)
		return a
	case rule.Create, rule.Connect:
	}
	a, _ := c.Create(t.Context(), f.Object, harness.DryRun)
	return a
}

// policyVerdict is what a fixture expects of a policy.
func policyVerdict(f *fixtures.Fixture) harness.Verdict {
	switch f.Expect {
	case rule.Deny:
		return harness.Denied
	case rule.Warn:
		return harness.Warned
	case rule.Audit, rule.Off:
	}
	return harness.Allowed
}

// settledAnswer sends a request until the answer has the verdict that is expected, for
// as long as the API server may take to learn of a changed policy: it learns of a
// policy and of its binding one after the other.
func settledAnswer(t *testing.T, f *fixtures.Fixture) (a harness.Answer) {
	t.Helper()
	_ = harness.WaitFor(t.Context(), "the answer", settle, func(context.Context) error {
		if a = sendToPolicy(t, cp, f); a.Verdict != policyVerdict(f) {
			return errors.New(a.String())
		}
		return nil
	})
	return a
}

// comparePolicyAnswer checks what the requester is told.
func comparePolicyAnswer(t *testing.T, f *fixtures.Fixture, a harness.Answer) {
	t.Helper()
	verdict := policyVerdict(f)
	want(t, "the request", a, verdict)
	if verdict == harness.Allowed {
		return
	}
	if text := a.Text(); !harness.NamesRule(text, f.Rule) || !strings.Contains(text, f.Message) {
		t.Errorf("want [%s] and %q: %s", f.Rule, f.Message, a)
	}
	if verdict == harness.Denied && a.Code != 403 {
		t.Errorf("refused with code %d, want 403", a.Code)
	}
}

// comparePolicyEvent checks what the audit log records.
func comparePolicyEvent(t *testing.T, server *harness.ControlPlane, f *fixtures.Fixture) {
	t.Helper()
	var found *auditv1.Event
	err := harness.WaitFor(t.Context(), "the audit event of "+f.Path(), patience, func(context.Context) error {
		events, err := server.AuditEvents(func(e *auditv1.Event) bool {
			return e.ObjectRef != nil && e.ImpersonatedUser != nil && userOf(e) == f.User && e.ObjectRef.Name == f.Object.GetName()
		})
		if err == nil && len(events) == 0 {
			err = errors.New("there is none")
		}
		if err == nil {
			found = &events[len(events)-1]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := found.Annotations[policyAnnotation]
	if f.Pass != (text == "") || !f.Pass && !harness.NamesRule(text, f.Rule) {
		t.Errorf("the audit log has %q", text)
	}
}

// TestPolicyFixtures sends every fixture of mutating-webhook to the API server, with
// the chart's policies in the way, and compares what the requester is told and what
// the audit log records with what the rule says in Go.
func TestPolicyFixtures(t *testing.T) {
	const id = "mutating-webhook"
	byConfig := policyFixtures(t, id)
	ready(t)
	bad := badOf(t, byConfig)
	answerAll := func(t *testing.T, list []*fixtures.Fixture) {
		t.Helper()
		for _, f := range list {
			t.Run(testName(f), func(t *testing.T) {
				t.Parallel()
				comparePolicyAnswer(t, f, settledAnswer(t, f))
				comparePolicyEvent(t, cp, f)
			})
		}
	}
	for i, data := range sortedKeys(byConfig) {
		config := map[string]any{}
		if data != "" {
			if err := json.Unmarshal([]byte(data), &config); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(fmt.Sprintf("config-%d", i), func(t *testing.T) {
			t.Cleanup(func() { restorePolicies(t, bad) })
			if err := chart.UpgradeOnce(t.Context(), withPolicyCanary(config, id, i)); err != nil {
				t.Fatal(err)
			}
			waitForPolicyCanary(t, cp, bad, i)
			answerAll(t, byConfig[data])
		})
	}
}

// restorePolicies brings the chart's own policies back, and waits until they refuse.
func restorePolicies(t *testing.T, bad *fixtures.Fixture) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if err := chart.Upgrade(ctx, nil); err != nil {
		t.Error(err)
		return
	}
	c := writer(t, cp, policyCanary)
	err := harness.WaitFor(ctx, "the chart's own policies", patience, func(ctx context.Context) error {
		if a, _ := c.Create(ctx, bad.Object, harness.DryRun); a.Verdict != harness.Denied {
			return errors.New(a.String())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// badOf is a request that the rule refuses in any configuration.
func badOf(t *testing.T, byConfig map[string][]*fixtures.Fixture) *fixtures.Fixture {
	t.Helper()
	for _, f := range byConfig[""] {
		if !f.Pass && f.Operation == rule.Create && f.Groups[0] == fixtures.SubmitterGroup {
			return f
		}
	}
	t.Fatal("no fixture is refused with the chart's configuration")
	return nil
}

func sortedKeys(m map[string][]*fixtures.Fixture) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// TestEKSOwnWebhook tries what is done to the webhook that gives pods their
// credentials, under its real name.
func TestEKSOwnWebhook(t *testing.T) {
	ready(t)
	const bypassers = "integration-bypassers"
	grant(t, cp, bypassers, rbacv1.PolicyRule{APIGroups: []string{"emrguard.dev"}, Resources: []string{"mutatingwebhookconfigurations"}, Verbs: []string{"bypass"}})
	own := existing("MutatingWebhookConfiguration", "pod-identity-webhook")
	if err := deleteAll(t, true); err == nil || !harness.NamesRule(err.Error(), "mutating-webhook") {
		t.Errorf("the deletion of all mutating webhooks: %v", err)
	}
	const drop = `[{"op": "replace", "path": "/webhooks/0/rules/0/resources", "value": ["services"]}]`
	const caBundle = `[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]`
	for name, c := range map[string]struct {
		user, group, patch string
		want               harness.Verdict
	}{
		"submitter deletes it":                {harness.Submitter, harness.SubmitterGroup, "", harness.Denied},
		"submitter changes it":                {harness.Submitter, harness.SubmitterGroup, drop, harness.Denied},
		"a caBundle":                          {harness.Submitter, harness.SubmitterGroup, caBundle, harness.Allowed},
		"EMR deletes it":                      {harness.EMRUser, "x", "", harness.Denied},
		"EKS changes it":                      {"eks:control-plane", "x", drop, harness.Allowed},
		"EKS deletes it":                      {"eks:control-plane", "x", "", harness.Allowed},
		"administrator changes it":            {author, "system:masters", drop, harness.Allowed},
		"administrator deletes it":            {author, "system:masters", "", harness.Allowed},
		"on call":                             {harness.OnCall, harness.BreakGlassGroup, "", harness.Warned},
		"who may bypass":                      {"bea", bypassers, "", harness.Allowed},
		"who may do everything":               {"carl", everything, drop, harness.Allowed},
		"garbage collector carries out":       {"system:serviceaccount:kube-system:generic-garbage-collector", "x", "", harness.Allowed},
		"a user with a name like EKS":         {"eks", "x", "", harness.Denied},
		"another user in a group called eks:": {"mallory", "eks:control-plane", "", harness.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			requester := writer(t, cp, c.user, c.group)
			var a harness.Answer
			if c.patch == "" {
				a = requester.Delete(t.Context(), own, harness.DryRun)
			} else {
				a, _ = requester.Patch(t.Context(), own, types.JSONPatchType, c.patch, harness.DryRun)
			}
			want(t, "the request", a, c.want)
			if text := a.Text(); c.want != harness.Allowed && !strings.Contains(text, `[mutating-webhook/reserved-name] metadata.name: "`+c.user+`" may not`) {
				t.Errorf("the answer is %s", text)
			}
		})
	}
}

// TestEKSOwnWebhookIsInstalled creates one of EKS's own that is not there yet.
func TestEKSOwnWebhookIsInstalled(t *testing.T) {
	ready(t)
	live, err := cp.Clientset().AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), "pod-identity-webhook", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	live.TypeMeta = metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration"}
	live.ObjectMeta = metav1.ObjectMeta{Name: "vpc-resource-mutating-webhook"}
	config, err := harness.FromObject(live)
	if err != nil {
		t.Fatal(err)
	}
	for user, c := range map[string]struct {
		group string
		want  harness.Verdict
	}{
		author:                        {"system:masters", harness.Allowed},
		"eks:vpc-resource-controller": {"x", harness.Allowed},
		harness.Submitter:             {harness.SubmitterGroup, harness.Denied},
		harness.EMRUser:               {"x", harness.Denied},
	} {
		a, _ := writer(t, cp, user, c.group).Create(t.Context(), config, harness.DryRun)
		want(t, user, a, c.want)
	}
}

// deleteAll asks for the deletion of a whole collection: such a request has no name.
func deleteAll(t *testing.T, mutating bool) error {
	t.Helper()
	client, err := kubernetes.NewForConfig(cp.ImpersonationConfig(harness.Submitter, webhookWriters))
	if err != nil {
		t.Fatal(err)
	}
	options := metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}
	if mutating {
		return client.AdmissionregistrationV1().MutatingWebhookConfigurations().DeleteCollection(t.Context(), options, metav1.ListOptions{})
	}
	return client.AdmissionregistrationV1().ValidatingWebhookConfigurations().DeleteCollection(t.Context(), options, metav1.ListOptions{})
}

// The cost of an expression of CEL is limited. A configuration far larger than any
// product's stays within the limit: otherwise what is harmless would be refused.
func TestLargeConfigurationIsWithinTheBudget(t *testing.T) {
	ready(t)
	const hooks, rulesOfEach = 40, 12
	resources := []any{"services", "endpoints", "events", "limitranges", "nodes", "persistentvolumes", "resourcequotas", "secrets", "pods"}
	var webhooks []any
	for i := range hooks {
		var rules []any
		for range rulesOfEach {
			rules = append(rules, map[string]any{
				"operations": []any{"CREATE", "UPDATE"}, "apiGroups": []any{"", "example.com", "other.example.com"}, "apiVersions": []any{"v1"}, "resources": resources,
			})
		}
		webhooks = append(webhooks, map[string]any{
			"name": fmt.Sprintf("w%d.example.com", i), "admissionReviewVersions": []any{"v1"}, "sideEffects": "None",
			"clientConfig":      map[string]any{"url": "https://127.0.0.1:1/mutate"},
			"rules":             rules,
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "analytics"}},
		})
	}
	config := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
		"metadata": map[string]any{"name": "emr-jobs-large"}, "webhooks": webhooks,
	}}
	a, _ := writer(t, cp, harness.Submitter).Create(t.Context(), config, harness.DryRun)
	want(t, "a large configuration", a, harness.Allowed)
}

// TestGuardProtection turns the second policy on: who takes the guard away needs the
// verb, and the CA stays writable for those who keep it up to date.
func TestGuardProtection(t *testing.T) {
	ready(t)
	const bypassers = "integration-guard-bypassers"
	grant(t, cp, bypassers, rbacv1.PolicyRule{
		APIGroups: []string{"emrguard.dev"}, Resources: []string{"validatingwebhookconfigurations"}, ResourceNames: []string{harness.ReleaseName}, Verbs: []string{"bypass"},
	})
	own := existing("ValidatingWebhookConfiguration", harness.ReleaseName)
	must(t, "before, the emergency exit is open for whoever may write it", writer(t, cp, harness.Submitter).Delete(t.Context(), own, harness.DryRun))

	t.Cleanup(func() {
		if err := chart.Upgrade(context.WithoutCancel(t.Context()), nil); err != nil {
			t.Error(err)
		}
	})
	if err := chart.UpgradeOnce(t.Context(), map[string]any{"rules": map[string]any{"guard-protection": map[string]any{"mode": "deny"}}}); err != nil {
		t.Fatal(err)
	}
	err := harness.WaitFor(t.Context(), "the policy", patience, func(ctx context.Context) error {
		if a := writer(t, cp, harness.Submitter).Delete(ctx, own, harness.DryRun); a.Verdict != harness.Denied {
			return errors.New(a.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := deleteAll(t, false); err == nil || !harness.NamesRule(err.Error(), "guard-protection") {
		t.Errorf("the deletion of all validating webhooks: %v", err)
	}
	const fail = `[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]`
	const caBundle = `[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]`
	const label = `[{"op": "add", "path": "/metadata/labels/a", "value": "b"}]`
	self := harness.ServiceAccountUser(harness.ReleaseNamespace, harness.ReleaseName)
	for name, c := range map[string]struct {
		user, group, patch string
		want               harness.Verdict
	}{
		"submitter weakens it":      {harness.Submitter, harness.SubmitterGroup, fail, harness.Denied},
		"submitter changes the CA":  {harness.Submitter, harness.SubmitterGroup, caBundle, harness.Denied},
		"submitter labels it":       {harness.Submitter, harness.SubmitterGroup, label, harness.Denied},
		"emrguard writes the CA":    {self, "x", caBundle, harness.Allowed},
		"cert-manager does":         {"system:serviceaccount:cert-manager:cert-manager-cainjector", "x", caBundle, harness.Allowed},
		"emrguard writes no more":   {self, "x", fail, harness.Denied},
		"on call":                   {harness.OnCall, harness.BreakGlassGroup, "", harness.Warned},
		"who may bypass deletes it": {"bea", bypassers, "", harness.Allowed},
		"administrator deletes it":  {author, "system:masters", "", harness.Allowed},
		"who may do everything":     {"carl", everything, "", harness.Allowed},
	} {
		t.Run(name, func(t *testing.T) {
			requester := writer(t, cp, c.user, c.group)
			var a harness.Answer
			if c.patch == "" {
				a = requester.Delete(t.Context(), own, harness.DryRun)
			} else {
				a, _ = requester.Patch(t.Context(), own, types.JSONPatchType, c.patch, harness.DryRun)
			}
			want(t, "the request", a, c.want)
			if text := a.Text(); c.want != harness.Allowed && !harness.NamesRule(text, "guard-protection") {
				t.Errorf("the answer is %s", text)
			}
		})
	}
}

// TestStaticPolicies starts an API server that loads the chart's policies from files,
// and sends it the fixtures of mutating-admission-policy, which nothing else can
// judge.
func TestStaticPolicies(t *testing.T) {
	const id = "mutating-admission-policy"
	byConfig := policyFixtures(t, id)
	bad := badOf(t, byConfig)
	dir := t.TempDir()
	write := func(t *testing.T, config map[string]any, n int) {
		t.Helper()
		values := fixtures.MergeConfig(map[string]any{
			"emr": map[string]any{
				"namespaces":        []any{harness.JobNamespace},
				"namespaceSelector": map[string]any{"matchLabels": map[string]any{managedLabel: "true"}},
			},
			"rules": map[string]any{"guard-protection": map[string]any{"mode": "deny"}},
		}, withPolicyCanary(config, id, n))
		data, err := harness.RenderStaticPolicies(t.Context(), values)
		if err != nil {
			t.Fatal(err)
		}
		// Replaced as a whole: the API server must not read a half.
		if err := os.WriteFile(filepath.Join(dir, "next"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "emrguard.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	write(t, map[string]any{}, 0)
	server, err := harness.Start(t.Context(), harness.Options{WithoutControllers: true, WithoutPodIdentity: true, StaticPolicies: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	letWrite(t, server)
	for i, data := range sortedKeys(byConfig) {
		config := map[string]any{}
		if data != "" {
			if err := json.Unmarshal([]byte(data), &config); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(fmt.Sprintf("config-%d", i), func(t *testing.T) {
			write(t, config, i)
			waitForPolicyCanary(t, server, bad, i)
			for _, f := range byConfig[data] {
				t.Run(testName(f), func(t *testing.T) {
					t.Parallel()
					comparePolicyAnswer(t, f, sendToPolicy(t, server, f))
					comparePolicyEvent(t, server, f)
				})
			}
		})
	}
	t.Run("mutating webhooks", func(t *testing.T) {
		for _, f := range policyFixtures(t, "mutating-webhook")[""] {
			// Files know no labels: a list of namespaces proves nothing there.
			if f.Expect == rule.Deny {
				want(t, f.Path(), sendToPolicy(t, server, f), harness.Denied)
			}
		}
	})
	t.Run("the policies of the chart", func(t *testing.T) {
		policy := existing("ValidatingAdmissionPolicyBinding", harness.ReleaseName+"-mutating-webhook")
		policy.Object["spec"] = map[string]any{"policyName": policy.GetName(), "validationActions": []any{"Deny"}}
		admin, err := server.Admin()
		if err != nil {
			t.Fatal(err)
		}
		a, _ := admin.Create(t.Context(), policy)
		must(t, "create the binding", a)
		want(t, "a submitter deletes it", writer(t, server, harness.Submitter).Delete(t.Context(), policy), harness.Denied)
		must(t, "an administrator deletes it", admin.Delete(t.Context(), policy))
	})
}
