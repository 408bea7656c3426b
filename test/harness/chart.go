package harness

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// The release of the chart.
const (
	// ReleaseNamespace is where the chart is installed.
	ReleaseNamespace = "emrguard-system"
	// ReleaseName is the Helm release, and the chart's full name.
	ReleaseName = "emrguard"
	// configKey is the configuration's key in the chart's ConfigMap.
	configKey = "config.yaml"
)

// Chart is the installed chart. Its webhook configuration points at a port of
// the loopback address, where StartWebhook starts the webhook.
type Chart struct {
	// Port is the port that the API server calls.
	Port int
	// APIServer is the address at which a webhook that is started later finds the API
	// server, such as that of a [Link]; empty for its own.
	APIServer string

	cp         *ControlPlane
	helm       string
	kubeconfig string
	values     map[string]any
}

// InstallChart installs charts/emrguard with Helm 3, as a user does, with the
// given values on top of those that let the API server call a process of this
// machine instead of a Service.
func (cp *ControlPlane) InstallChart(ctx context.Context, values map[string]any) (*Chart, error) {
	helm, err := Helm3(ctx)
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	c := &Chart{
		Port: port, cp: cp, helm: helm,
		kubeconfig: filepath.Join(cp.Dir, "admin.kubeconfig"),
		values: merge(map[string]any{
			"replicaCount": 0,
			"webhook": map[string]any{"clientConfig": map[string]any{
				"url":      "https://127.0.0.1:" + strconv.Itoa(port),
				"caBundle": base64.StdEncoding.EncodeToString(cp.CA.PEM),
			}},
			"certificates": map[string]any{"mode": "secret", "secretName": "emrguard-webhook-tls"},
		}, values),
	}
	if err := WriteKubeconfig(c.kubeconfig, cp.admin, ReleaseNamespace); err != nil {
		return nil, err
	}
	return c, c.run(ctx, "install", "--create-namespace")
}

// Upgrade runs `helm upgrade` with further values on top of those before.
func (c *Chart) Upgrade(ctx context.Context, values map[string]any) error {
	c.values = merge(c.values, values)
	return c.run(ctx, "upgrade")
}

// UpgradeOnce runs `helm upgrade` with further values that the next upgrade forgets.
func (c *Chart) UpgradeOnce(ctx context.Context, values map[string]any) error {
	once := *c
	once.values = merge(c.values, values)
	return once.run(ctx, "upgrade")
}

// RenderStaticPolicies renders the policies for the files of an API server, as
// config/static tells its readers to.
func RenderStaticPolicies(ctx context.Context, values map[string]any) ([]byte, error) {
	helm, err := Helm3(ctx)
	if err != nil {
		return nil, err
	}
	root, err := RepoRoot()
	if err != nil {
		return nil, err
	}
	data, err := yaml.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("helm template: write the values: %w", err)
	}
	cmd := exec.CommandContext(ctx, helm, "template", ReleaseName, filepath.Join(root, "charts", "emrguard"), "--namespace", ReleaseNamespace,
		"--show-only", "templates/staticpolicies.yaml", "--set", "admissionPolicies.static=true", "--values", "-")
	var out, failure bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(data), &out, &failure
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("helm template: %w: %s", err, strings.TrimSpace(failure.String()))
	}
	return out.Bytes(), nil
}

// Uninstall runs `helm uninstall`.
func (c *Chart) Uninstall(ctx context.Context) error {
	return c.helmCommand(ctx, "uninstall", ReleaseName, "--namespace", ReleaseNamespace)
}

func (c *Chart) run(ctx context.Context, command string, flags ...string) error {
	root, err := RepoRoot()
	if err != nil {
		return err
	}
	data, err := yaml.Marshal(c.values)
	if err != nil {
		return fmt.Errorf("helm %s: write the values: %w", command, err)
	}
	file := filepath.Join(c.cp.Dir, "values.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("helm %s: write the values: %w", command, err)
	}
	args := []string{command, ReleaseName, filepath.Join(root, "charts", "emrguard"), "--namespace", ReleaseNamespace, "--values", file}
	return c.helmCommand(ctx, append(args, flags...)...)
}

func (c *Chart) helmCommand(ctx context.Context, args ...string) error {
	home := filepath.Join(c.cp.Dir, "helm")
	cmd := exec.CommandContext(ctx, c.helm, args...)
	cmd.Env = append(os.Environ(),
		"KUBECONFIG="+c.kubeconfig,
		// The user's own Helm repositories and plugins have no say here.
		"HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home,
	)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("helm %s: %w: %s", args[0], err, strings.TrimSpace(out.String()))
	}
	return nil
}

// Config returns the configuration file that the chart has rendered into its
// ConfigMap.
func (c *Chart) Config(ctx context.Context) ([]byte, error) {
	list, err := c.cp.clientset.CoreV1().ConfigMaps(ReleaseNamespace).List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/instance=" + ReleaseName,
	})
	if err != nil {
		return nil, fmt.Errorf("read the chart's configuration: %w", err)
	}
	var found []corev1.ConfigMap
	for _, cm := range list.Items {
		if _, ok := cm.Data[configKey]; ok {
			found = append(found, cm)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("read the chart's configuration: %d ConfigMaps of release %s in %s have the key %s, want one",
			len(found), ReleaseName, ReleaseNamespace, configKey)
	}
	return []byte(found[0].Data[configKey]), nil
}

// deployment reads the chart's Deployment.
func (c *Chart) deployment(ctx context.Context) (*appsv1.Deployment, error) {
	deployment, err := c.cp.clientset.AppsV1().Deployments(ReleaseNamespace).Get(ctx, ReleaseName, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read the chart's Deployment: %w", err)
	}
	return deployment, nil
}

// auditFlags are the flags of the background audit that the chart gives.
func (c *Chart) auditFlags(ctx context.Context) ([]string, error) {
	deployment, err := c.deployment(ctx)
	if err != nil {
		return nil, err
	}
	var flags []string
	for _, arg := range deployment.Spec.Template.Spec.Containers[0].Args {
		if strings.HasPrefix(arg, "--audit-") {
			flags = append(flags, arg)
		}
	}
	return flags, nil
}

// serviceAccount returns the name of the ServiceAccount of the chart's
// Deployment.
func (c *Chart) serviceAccount(ctx context.Context) (string, error) {
	deployment, err := c.deployment(ctx)
	if err != nil {
		return "", err
	}
	if name := deployment.Spec.Template.Spec.ServiceAccountName; name != "" {
		return name, nil
	}
	return "default", nil
}

// merge returns base with over on top: maps are merged, anything else replaced.
func merge(base, over map[string]any) map[string]any {
	result := maps.Clone(base)
	for key, value := range over {
		if overMap, ok := value.(map[string]any); ok {
			if baseMap, ok := result[key].(map[string]any); ok {
				result[key] = merge(baseMap, overMap)
				continue
			}
		}
		result[key] = value
	}
	return result
}
