package chart_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestLint(t *testing.T) {
	t.Parallel()
	for _, helm := range helms {
		for _, file := range valuesFiles(t) {
			args := append([]string{"lint", "--strict", chart, "--namespace", releaseNamespace}, withValues(file)...)
			stdout, stderr, err := run(t, nil, helm, args...)
			if err != nil {
				t.Errorf("%s lint %s: %v\n%s%s", helm, file, err, stdout, stderr)
			}
		}
	}
}

func TestBothHelmsRenderTheSame(t *testing.T) {
	t.Parallel()
	for _, file := range valuesFiles(t) {
		three, four := render(t, "helm3", withValues(file)...), render(t, "helm4", withValues(file)...)
		if len(three) < 5 {
			t.Errorf("%s: only %d objects", file, len(three))
		}
		for key := range four {
			if three[key] == nil {
				t.Errorf("%s: %s is rendered by Helm 4 alone", file, key)
			}
		}
		for key := range three {
			if !reflect.DeepEqual(three[key], four[key]) {
				t.Errorf("%s: %s differs:\nHelm 3: %v\nHelm 4: %v", file, key, three[key], four[key])
			}
		}
	}
}

// Every object that Kubernetes itself knows decodes into its type without an
// unknown field, whatever the values.
func TestObjectsFitTheirTypes(t *testing.T) {
	t.Parallel()
	for _, file := range valuesFiles(t) {
		rendered := render(t, "helm3", withValues(file)...)
		for key, found := range rendered {
			switch found.GetKind() {
			case "ClusterRole":
				object[rbacv1.ClusterRole](t, rendered, key)
			case "ClusterRoleBinding":
				object[rbacv1.ClusterRoleBinding](t, rendered, key)
			case "ConfigMap":
				object[corev1.ConfigMap](t, rendered, key)
			case "Deployment":
				object[appsv1.Deployment](t, rendered, key)
			case "FlowSchema":
				object[flowcontrolv1.FlowSchema](t, rendered, key)
			case "Lease":
				object[coordinationv1.Lease](t, rendered, key)
			case "NetworkPolicy":
				object[networkingv1.NetworkPolicy](t, rendered, key)
			case "Pod":
				object[corev1.Pod](t, rendered, key)
			case "PodDisruptionBudget":
				object[policyv1.PodDisruptionBudget](t, rendered, key)
			case "Role":
				object[rbacv1.Role](t, rendered, key)
			case "RoleBinding":
				object[rbacv1.RoleBinding](t, rendered, key)
			case "Secret":
				object[corev1.Secret](t, rendered, key)
			case "Service":
				object[corev1.Service](t, rendered, key)
			case "ServiceAccount":
				object[corev1.ServiceAccount](t, rendered, key)
			case "ValidatingAdmissionPolicy":
				object[admissionregistrationv1.ValidatingAdmissionPolicy](t, rendered, key)
			case "ValidatingAdmissionPolicyBinding":
				object[admissionregistrationv1.ValidatingAdmissionPolicyBinding](t, rendered, key)
			case "ValidatingWebhookConfiguration":
				object[admissionregistrationv1.ValidatingWebhookConfiguration](t, rendered, key)
			case "Certificate", "Issuer", "PrometheusRule", "ServiceMonitor":
				// Custom resources of others.
			default:
				t.Errorf("%s: %s is of a kind that nobody expects", file, key)
			}
		}
	}
}

