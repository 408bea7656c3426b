package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Environment variables that say where the programs are. Without them the
// programs are built (or found) in the repository.
const (
	// EnvAssets is the folder of etcd, kube-apiserver, kube-controller-manager
	// and kubectl.
	EnvAssets = "KUBEBUILDER_ASSETS"
	// EnvHelm3 is a Helm 3 binary.
	EnvHelm3 = "EMRGUARD_HELM3"
	// EnvBinary is the emrguard binary under test.
	EnvBinary = "EMRGUARD_BIN"
)

// modulePath marks the root of the repository, as opposed to nested modules.
const modulePath = "module github.com/emrguard/emrguard"

// RepoRoot returns the folder of the main module's go.mod, found upwards from
// the working directory: `go test` and `go run ./test/demo` both work inside it.
func RepoRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			first, _, _ := strings.Cut(string(data), "\n")
			if strings.TrimSpace(first) == modulePath {
				return dir, nil
			}
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("find the repository: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find the repository: no go.mod of emrguard in the working directory or above it: run inside a clone")
		}
		dir = parent
	}
}

// Assets returns the folder of the control plane's binaries: KUBEBUILDER_ASSETS,
// else what test/kube/build.sh builds (minutes the first time, then at once).
func Assets(ctx context.Context) (string, error) {
	// build.sh checks KUBEBUILDER_ASSETS for completeness itself.
	return runScript(ctx, "test/kube/build.sh")
}

// Helm3 returns the path of a Helm 3 binary: EMRGUARD_HELM3, else what
// test/tools/build.sh builds.
func Helm3(ctx context.Context) (string, error) {
	if path := os.Getenv(EnvHelm3); path != "" {
		return executable(path, EnvHelm3)
	}
	return runScript(ctx, "test/tools/build.sh", "helm3")
}

// Binary returns the path of the emrguard binary: EMRGUARD_BIN, else
// bin/emrguard. It builds nothing.
func Binary() (string, error) {
	if path := os.Getenv(EnvBinary); path != "" {
		return executable(path, EnvBinary)
	}
	root, err := RepoRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "emrguard")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no emrguard binary at bin/emrguard: run `make build`, or name one in %s: %w", EnvBinary, err)
	}
	return executable(path, "bin/emrguard")
}

// executable checks that path, named by source, can be run.
func executable(path, source string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", source, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", fmt.Errorf("%s: %w", source, err)
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s: %s is not an executable file", source, abs)
	}
	return abs, nil
}

// runScript runs a script of the repository and returns the path that it
// prints; its progress goes to standard error.
func runScript(ctx context.Context, script string, args ...string) (string, error) {
	root, err := RepoRoot()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "sh", append([]string{filepath.Join(root, filepath.FromSlash(script))}, args...)...)
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w", script, strings.Join(args, " "), err)
	}
	path := strings.TrimSpace(out.String())
	if path == "" {
		return "", fmt.Errorf("%s %s printed no path", script, strings.Join(args, " "))
	}
	return path, nil
}
