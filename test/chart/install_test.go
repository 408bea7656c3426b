package chart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// The life of a release on a real API server, with both versions of Helm. What
// the running process writes survives whatever Helm does, and nothing is left
// in the end.
func TestReleaseOnRealAPIServer(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.createNamespace(t, "emr-jobs", nil)
	c.createNamespace(t, "emr-labelled", map[string]string{"platform": "emr"})
	for _, helm := range helms {
		t.Run(helm, func(t *testing.T) { testRelease(t, c, helm) })
	}
}

func testRelease(t *testing.T, c *cluster, helm string) {
	t.Helper()
	// Install.
	notes := c.helm(t, helm, "install", release, chart, "--create-namespace",
		"--set", "emr.namespaces={emr-jobs},emr.namespaceSelector.matchLabels.platform=emr",
		"--set", "dashboard.enabled=true,networkPolicy.enabled=true",
		// With every policy that could stand in the way of an upgrade or uninstall.
		"--set", "rules.guard-protection.mode=deny")
	if !strings.Contains(notes, "--set mode=warn") || strings.Contains(notes, "WARNING: neither") || !strings.Contains(notes, "WARNING: administrators is not set") {
		t.Errorf("the notes should advise to begin with warnings, warn about administrators, and not about namespaces:\n%s", notes)
	}
	installed := decode(t, c.helm(t, helm, "get", "manifest", release))
	if len(installed) != 36 {
		t.Errorf("want 36 objects, got %d: %v", len(installed), slices.Sorted(maps.Keys(installed)))
	}
	original := webhooks(t, installed)
	hooks := decode(t, withoutTests(c.helm(t, helm, "get", "hooks", release)))
	if len(hooks) != 1 || !reflect.DeepEqual(webhooks(t, hooks), original) {
		t.Errorf("want the webhook configuration alone as a hook, as it is, got %v", hooks)
	}
	for key, object := range installed {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Errorf("%s was not created: %v", key, err)
		}
	}

	// No process answers here: managed namespaces fail closed, others open.
	for _, namespace := range []string{"emr-jobs", "emr-labelled"} {
		eventually(t, "pods in "+namespace+" are refused", func(ctx context.Context) error {
			err := c.createPod(ctx, namespace, "refused")
			if err == nil {
				return errors.New("the pod was created")
			}
			if !strings.Contains(err.Error(), "emrguard.dev") {
				return fmt.Errorf("refused by somebody else: %w", err)
			}
			return nil
		})
	}
	if err := c.createPod(t.Context(), "default", "unmanaged"); err != nil {
		t.Errorf("an outage of emrguard stops namespaces that are not managed: %v", err)
	}
	if err := c.createPod(t.Context(), releaseNamespace, "own"); err != nil {
		t.Errorf("emrguard stops its own namespace: %v", err)
	}

	// What the process does.
	data := map[string][]byte{"ca.crt": certificate(t), "ca.key": []byte("a"), "tls.crt": []byte("b"), "tls.key": []byte("c")}
	secret := &corev1.Secret{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: "emrguard-webhook-certs"}, secret); err != nil {
		t.Fatal(err)
	}
	if len(secret.Data) != 0 {
		t.Errorf("the chart puts data into the Secret: %v", slices.Sorted(maps.Keys(secret.Data)))
	}
	secret.Data = data
	if err := c.Update(t.Context(), secret, client.FieldOwner(release)); err != nil {
		t.Fatal(err)
	}
	configuration := c.webhookConfiguration(t)
	for i := range configuration.Webhooks {
		configuration.Webhooks[i].ClientConfig.CABundle = data["ca.crt"]
	}
	if err := c.Update(t.Context(), configuration, client.FieldOwner(release)); err != nil {
		t.Fatal(err)
	}
	holder, lease := "pod-1", &coordinationv1.Lease{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: "emrguard-audit"}, lease); err != nil {
		t.Fatal(err)
	}
	lease.Spec.HolderIdentity = &holder
	if err := c.Update(t.Context(), lease, client.FieldOwner(release)); err != nil {
		t.Fatal(err)
	}
	survived := func(t *testing.T, after string, names ...string) {
		t.Helper()
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(lease), lease); err != nil {
			t.Fatal(err)
		}
		if got := lease.Spec.HolderIdentity; got == nil || *got != holder {
			t.Errorf("%s: the holder of the lease is lost: %v", after, got)
		}
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(secret.Data, data) {
			t.Errorf("%s: the certificate is lost: %v", after, slices.Sorted(maps.Keys(secret.Data)))
		}
		var got []string
		for _, entry := range c.webhookConfiguration(t).Webhooks {
			name := strings.TrimSuffix(entry.Name, ".emrguard.dev")
			got = append(got, name)
			// An entry that an upgrade adds gets its CA from the process.
			if !bytes.Equal(entry.ClientConfig.CABundle, data["ca.crt"]) && !strings.HasPrefix(name, "cluster-") {
				t.Errorf("%s: %s has lost its caBundle", after, name)
			}
		}
		if !slices.Equal(got, names) {
			t.Errorf("%s: entries %v, want %v", after, got, names)
		}
	}

	// Another mode: reloaded, not restarted.
	generation := c.deployment(t).Generation
	c.helm(t, helm, "upgrade", release, chart, "--reuse-values", "--set", "mode=warn")
	survived(t, "upgrade of the mode", "managed", "managed-metadata", "managed-label", "managed-label-metadata", "cluster", "cluster-metadata")
	if got := c.deployment(t).Generation; got != generation {
		t.Errorf("another mode changes the Deployment (generation %d to %d)", generation, got)
	}
	if config := c.configMap(t); !strings.Contains(config, "\nmode: warn\n") {
		t.Errorf("the mode did not arrive:\n%s", config)
	}

	// Other entries, another pod template.
	c.helm(t, helm, "upgrade", release, chart, "--reuse-values",
		"--set", "logLevel=debug,webhook.timeoutSeconds=5,commonLabels.team=platform,emr.namespaceSelector.matchLabels.team=a")
	survived(t, "upgrade of the webhooks", "managed", "managed-metadata", "managed-label", "managed-label-metadata", "cluster", "cluster-metadata", "cluster-2", "cluster-2-metadata")
	if timeout := *c.webhookConfiguration(t).Webhooks[0].TimeoutSeconds; timeout != 5 {
		t.Errorf("the upgrade did not change the timeout: %d", timeout)
	}
	c.helm(t, helm, "rollback", release, "1")
	survived(t, "rollback", "managed", "managed-metadata", "managed-label", "managed-label-metadata", "cluster", "cluster-metadata")
	if config := c.configMap(t); strings.Contains(config, "\nmode:") {
		t.Errorf("the rollback did not change the mode back:\n%s", config)
	}

	// Uninstall.
	gone := c.deletions(t)
	c.helm(t, helm, "uninstall", release)
	revisions := gone()
	if first, service := revisions["ValidatingWebhookConfiguration"], revisions["Service"]; first > service {
		t.Errorf("the Service goes (revision %d) before the webhook configuration (%d): managed namespaces are locked between", service, first)
	}
	for key, object := range installed {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			t.Errorf("%s is left: %v", key, err)
		}
	}
	secrets := &corev1.SecretList{}
	if err := c.List(t.Context(), secrets, client.InNamespace(releaseNamespace)); err != nil || len(secrets.Items) != 0 {
		t.Errorf("Secrets are left: %v %v", secrets.Items, err)
	}
	for _, namespace := range []string{"emr-jobs", "emr-labelled", "default"} {
		eventually(t, "pods in "+namespace+" are accepted again", func(ctx context.Context) error {
			return c.createPod(ctx, namespace, "accepted")
		})
	}
}