func TestDefaultObjects(t *testing.T) {
	t.Parallel()
	var got []string
	for key := range render(t, "helm3") {
		got = append(got, key)
	}
	slices.Sort(got)
	want := []string{
		"ClusterRole/emrguard",
		"ClusterRole/emrguard-audit",
		"ClusterRoleBinding/emrguard",
		"ClusterRoleBinding/emrguard-audit",
		"ConfigMap/emrguard",
		"Deployment/emrguard",
		"FlowSchema/emrguard",
		"Lease/emrguard-audit",
		"Pod/emrguard-test",
		"PodDisruptionBudget/emrguard",
		"Role/emrguard",
		"Role/emrguard-audit",
		"RoleBinding/emrguard",
		"RoleBinding/emrguard-audit",
		"Secret/emrguard-webhook-certs",
		"Service/emrguard",
		"Service/emrguard-metrics",
		"ServiceAccount/emrguard",
		"ValidatingAdmissionPolicy/emrguard-custom-resources",
		"ValidatingAdmissionPolicy/emrguard-custom-resources-break-glass",
		"ValidatingAdmissionPolicy/emrguard-mutating-webhook",
		"ValidatingAdmissionPolicy/emrguard-mutating-webhook-break-glass",
		"ValidatingAdmissionPolicyBinding/emrguard-custom-resources",
		"ValidatingAdmissionPolicyBinding/emrguard-custom-resources-break-glass",
		"ValidatingAdmissionPolicyBinding/emrguard-mutating-webhook",
		"ValidatingAdmissionPolicyBinding/emrguard-mutating-webhook-break-glass",
		"ValidatingWebhookConfiguration/emrguard",
	}
	if !slices.Equal(got, want) {
		t.Errorf("objects:\ngot  %v\nwant %v", got, want)
	}
}

func TestWebhookEntries(t *testing.T) {
	t.Parallel()
	entries := webhooks(t, render(t, "helm3", "--values", chart+"/ci/selector-values.yaml"))
	var got, metadata []string
	for _, entry := range entries {
		if !isForMetadata(&entry) {
			metadata = append(metadata, strings.Replace(entry.Name, ".", "-metadata.", 1))
		} else if len(metadata) == 0 || entry.Name != metadata[len(metadata)-1] {
			t.Errorf("%s does not follow its own entry: %v", entry.Name, metadata)
		}
		got = append(got, fmt.Sprintf("%s %s %s", entry.Name, *entry.FailurePolicy, *entry.ClientConfig.Service.Path))
		if *entry.SideEffects != admissionregistrationv1.SideEffectClassNone ||
			*entry.MatchPolicy != admissionregistrationv1.Equivalent ||
			*entry.TimeoutSeconds != 3 ||
			!slices.Equal(entry.AdmissionReviewVersions, []string{"v1"}) {
			t.Errorf("%s: wrong side effects, match policy, timeout or versions: %+v", entry.Name, entry)
		}
		service := entry.ClientConfig.Service
		if service.Name != "emrguard" || service.Namespace != releaseNamespace || *service.Port != 443 {
			t.Errorf("%s calls the wrong service: %+v", entry.Name, service)
		}
		if entry.ClientConfig.CABundle != nil {
			t.Errorf("%s: a caBundle is rendered, which would overwrite the live one", entry.Name)
		}
		if len(entry.Rules) == 0 {
			t.Errorf("%s has no rules", entry.Name)
		}
	}
	want := []string{
		"managed.emrguard.dev Fail /managed",
		"managed-metadata.emrguard.dev Fail /managed",
		"managed-label.emrguard.dev Fail /managed",
		"managed-label-metadata.emrguard.dev Fail /managed",
		"cluster.emrguard.dev Ignore /cluster",
		"cluster-metadata.emrguard.dev Ignore /cluster",
		"cluster-2.emrguard.dev Ignore /cluster",
		"cluster-2-metadata.emrguard.dev Ignore /cluster",
		"cluster-3.emrguard.dev Ignore /cluster",
		"cluster-3-metadata.emrguard.dev Ignore /cluster",
		"cluster-4.emrguard.dev Ignore /cluster",
		"cluster-4-metadata.emrguard.dev Ignore /cluster",
		"cluster-5.emrguard.dev Ignore /cluster",
		"cluster-5-metadata.emrguard.dev Ignore /cluster",
	}
	if !slices.Equal(got, want) {
		t.Errorf("entries:\ngot  %v\nwant %v", got, want)
	}
}

