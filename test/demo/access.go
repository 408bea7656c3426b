package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/emrguard/emrguard/test/harness"
)

// accessFound is the exit code of `emrguard access` when somebody holds what the
// rules refuse.
const accessFound = 1

// showAccess prints what `emrguard access` says about the namespace: the grants
// that are older than emrguard.
func (s *stage) showAccess(ctx context.Context, t *table) error {
	binary, err := harness.Binary()
	if err != nil {
		return err
	}
	kubeconfig, config := filepath.Join(s.cp.Dir, "admin.kubeconfig"), filepath.Join(s.cp.Dir, "config.yaml")
	if err := harness.WriteKubeconfig(kubeconfig, s.cp.AdminConfig(), emrNamespace); err != nil {
		return err
	}
	data, err := s.chart.Config(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(config, data, 0o600); err != nil {
		return err
	}
	fmt.Printf("\nWhat was granted before emrguard is no request, and `emrguard access` shows it:\n")
	matrix, err := runAccess(ctx, binary, "access", "-n", emrNamespace, "--kubeconfig", kubeconfig, "--config", config)
	if err != nil {
		return err
	}
	// Its columns must stay below each other, however wide it is.
	for line := range strings.Lines(matrix) {
		fmt.Println(strings.TrimRight("  "+line, " \n"))
	}
	paths, err := runAccess(ctx, binary, "access", "-n", emrNamespace, "--kubeconfig", kubeconfig, "--config", config,
		"--explain", "group:"+harness.SubmitterGroup)
	if err != nil {
		return err
	}
	t.text("  ", paths)
	return nil
}

// runAccess prints the command as somebody would type it, and returns its output.
func runAccess(ctx context.Context, binary string, args ...string) (string, error) {
	var errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != accessFound {
		return "", fmt.Errorf("emrguard access should find the grants of %s, and exit with %d, but: %w: %s",
			harness.SubmitterGroup, accessFound, cmp.Or(err, errNothing), &errOut)
	}
	shown := make([]string, 0, len(args))
	for _, arg := range args {
		if filepath.IsAbs(arg) {
			arg = filepath.Base(arg)
		}
		shown = append(shown, arg)
	}
	fmt.Printf("\n  $ emrguard %s    # exit code %d\n", strings.Join(shown, " "), exit.ExitCode())
	return strings.TrimRight(string(out), "\n") + "\n", nil
}

var errNothing = errors.New("it found nothing")