// withoutTests leaves out the pod of `helm test`.
func withoutTests(hooks string) string {
	documents := strings.Split(hooks, "\n---\n")
	return strings.Join(slices.DeleteFunc(documents, func(document string) bool {
		return strings.Contains(document, "/templates/tests/")
	}), "\n---\n")
}

// deletions watches, and answers a function that waits for the first deletion
// of the webhook configuration and of the Service and tells their revisions in
// etcd.
func (c *cluster) deletions(t *testing.T) func() map[string]int64 {
	t.Helper()
	lists := map[string]client.ObjectList{
		"ValidatingWebhookConfiguration": &admissionregistrationv1.ValidatingWebhookConfigurationList{},
		"Service":                        &corev1.ServiceList{},
	}
	watches := map[string]watch.Interface{}
	for kind, list := range lists {
		watching, err := c.Watch(t.Context(), list, client.MatchingLabels{"app.kubernetes.io/instance": release})
		if err != nil {
			t.Fatalf("watch %s: %v", kind, err)
		}
		t.Cleanup(watching.Stop)
		watches[kind] = watching
	}
	return func() map[string]int64 {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		revisions := map[string]int64{}
		for kind, watching := range watches {
			for revisions[kind] == 0 {
				select {
				case event := <-watching.ResultChan():
					found, ok := event.Object.(client.Object)
					if !ok {
						t.Fatalf("watch %s: %v", kind, event)
					}
					if event.Type != watch.Deleted || found.GetName() != release {
						continue
					}
					revision, err := strconv.ParseInt(found.GetResourceVersion(), 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					revisions[kind] = revision
				case <-ctx.Done():
					t.Fatalf("%s was not deleted", kind)
				}
			}
		}
		return revisions
	}
}

func (c *cluster) webhookConfiguration(t *testing.T) *admissionregistrationv1.ValidatingWebhookConfiguration {
	t.Helper()
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := c.Get(t.Context(), client.ObjectKey{Name: release}, configuration); err != nil {
		t.Fatal(err)
	}
	return configuration
}

func (c *cluster) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	deployment := &appsv1.Deployment{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: release}, deployment); err != nil {
		t.Fatal(err)
	}
	return deployment
}