func TestDefaultFailsOpen(t *testing.T) {
	t.Parallel()
	for _, values := range []string{
		"{}",
		"emr: {namespaceSelector: {}}",
		"emr: {namespaceSelector: {matchLabels: {}, matchExpressions: []}}",
		"emr: {namespaceSelector: null, namespaces: null}",
	} {
		entries := webhooks(t, render(t, "helm3", "--values", writeValues(t, values)))
		if len(entries) != 2 || entries[0].Name != "cluster.emrguard.dev" || *entries[0].FailurePolicy != admissionregistrationv1.Ignore ||
			entries[1].Name != "cluster-metadata.emrguard.dev" || *entries[1].FailurePolicy != admissionregistrationv1.Ignore {
			t.Errorf("%s: want two entries that fail open, got %+v", values, entries)
		}
	}
}

func TestURLInsteadOfService(t *testing.T) {
	t.Parallel()
	rendered := render(t, "helm3", "--values", chart+"/ci/url-values.yaml", "--set", "webhook.clientConfig.url=https://127.0.0.1:9443/")
	for _, entry := range webhooks(t, rendered) {
		want := "https://127.0.0.1:9443/managed"
		if *entry.FailurePolicy == admissionregistrationv1.Ignore {
			want = "https://127.0.0.1:9443/cluster"
		}
		if entry.ClientConfig.Service != nil || entry.ClientConfig.URL == nil || *entry.ClientConfig.URL != want {
			t.Errorf("%s: want the url %s, got %+v", entry.Name, want, entry.ClientConfig)
		}
		if !strings.HasPrefix(string(entry.ClientConfig.CABundle), "-----BEGIN CERTIFICATE-----") {
			t.Errorf("%s: the caBundle of the values is missing", entry.Name)
		}
	}
	if replicas := *object[appsv1.Deployment](t, rendered, "Deployment/emrguard").Spec.Replicas; replicas != 0 {
		t.Errorf("want no replicas, got %d", replicas)
	}
	for _, key := range []string{"Pod/emrguard-test", "PodDisruptionBudget/emrguard", "Secret/emrguard-webhook-certs"} {
		if rendered[key] != nil {
			t.Errorf("%s is rendered for a process outside of the cluster", key)
		}
	}
}

func TestCertificateModes(t *testing.T) {
	t.Parallel()
	annotation := "cert-manager.io/inject-ca-from"
	for _, test := range []struct {
		values, secret, argument string
		present, absent          []string
		inject                   string
	}{
		{
			values: "", secret: "emrguard-webhook-certs", argument: "--certificates=self-managed",
			present: []string{"Secret/emrguard-webhook-certs", "Role/emrguard"},
			absent:  []string{"Certificate/emrguard"},
		},
		{
			values: chart + "/ci/cert-manager-values.yaml", secret: "emrguard-webhook-tls", argument: "--certificates=provided",
			present: []string{"Certificate/emrguard", "Certificate/emrguard-ca", "Issuer/emrguard-ca", "Issuer/emrguard-selfsigned"},
			absent:  []string{"Secret/emrguard-webhook-certs", "Secret/emrguard-webhook-tls", "Role/emrguard"},
			inject:  releaseNamespace + "/emrguard",
		},
		{
			values: chart + "/ci/cert-manager-issuer-values.yaml", secret: "emrguard-webhook-tls", argument: "--certificates=provided",
			present: []string{"Certificate/emrguard"},
			absent:  []string{"Certificate/emrguard-ca", "Issuer/emrguard-ca", "Issuer/emrguard-selfsigned", "Role/emrguard"},
			inject:  releaseNamespace + "/emrguard",
		},
		{
			values: chart + "/ci/secret-values.yaml", secret: "emrguard-serving-cert", argument: "--certificates=provided",
			present: []string{"ConfigMap/emrguard-test-ca"},
			absent:  []string{"Secret/emrguard-serving-cert", "Secret/emrguard-webhook-certs", "Certificate/emrguard", "Role/emrguard"},
		},
	} {
		rendered := render(t, "helm3", withValues(test.values)...)
		for _, key := range test.present {
			if rendered[key] == nil {
				t.Errorf("%q: %s is missing", test.values, key)
			}
		}
		for _, key := range test.absent {
			if rendered[key] != nil {
				t.Errorf("%q: %s should not be there", test.values, key)
			}
		}
		pod := object[appsv1.Deployment](t, rendered, "Deployment/emrguard").Spec.Template.Spec
		if !slices.Contains(pod.Containers[0].Args, test.argument) {
			t.Errorf("%q: want %s among the arguments, got %v", test.values, test.argument, pod.Containers[0].Args)
		}
		secret := pod.Volumes[1].Secret
		if secret.SecretName != test.secret {
			t.Errorf("%q: want the Secret %s mounted, got %s", test.values, test.secret, secret.SecretName)
		}
		for _, item := range secret.Items {
			if item.Key == "ca.key" {
				t.Errorf("%q: the key of the CA is mounted", test.values)
			}
		}
		if !*secret.Optional {
			t.Errorf("%q: a pod could not start while the Secret is empty", test.values)
		}
		configuration := rendered["ValidatingWebhookConfiguration/emrguard"]
		if got := configuration.GetAnnotations()[annotation]; got != test.inject {
			t.Errorf("%q: %s: want %q, got %q", test.values, annotation, test.inject, got)
		}
	}
}

