package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopTimeout is how long a process may take to end after SIGTERM before it is
// killed.
const stopTimeout = 20 * time.Second

// process is a child whose output goes into a log file.
type process struct {
	name    string
	logPath string
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has ended
	err     error         // how it ended, readable after done
	once    sync.Once
}

// startProcess starts path with args, logs to <dir>/<name>.log and leaves
// <dir>/<name>.pid for the reaper.
func startProcess(dir, name, path string, args, env []string) (*process, error) {
	p := &process{name: name, logPath: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer log.Close()
	p.cmd = exec.Command(path, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// An own process group: Ctrl-C in a terminal must reach this process only,
	// which then stops its children in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	pidFile := filepath.Join(dir, name+".pid")
	go func() {
		p.err = p.cmd.Wait()
		// The number may soon be another process's.
		_ = os.Remove(pidFile)
		close(p.done)
	}()
	if err := os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n", p.cmd.Process.Pid), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), p.stop())
	}
	return p, nil
}

// stop ends the process with SIGTERM, and with SIGKILL when that takes too
// long. It is no error if the process has ended already.
func (p *process) stop() error {
	var err error
	p.once.Do(func() {
		if serr := p.cmd.Process.Signal(syscall.SIGTERM); serr != nil && !errors.Is(serr, os.ErrProcessDone) {
			err = fmt.Errorf("stop %s: %w", p.name, serr)
		}
		timer := time.NewTimer(stopTimeout)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
			_ = p.cmd.Process.Kill()
			<-p.done
			err = errors.Join(err, fmt.Errorf("stop %s: still running %s after SIGTERM, killed", p.name, stopTimeout))
		}
	})
	return err
}

// exited returns an error with the end of the log if the process has ended.
func (p *process) exited() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended: %w; the end of its log:\n%s", p.name, orExit0(p.err), tail(p.logPath, 15))
	default:
		return nil
	}
}

func orExit0(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// tail returns the last n lines of a file, or why it cannot be read.
func tail(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	const most = 64 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// FreePort returns a TCP port of the loopback address that nobody listens on.
// Somebody else may take it before it is used; callers report that as what the
// process says that finds it taken.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
