package bench_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// envLauncher makes the test binary a launcher: it runs its arguments and writes
// their usage to file descriptor 3.
//
// Linux counts as peak memory of a process also what its parent had when it was
// forked, before it became another program. A benchmark that has filled a cluster
// has more than what it measures; a launcher that has done nothing has not.
const envLauncher = "EMRGUARD_BENCH_LAUNCHER"

func TestMain(m *testing.M) {
	if os.Getenv(envLauncher) == "" {
		os.Exit(m.Run())
	}
	if err := launch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// usage is what a process took.
type usage struct {
	ExitCode int
	Seconds  float64
	PeakMiB  int64
}

func launch(args []string) error {
	command := exec.Command(args[0], args[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	start := time.Now()
	err := command.Run()
	took := time.Since(start)
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		return err
	}
	resources, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return fmt.Errorf("no resource usage: %T", command.ProcessState.SysUsage())
	}
	return json.NewEncoder(os.NewFile(3, "usage")).Encode(usage{command.ProcessState.ExitCode(), took.Seconds(), resources.Maxrss / 1024}) // Linux counts KiB
}

// launched runs a program by the launcher and answers what it took.
func launched(tb testing.TB, env []string, stdout, stderr io.Writer, args ...string) usage {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer read.Close()
	command := exec.CommandContext(tb.Context(), self, args...)
	command.Env = append(append(os.Environ(), envLauncher+"=1"), env...)
	command.Stdout, command.Stderr, command.ExtraFiles = stdout, stderr, []*os.File{write}
	err = command.Run()
	if closed := write.Close(); err != nil || closed != nil {
		tb.Fatalf("launch %s: %v", strings.Join(args, " "), errors.Join(err, closed))
	}
	var u usage
	if err := json.NewDecoder(read).Decode(&u); err != nil {
		tb.Fatalf("launch %s: %v", strings.Join(args, " "), err)
	}
	return u
}

// The memory of the test itself is not counted.
func TestLauncherMeasuresTheProgramAlone(t *testing.T) {
	const size = 200 << 20
	ballast := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		ballast[i] = 1
	}
	u := launched(t, nil, io.Discard, io.Discard, "go", "version")
	if u.ExitCode != 0 || u.PeakMiB < 1 || u.PeakMiB > 100 {
		t.Errorf("go version took %+v", u)
	}
	if u := launched(t, nil, io.Discard, io.Discard, "go", "no-such-command"); u.ExitCode != 2 {
		t.Errorf("an unknown command took %+v", u)
	}
	ballast[0] = 2
}