// The pods satisfy the Pod Security Standard "restricted", and more.
func TestPodSecurity(t *testing.T) {
	t.Parallel()
	rendered := render(t, "helm3")
	for key, spec := range map[string]corev1.PodSpec{
		"Deployment/emrguard": object[appsv1.Deployment](t, rendered, "Deployment/emrguard").Spec.Template.Spec,
		"Pod/emrguard-test":   object[corev1.Pod](t, rendered, "Pod/emrguard-test").Spec,
	} {
		if !*spec.SecurityContext.RunAsNonRoot || *spec.SecurityContext.RunAsUser != 65532 ||
			spec.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: wrong security context of the pod: %+v", key, spec.SecurityContext)
		}
		for _, container := range spec.Containers {
			context := container.SecurityContext
			if *context.AllowPrivilegeEscalation || !*context.ReadOnlyRootFilesystem || !*context.RunAsNonRoot ||
				!slices.Equal(context.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(context.Capabilities.Add) > 0 {
				t.Errorf("%s: wrong security context of %s: %+v", key, container.Name, context)
			}
			if container.Resources.Requests.Memory().IsZero() || container.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: %s has no memory request or limit", key, container.Name)
			}
		}
	}
}

func TestDeployment(t *testing.T) {
	t.Parallel()
	rendered := render(t, "helm3")
	deployment := object[appsv1.Deployment](t, rendered, "Deployment/emrguard")
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	if *deployment.Spec.Replicas != 2 {
		t.Errorf("want 2 replicas, got %d", *deployment.Spec.Replicas)
	}
	if pod.PriorityClassName != "system-cluster-critical" {
		t.Errorf("wrong priority class %q", pod.PriorityClassName)
	}
	if *pod.TerminationGracePeriodSeconds <= 10 {
		t.Errorf("a pod is killed %d s after SIGTERM, while it serves for 10 s", *pod.TerminationGracePeriodSeconds)
	}
	if container.LivenessProbe.HTTPGet.Path != "/healthz" || container.ReadinessProbe.HTTPGet.Path != "/readyz" ||
		container.ReadinessProbe.HTTPGet.Port.StrVal != "health" {
		t.Errorf("wrong probes: %+v %+v", container.LivenessProbe, container.ReadinessProbe)
	}
	want := []string{
		"webhook",
		"--config=/etc/emrguard/config.yaml",
		"--port=9443",
		"--metrics-address=:8080",
		"--health-address=:8081",
		"--cert-dir=/run/emrguard/certs",
		"--namespace=$(POD_NAMESPACE)",
		"--certificates=self-managed",
		"--secret-name=emrguard-webhook-certs",
		"--service-name=emrguard",
		"--webhook-configuration=emrguard",
		"--max-connections=1024",
		"--max-header-bytes=16384",
		"--max-body-bytes=38797312",
		"--max-bytes-in-flight=8388608",
		"--header-timeout=5s",
		"--idle-timeout=120s",
		"--shutdown-delay=10s",
		"--stale-after=30s",
		"--audit-interval=1h",
		"--audit-qps=20",
		"--audit-lease=emrguard-audit",
		"--log-level=info",
		"--log-format=json",
	}
	if !slices.Equal(container.Args, want) {
		t.Errorf("arguments:\ngot  %v\nwant %v", container.Args, want)
	}
	for _, constraint := range pod.TopologySpreadConstraints {
		if !reflect.DeepEqual(constraint.LabelSelector, deployment.Spec.Selector) {
			t.Errorf("the spread over %s counts other pods: %+v", constraint.TopologyKey, constraint.LabelSelector)
		}
	}
	if len(pod.TopologySpreadConstraints) != 2 {
		t.Errorf("want a spread over zones and nodes, got %+v", pod.TopologySpreadConstraints)
	}

	// The selectors of all others must hit these pods, and not the test's.
	labels := deployment.Spec.Template.Labels
	test := object[corev1.Pod](t, rendered, "Pod/emrguard-test").Labels
	for name, selector := range map[string]map[string]string{
		"Deployment":          deployment.Spec.Selector.MatchLabels,
		"Service":             object[corev1.Service](t, rendered, "Service/emrguard").Spec.Selector,
		"metrics Service":     object[corev1.Service](t, rendered, "Service/emrguard-metrics").Spec.Selector,
		"PodDisruptionBudget": object[policyv1.PodDisruptionBudget](t, rendered, "PodDisruptionBudget/emrguard").Spec.Selector.MatchLabels,
	} {
		if !selects(selector, labels) {
			t.Errorf("the selector of the %s misses the pods: %v, %v", name, selector, labels)
		}
		if selects(selector, test) {
			t.Errorf("the selector of the %s catches the pod of helm test", name)
		}
	}
}

