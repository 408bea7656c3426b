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
	matrix, err := runCommand(ctx, binary, accessFound, "access", "-n", emrNamespace, "--kubeconfig", kubeconfig, "--config", config)
	if err != nil {
		return err
	}
	// Its columns must stay below each other, however wide it is.
	for line := range strings.Lines(matrix) {
		fmt.Println(strings.TrimRight("  "+line, " \n"))
	}
	paths, err := runCommand(ctx, binary, accessFound, "access", "-n", emrNamespace, "--kubeconfig", kubeconfig, "--config", config,
		"--explain", "group:"+harness.SubmitterGroup)
	if err != nil {
		return err
	}
	t.text("  ", paths)
	return s.showAudit(ctx, t, binary, kubeconfig, config)
}

// auditOnly are rules about what the API server sends to no webhook, or the chart
// leaves out.
var auditOnly = []string{"mutating-admission-policy", "imds-network-policy", "vpc-cni-credentials"}

// showAudit prints what `emrguard audit` says by these rules.
func (s *stage) showAudit(ctx context.Context, t *table, binary, kubeconfig, config string) error {
	fmt.Printf("\n`emrguard audit` judges everything that exists, and so what the API server shows to no webhook; of its rules, these three:\n")
	found, err := runCommand(ctx, binary, 0, "audit", "--kubeconfig", kubeconfig, "--config", config, "--rules", strings.Join(auditOnly, ","))
	if err != nil {
		return err
	}
	for _, id := range auditOnly {
		if !strings.Contains(found, id) {
			return fmt.Errorf("emrguard audit should find something by %s: %s", id, found)
		}
	}
	t.text("  ", found)
	return nil
}

// runCommand prints the command as somebody would type it, and returns its output.
func runCommand(ctx context.Context, binary string, code int, args ...string) (string, error) {
	var errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	exit := (*exec.ExitError)(nil)
	if got := cmd.ProcessState.ExitCode(); got != code || err != nil && !errors.As(err, &exit) {
		return "", fmt.Errorf("emrguard %s should exit with %d, not with %d: %w: %s", args[0], code, got, cmp.Or(err, errNothing), &errOut)
	}
	shown := make([]string, 0, len(args))
	for _, arg := range args {
		if filepath.IsAbs(arg) {
			arg = filepath.Base(arg)
		}
		shown = append(shown, arg)
	}
	fmt.Printf("\n  $ emrguard %s    # exit code %d\n", strings.Join(shown, " "), code)
	return strings.TrimRight(string(out), "\n") + "\n", nil
}

var errNothing = errors.New("it found nothing")