// configMap answers the configuration in the cluster.
func (c *cluster) configMap(t *testing.T) string {
	t.Helper()
	found := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: release}, found); err != nil {
		t.Fatal(err)
	}
	return found.Data["config.yaml"]
}

// certificate answers the CA of the chart's example, a real one, because the
// API server looks at what a caBundle holds.
func certificate(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(chart + "/ci/secret-values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Webhook struct {
			ClientConfig struct {
				CABundle []byte `json:"caBundle"`
			} `json:"clientConfig"`
		} `json:"webhook"`
	}
	if err := yaml.Unmarshal(content, &values); err != nil {
		t.Fatal(err)
	}
	return values.Webhook.ClientConfig.CABundle
}

// Every example of values is accepted by the API server, as far as it knows
// the kinds: the fields, the references and the ranges of the values hold.
func TestAPIServerAcceptsEveryExample(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.createNamespace(t, releaseNamespace, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	for _, file := range valuesFiles(t) {
		for key, object := range render(t, "helm3", withValues(file)...) {
			switch object.GetKind() {
			case "Certificate", "Issuer", "PrometheusRule", "ServiceMonitor":
				continue
			}
			created := object.DeepCopy()
			err := c.Create(t.Context(), created, client.DryRunAll, client.FieldValidation("Strict"))
			if err != nil {
				t.Errorf("%s: %s: %v", file, key, err)
			}
		}
	}
}

// The notes fit the values.
func TestNotes(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for _, helm := range helms {
		for _, test := range []struct {
			args         []string
			want, refuse string
		}{
			{nil, "WARNING: neither emr.namespaces nor emr.namespaceSelector is set", "Managed, refused"},
			{[]string{"--set", "emr.namespaces={emr-jobs}"}, "namespaces emr-jobs", "WARNING: neither"},
			{[]string{"--set", "administrators.groups={system:masters}"}, "WARNING: administrators is not set", "are found"},
			{[]string{"--set", "administrators.groups={platform},emr.namespaces={emr-jobs}"}, "Managed, refused", "WARNING"},
			{[]string{"--set", "administrators.users={kim},emr.namespaces={emr-jobs},mode=warn"}, "Managed, let in", "WARNING"},
			{[]string{"--set", "emr.namespaceSelector.matchLabels.platform=emr"}, `"platform"`, "WARNING: neither"},
			{[]string{"--set", "mode=warn"}, "--set mode=\n", "--set mode=warn"},
			{[]string{"--set", "rules.guard-protection.mode=deny"}, "delete validatingadmissionpolicybinding emrguard-guard-protection", "WARNING: x"},
			{[]string{"--set", "mode=audit"}, "Mode: audit", "--set mode"},
			{[]string{"--values", chart + "/ci/url-values.yaml"}, "rollout status", "helm test"},
		} {
			args := append([]string{"install", release, chart, "--dry-run=server"}, test.args...)
			out := c.helm(t, helm, args...)
			_, notes, found := strings.Cut(out, "NOTES:")
			if !found || !strings.Contains(notes, test.want) || strings.Contains(notes, test.refuse) {
				t.Errorf("%s %v: want %q and not %q in\n%s", helm, test.args, test.want, test.refuse, notes)
			}
		}
	}
}
