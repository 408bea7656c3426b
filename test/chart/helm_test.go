// Package chart_test proves the Helm chart: what it renders, what it refuses,
// and what becomes of it on a real API server. It calls the Helm binaries that
// EMRGUARD_HELM3 and EMRGUARD_HELM4 name, or builds them (test/tools).
package chart_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const (
	release          = "emrguard"
	releaseNamespace = "emrguard-system"
	repository       = "../.."
	chart            = repository + "/charts/emrguard"
)

// tools are the binaries by name, each found or built once.
var tools = map[string]func() (string, error){
	"helm3":     sync.OnceValues(func() (string, error) { return findTool("EMRGUARD_HELM3", "helm3") }),
	"helm4":     sync.OnceValues(func() (string, error) { return findTool("EMRGUARD_HELM4", "helm4") }),
	"kustomize": sync.OnceValues(func() (string, error) { return findTool("EMRGUARD_KUSTOMIZE", "kustomize") }),
	"promtool":  sync.OnceValues(func() (string, error) { return findTool("EMRGUARD_PROMTOOL", "promtool") }),
}

// helms are the versions of Helm that the chart supports.
var helms = []string{"helm3", "helm4"}

// findTool answers the path in the environment variable, or builds the tool.
func findTool(variable, name string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	return runScript(filepath.Join(repository, "test/tools/build.sh"), name)
}

// runScript answers the one line that a build script prints.
func runScript(script string, args ...string) (string, error) {
	command := exec.Command(script, args...)
	var stderr bytes.Buffer
	command.Stderr = io.MultiWriter(os.Stderr, &stderr)
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", script, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// tool answers the path of a tool.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := tools[name]()
	if err != nil {
		t.Fatalf("no %s: %v", name, err)
	}
	return path
}

// run runs a tool and answers its two outputs. Helm sees a configuration of
// its own, and no cluster unless environment names one.
func run(t *testing.T, environment []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), tool(t, name), args...)
	home := t.TempDir()
	command.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home,
		"HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home,
		"KUBECONFIG=" + filepath.Join(home, "none"),
	}, environment...)
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	err = command.Run()
	return out.String(), errOut.String(), err
}

// templateFolder renders the chart in a folder and answers Helm's output.
func templateFolder(t *testing.T, helm, folder string, args ...string) (string, error) {
	t.Helper()
	args = append([]string{"template", release, folder, "--namespace", releaseNamespace}, args...)
	stdout, stderr, err := run(t, nil, helm, args...)
	if err != nil {
		return "", errors.Join(err, errors.New(stderr))
	}
	return stdout, nil
}

// render renders the chart and answers its objects.
func render(t *testing.T, helm string, args ...string) objects {
	t.Helper()
	return renderFolder(t, helm, chart, args...)
}

func renderFolder(t *testing.T, helm, folder string, args ...string) objects {
	t.Helper()
	out, err := templateFolder(t, helm, folder, args...)
	if err != nil {
		t.Fatalf("%s template %s: %v", helm, strings.Join(args, " "), err)
	}
	return decode(t, out)
}

// objects are rendered objects by "Kind/name".
type objects map[string]*unstructured.Unstructured

// decode reads a stream of YAML documents. Two objects of the same kind and
// name are an error: whoever applies them gets the last one.
func decode(t *testing.T, stream string) objects {
	t.Helper()
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(stream)))
	found := objects{}
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("read the rendered YAML: %v", err)
		}
		object := &unstructured.Unstructured{}
		// Strict: a key that occurs twice is an error.
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			t.Fatalf("decode a rendered object: %v\n%s", err, document)
		}
		if len(object.Object) == 0 {
			continue
		}
		key := object.GetKind() + "/" + object.GetName()
		if found[key] != nil {
			t.Fatalf("%s is rendered twice", key)
		}
		found[key] = object
	}
}

// object answers one rendered object as its type; unknown fields are errors.
func object[T any](t *testing.T, from objects, key string) *T {
	t.Helper()
	rendered := from[key]
	if rendered == nil {
		t.Fatalf("%s is not rendered", key)
	}
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(rendered.Object, typed, true); err != nil {
		t.Fatalf("%s does not fit its type: %v", key, err)
	}
	return typed
}

// webhooks answers the entries of the rendered webhook configuration.
func webhooks(t *testing.T, from objects) []admissionregistrationv1.ValidatingWebhook {
	t.Helper()
	return object[admissionregistrationv1.ValidatingWebhookConfiguration](t, from, "ValidatingWebhookConfiguration/emrguard").Webhooks
}

// valuesFiles are the chart's examples of values; "" stands for the defaults.
func valuesFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(chart + "/ci/*-values.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values files in %s/ci: %v", chart, err)
	}
	return append([]string{""}, files...)
}

// withValues answers the arguments that give Helm a file of values.
func withValues(file string) []string {
	if file == "" {
		return nil
	}
	return []string{"--values", file}
}

// writeValues writes values for one test and answers the file. Not into
// t.TempDir, which has the name of the test: Helm takes a comma in --values as
// the end of a file's name.
func writeValues(t *testing.T, values string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "emrguard-values-") //nolint:usetesting // the name of the test would be in the path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	file := filepath.Join(folder, "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
