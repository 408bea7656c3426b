package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// envReaperChild makes the test binary play the process that dies.
const envReaperChild = "EMRGUARD_TEST_REAPER_CHILD"

func TestMain(m *testing.M) {
	if trace := os.Getenv(envReaperChild); trace != "" {
		if err := reaperChild(trace); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// reaperChild starts a process under a reaper, prints the folder and waits to be
// killed. The process writes the file trace when it gets SIGTERM.
func reaperChild(trace string) error {
	dir, err := os.MkdirTemp("", "emrguard-")
	if err != nil {
		return err
	}
	if _, err := startReaper(dir); err != nil {
		return err
	}
	script := `trap 'echo ended >"$2"; exit' TERM; echo started >"$1/started"; while :; do sleep 0.1; done`
	if _, err := startProcess(dir, "worker", "/bin/sh", []string{"-c", script, "worker", dir, trace}, nil); err != nil {
		return err
	}
	started := filepath.Join(dir, "started")
	err = WaitFor(context.Background(), "the worker", time.Minute, func(context.Context) error {
		_, err := os.Stat(started)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println(dir)
	select {}
}

// TestKilledTestLeavesNothing: a test binary that is killed can clean up
// nothing; the reaper does.
func TestKilledTestLeavesNothing(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), envReaperChild+"="+trace)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(line)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
	err = WaitFor(t.Context(), "the reaper", time.Minute, func(context.Context) error {
		if _, err := os.Stat(trace); err != nil {
			return err
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is left: %w", dir, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