func selects(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}

// What emrguard reloads by itself must not restart its pods.
func TestConfigurationRestartsNoPod(t *testing.T) {
	t.Parallel()
	before := object[appsv1.Deployment](t, render(t, "helm3"), "Deployment/emrguard")
	after := render(t, "helm3", "--set", "mode=warn,emr.namespaces={emr-jobs},rules.role-arn-override.mode=off")
	if !reflect.DeepEqual(before, object[appsv1.Deployment](t, after, "Deployment/emrguard")) {
		t.Error("the Deployment depends on the configuration")
	}
	if !strings.Contains(object[corev1.ConfigMap](t, after, "ConfigMap/emrguard").Data["config.yaml"], "\nmode: warn\n") {
		t.Error("the mode is not in the configuration")
	}
}

func TestMemoryLimitOfGo(t *testing.T) {
	t.Parallel()
	for memory, want := range map[string]string{
		"256Mi":          "241591910",
		"128Mi":          "120795955",
		"1Gi":            "966367641",
		"0.5Gi":          "483183820",
		"1.5Gi":          "1449551462",
		"2Ti":            "1979120929996",
		"524288Ki":       "483183820",
		"200M":           "180000000",
		"1G":             "900000000",
		"2e8":            "180000000",
		"2E+8":           "180000000",
		"268435456":      "241591910",
		"268435456000m":  "241591910",
		"134217728000.m": "120795955",
	} {
		values := writeValues(t, fmt.Sprintf("resources: {limits: {memory: %q}}", memory))
		deployment := object[appsv1.Deployment](t, render(t, "helm3", "--values", values), "Deployment/emrguard")
		if got := environment(deployment)["GOMEMLIMIT"]; got != want {
			t.Errorf("%s: want %s, got %s", memory, want, got)
		}
	}
	// As a number, YAML's way.
	deployment := object[appsv1.Deployment](t, render(t, "helm3", "--set", "resources.limits.memory=268435456"), "Deployment/emrguard")
	if got := environment(deployment)["GOMEMLIMIT"]; got != "241591910" {
		t.Errorf("a number: want 241591910, got %s", got)
	}
	for _, values := range []string{"resources: {limits: null}", "resources: {limits: {memory: null}}", "resources: null"} {
		deployment := object[appsv1.Deployment](t, render(t, "helm3", "--values", writeValues(t, values)), "Deployment/emrguard")
		if got, found := environment(deployment)["GOMEMLIMIT"]; found {
			t.Errorf("%s: want no GOMEMLIMIT, got %s", values, got)
		}
	}
	deployment = object[appsv1.Deployment](t, render(t, "helm3", "--set", "extraEnv[0].name=GOMEMLIMIT,extraEnv[0].value=100MiB"), "Deployment/emrguard")
	if got := environment(deployment)["GOMEMLIMIT"]; got != "100MiB" || len(deployment.Spec.Template.Spec.Containers[0].Env) != 2 {
		t.Errorf("want the user's GOMEMLIMIT alone, got %v", deployment.Spec.Template.Spec.Containers[0].Env)
	}
}

