package chart_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/test/harness"
)

// Which policies there are, and what they do, follows from the modes as for every
// rule.
func TestPoliciesFollowTheModes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ values, want string }{
		"default":             {"", "custom-resources Deny Audit; custom-resources-break-glass Warn Audit; mutating-webhook Deny Audit; mutating-webhook-break-glass Warn Audit"},
		"by label":            {"emr: {namespaceSelector: {matchLabels: {a: b}}}\nbreakGlass: {groups: []}", "custom-resources Deny Audit; mutating-webhook Deny Audit; mutating-webhook-label Deny Audit"},
		"dry run":             {"mode: warn", "custom-resources Warn Audit; mutating-webhook Warn Audit"},
		"only recorded":       {"mode: audit\nrules: {mutating-webhook: {mode: warn}}", "custom-resources Audit; mutating-webhook Audit"},
		"the rule warns":      {"rules: {mutating-webhook: {mode: warn}}", "custom-resources Warn Audit; mutating-webhook Warn Audit"},
		"the rule is off":     {"rules: {mutating-webhook: {mode: off}}", ""},
		"off in quotes":       {"rules: {mutating-webhook: {mode: 'off'}}", ""},
		"overridden":          {"overrides: [{namespaces: ['a-*', '*'], mode: audit}]", "custom-resources Audit; mutating-webhook Audit"},
		"overridden off":      {"overrides: [{namespaces: ['*'], mode: off}]", ""},
		"woken by name":       {"overrides: [{namespaces: ['*'], rules: [guard-protection], mode: audit}]\nbreakGlass: {groups: []}", "custom-resources Deny Audit; guard-protection Audit; mutating-webhook Deny Audit"},
		"another rule is":     {"overrides: [{namespaces: ['*'], rules: [pod-exec], mode: off}]\nbreakGlass: {groups: []}", "custom-resources Deny Audit; mutating-webhook Deny Audit"},
		"elsewhere":           {"overrides: [{namespaces: ['emr-*'], mode: off}]\nbreakGlass: {groups: []}", "custom-resources Deny Audit; mutating-webhook Deny Audit"},
		"guard":               {"rules: {guard-protection: {mode: warn}, mutating-webhook: {mode: off}}", "guard-protection Warn Audit"},
		"guard that refuses":  {"rules: {guard-protection: {mode: deny}, mutating-webhook: {mode: off}}", "guard-protection Deny Audit; guard-protection-break-glass Warn Audit"},
		"guard in a dry run":  {"mode: warn\nrules: {guard-protection: {mode: deny}, mutating-webhook: {mode: off}}", "guard-protection Warn Audit"},
		"no policies":         {"admissionPolicies: {enabled: false}\nrules: {guard-protection: {mode: deny}}", ""},
		"baseline":            {"profiles: {emr: baseline}", "custom-resources Warn Audit; mutating-webhook Warn Audit"},
		"baseline with mode":  {"profiles: {emr: baseline}\nrules: {mutating-webhook: {mode: deny}}\nbreakGlass: {groups: []}", "custom-resources Deny Audit; mutating-webhook Deny Audit"},
		"the guide is off":    {"profiles: {emr: off}", ""},
		"a reason warns":      {"rules: {mutating-webhook: {reasons: {reserved-name: {mode: warn}}}}", "custom-resources Warn Audit; mutating-webhook Warn Audit"},
		"a reason is graver":  {"rules: {mutating-webhook: {mode: audit, reasons: {reserved-name: {mode: deny}}}}", "custom-resources Audit; mutating-webhook Audit"},
		"a reason of audits":  {"rules: {mutating-webhook: {reasons: {existing-webhook: {mode: audit}}}}\nbreakGlass: {groups: []}", "custom-resources Deny Audit; mutating-webhook Deny Audit"},
		"a reason elsewhere":  {"overrides: [{namespaces: ['*'], rules: [mutating-webhook/reserved-name], mode: audit}]", "custom-resources Audit; mutating-webhook Audit"},
		"nobody breaks glass": {"breakGlass: {groups: []}", "custom-resources Deny Audit; mutating-webhook Deny Audit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			rendered := render(t, "helm3", "--values", writeValues(t, test.values))
			for key := range rendered {
				if !strings.HasPrefix(key, "ValidatingAdmissionPolicyBinding/") {
					continue
				}
				binding := object[admissionregistrationv1.ValidatingAdmissionPolicyBinding](t, rendered, key)
				policy := object[admissionregistrationv1.ValidatingAdmissionPolicy](t, rendered, "ValidatingAdmissionPolicy/"+binding.Spec.PolicyName)
				if *policy.Spec.FailurePolicy != admissionregistrationv1.Fail {
					t.Errorf("%s fails open", policy.Name)
				}
				words := []string{strings.TrimPrefix(binding.Name, release+"-")}
				for _, action := range binding.Spec.ValidationActions {
					words = append(words, string(action))
				}
				got = append(got, strings.Join(words, " "))
			}
			slices.Sort(got)
			if text := strings.Join(got, "; "); text != test.want {
				t.Errorf("policies:\ngot  %s\nwant %s", text, test.want)
			}
		})
	}
}

// Somebody who may delete webhook configurations but not pass the guard is stopped
// before anything is removed, and goes on once the guard's binding is gone.
func TestUninstallByWhoMayNotBypass(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "uninstaller"}}
	for _, group := range []string{"", "apps", "policy", "coordination.k8s.io", "flowcontrol.apiserver.k8s.io", "rbac.authorization.k8s.io", "admissionregistration.k8s.io"} {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{"*"}, Verbs: []string{"*"}})
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "uninstaller"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "uninstaller"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "uninstaller"}},
	}
	for _, object := range []client.Object{role, binding} {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	config := rest.CopyConfig(c.config)
	config.Impersonate.UserName = "uninstaller"
	uninstaller, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, helm := range helms {
		c.helm(t, helm, "install", release, chart, "--create-namespace", "--set", "rules.guard-protection.mode=deny")
		guarded := c.webhookConfiguration(t)
		eventually(t, "the guard is in force", func(ctx context.Context) error {
			switch err := uninstaller.Delete(ctx, guarded.DeepCopy(), client.DryRunAll); {
			case err == nil:
				return errors.New("it may be deleted")
			case !harness.NamesRule(err.Error(), "guard-protection"):
				return fmt.Errorf("refused by somebody else: %w", err)
			}
			return nil
		})
		uninstall := func() error {
			_, stderr, err := run(t, []string{"KUBECONFIG=" + c.kubeconfig}, helm, "uninstall", release, "--namespace", releaseNamespace, "--kube-as-user", "uninstaller")
			if err != nil {
				return errors.New(stderr)
			}
			return nil
		}
		if err := uninstall(); err == nil || !harness.NamesRule(err.Error(), "guard-protection") {
			t.Fatalf("%s: uninstalled although the guard stands: %v", helm, err)
		}
		c.deployment(t)
		c.webhookConfiguration(t)
		exit := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: release + "-guard-protection"}}
		if err := c.Delete(t.Context(), exit); err != nil {
			t.Fatal(err)
		}
		eventually(t, helm+": the uninstall goes on", func(context.Context) error { return uninstall() })
	}
}
