package chart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

func TestGeneratedManifestsAreFresh(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), filepath.Join(repository, "config/generate.sh"), "--check")
	command.Env = append(os.Environ(), "EMRGUARD_HELM3="+absolute(t, tool(t, "helm3")))
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// The kustomize base is the chart with its default values, and the namespace.
func TestKustomizeBase(t *testing.T) {
	t.Parallel()
	out, stderr, err := run(t, nil, "kustomize", "build", repository+"/config/default")
	if err != nil {
		t.Fatalf("kustomize build: %v\n%s", err, stderr)
	}
	built := decode(t, out)
	namespace := built["Namespace/"+releaseNamespace]
	if namespace == nil || namespace.GetLabels()["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("want the namespace, confined, got %v", namespace)
	}
	delete(built, "Namespace/"+releaseNamespace)
	rendered := render(t, "helm3", "--no-hooks")
	if len(built) != len(rendered) {
		t.Errorf("kustomize builds %d objects, the chart %d", len(built), len(rendered))
	}
	for key, want := range rendered {
		got := built[key]
		if got == nil {
			t.Errorf("%s is missing", key)
			continue
		}
		labels := got.GetLabels()
		if labels["app.kubernetes.io/managed-by"] != "kustomize" {
			t.Errorf("%s says that it is managed by %q", key, labels["app.kubernetes.io/managed-by"])
		}
		labels["app.kubernetes.io/managed-by"] = "Helm"
		got.SetLabels(labels)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s differs:\nkustomize: %v\nchart:     %v", key, got, want)
		}
	}
}
