package harness

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// reaperScript waits for the end of its standard input, which is a pipe that
// only the Go process holds. The word "done" means an orderly stop. The end of
// the pipe without it means that the Go process died (a test's timeout, a
// SIGKILL): then it ends the processes whose numbers are in the folder's *.pid
// files, provided that their command lines name the folder, and removes it.
//
// Pdeathsig would be shorter, but it exists on Linux only, cannot be given to
// the processes that envtest starts, and leaves the folder behind.
const reaperScript = `
trap '' HUP INT TERM
dir=$1
cd / || exit 1
IFS= read -r word && [ "$word" = "done" ] && exit 0
ours() {
	if [ -r "/proc/$1/cmdline" ]; then
		tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF "$dir"
	else
		ps -o args= -p "$1" 2>/dev/null | grep -qF "$dir"
	fi
}
signal() {
	alive=1
	for file in "$dir"/*.pid; do
		pid=$(cat "$file" 2>/dev/null) || continue
		if ours "$pid" && kill "-$1" "$pid" 2>/dev/null; then alive=0; fi
	done
	return $alive
}
signal TERM
tries=0
while signal 0 && [ "$tries" -lt 15 ]; do
	sleep 0.2
	tries=$((tries + 1))
done
signal KILL
rm -rf "$dir"
`

// reaper is the shell process that cleans up after a Go process that could not.
type reaper struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

// startReaper lets a reaper watch over dir.
func startReaper(dir string) (*reaper, error) {
	cmd := exec.Command("sh", "-c", reaperScript, "emrguard-reaper", dir)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the reaper: %w", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reaper: %w", err)
	}
	return &reaper{cmd: cmd, pipe: pipe}, nil
}

// stop dismisses the reaper: everything was stopped in order.
func (r *reaper) stop() error {
	_, werr := io.WriteString(r.pipe, "done\n")
	return errors.Join(werr, r.pipe.Close(), r.cmd.Wait())
}

// pidWrapper writes a script that leaves its process number in <dir>/<name>.pid
// and becomes the program at path: the way to learn the numbers of the
// processes that envtest starts.
func pidWrapper(dir, name, path string) (string, error) {
	wrapper := filepath.Join(dir, "run-"+name)
	script := fmt.Sprintf("#!/bin/sh\necho $$ >'%s'\nexec '%s' \"$@\"\n", filepath.Join(dir, name+".pid"), path)
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("prepare %s: %w", name, err)
	}
	return wrapper, nil
}