func environment(deployment *appsv1.Deployment) map[string]string {
	found := map[string]string{}
	for _, variable := range deployment.Spec.Template.Spec.Containers[0].Env {
		found[variable.Name] = variable.Value
	}
	return found
}

// No wildcard anywhere, and nothing is changed that is not named.
func TestRBACIsNarrow(t *testing.T) {
	t.Parallel()
	reading := []string{"get", "list", "watch"}
	for _, file := range valuesFiles(t) {
		rendered := render(t, "helm3", withValues(file)...)
		for key, found := range rendered {
			var rules []rbacv1.PolicyRule
			switch found.GetKind() {
			case "Role":
				rules = object[rbacv1.Role](t, rendered, key).Rules
			case "ClusterRole":
				rules = object[rbacv1.ClusterRole](t, rendered, key).Rules
			default:
				continue
			}
			for _, rule := range rules {
				for _, word := range slices.Concat(rule.Verbs, rule.APIGroups, rule.Resources, rule.ResourceNames) {
					if strings.Contains(word, "*") {
						t.Errorf("%s: %s has a wildcard: %+v", file, key, rule)
					}
				}
				for _, verb := range rule.Verbs {
					// A creation cannot be limited to a name, nor a patch of what has just got
					// one. Reports and Events say what is wrong, and nobody acts by them.
					report := verb == "create" && slices.Equal(rule.APIGroups, []string{"openreports.io"}) ||
						(verb == "create" || verb == "patch") && slices.Equal(rule.APIGroups, []string{"events.k8s.io"}) && slices.Equal(rule.Resources, []string{"events"})
					if !slices.Contains(reading, verb) && len(rule.ResourceNames) == 0 && !report {
						t.Errorf("%s: %s may %s %v without a name", file, key, verb, rule.Resources)
					}
				}
				if slices.Contains(rule.Resources, "secrets") && found.GetKind() == "ClusterRole" {
					t.Errorf("%s: %s reaches Secrets of all namespaces", file, key)
				}
			}
		}
	}
}

func TestDashboardIsJSON(t *testing.T) {
	t.Parallel()
	rendered := render(t, "helm3", "--set", "dashboard.enabled=true")
	data := object[corev1.ConfigMap](t, rendered, "ConfigMap/emrguard-dashboard").Data["emrguard.json"]
	file, err := os.ReadFile(chart + "/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal([]byte(data), &got); err != nil {
		t.Fatalf("the dashboard is no JSON: %v", err)
	}
	if err := json.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("rendering changed the dashboard")
	}
}

// TestWarnModeStopsNobody: while nothing is refused, an absent emrguard refuses
// nothing either, unless somebody wants it so.
func TestWarnModeStopsNobody(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]admissionregistrationv1.FailurePolicyType{
		"mode=":                                admissionregistrationv1.Fail,
		"mode=warn":                            admissionregistrationv1.Ignore,
		"mode=audit":                           admissionregistrationv1.Ignore,
		"mode=warn,webhook.failurePolicy=Fail": admissionregistrationv1.Fail,
		"mode=,webhook.failurePolicy=Ignore":   admissionregistrationv1.Ignore,
	} {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			seen := 0
			for _, entry := range webhooks(t, render(t, "helm3", "--set", "emr.namespaces={emr-jobs},emr.namespaceSelector.matchLabels.team=a", "--set", values)) {
				if *entry.ClientConfig.Service.Path != "/managed" {
					continue
				}
				if seen++; *entry.FailurePolicy != want {
					t.Errorf("%s has the failure policy %s, want %s", entry.Name, *entry.FailurePolicy, want)
				}
			}
			if seen < 2 {
				t.Errorf("%d entries of managed namespaces are rendered, want those by name and by label", seen)
			}
		})
	}
}
