package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"

	"github.com/emrguard/emrguard/test/harness"
)

// Files of a cluster that is left running, under .cache/demo. The lock is held
// by the process in the background as long as it lives, so that a stale process
// number is never taken for it.
const (
	lockFile = "lock"
	pidFile  = "pid"
	logFile  = "up.log"
)

// downTimeout is how long the process in the background may take to end: it
// stops five processes in order.
const downTimeout = 2 * time.Minute

// runKeep starts this program again in the background and shows what it prints
// until it is ready.
func runKeep(ctx context.Context) error {
	dir, err := cacheDir()
	if err != nil {
		return err
	}
	lock, err := lockDemo(dir)
	if errors.Is(err, errRunning) {
		return fmt.Errorf("%w: end it with `make down`", err)
	}
	if err != nil {
		return err
	}
	if err := lock.Close(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, logFile))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self, "--serve")
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	// A session of its own: it must outlive this terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	stopped := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stopped()
	// It closes its output when it is ready, and when it ends.
	if _, err := io.Copy(os.Stdout, out); err != nil {
		return err
	}
	if pid, err := readPID(dir); err == nil && pid == cmd.Process.Pid {
		return cmd.Process.Release()
	}
	err = cmd.Wait()
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("the cluster did not start: %w\n%s", err, strings.TrimSpace(string(text)))
}

// runServe is the process in the background.
func runServe(ctx context.Context) (err error) {
	dir, err := cacheDir()
	if err != nil {
		return err
	}
	lock, err := lockDemo(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	s, err := newStage(ctx, printProgress(time.Now()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.cp.Stop()) }()
	if err := s.startJob(ctx); err != nil {
		return err
	}
	files, err := s.writeKubeconfigs(dir)
	defer func() {
		for _, file := range files {
			_ = os.Remove(file)
		}
	}()
	if err != nil {
		return err
	}
	s.printUsage(dir)
	pid := filepath.Join(dir, pidFile)
	if err := os.WriteFile(pid, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		return err
	}
	defer func() { _ = os.Remove(pid) }() // it may be gone already
	if err := os.Stdout.Close(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// startJob creates the EMR job, so that there is something to look at.
func (s *stage) startJob(ctx context.Context) error {
	for _, r := range jobRows() {
		answer, err := r.send(ctx, s)
		if err != nil {
			return err
		}
		if problem := r.check(answer, false); problem != "" {
			return fmt.Errorf("%s: %s: %s", r.who, r.what, problem)
		}
	}
	return nil
}

// writeKubeconfigs writes a kubeconfig for every person, and returns the files.
func (s *stage) writeKubeconfigs(dir string) ([]string, error) {
	var files []string
	write := func(name string, config *rest.Config, err error) error {
		if err != nil {
			return err
		}
		file := filepath.Join(dir, name+".kubeconfig")
		files = append(files, file)
		return harness.WriteKubeconfig(file, config, emrNamespace)
	}
	if err := write("admin", s.cp.AdminConfig(), nil); err != nil {
		return files, err
	}
	for _, person := range []struct {
		name   string
		groups []string
	}{
		{harness.EMRUser, nil},
		{harness.Submitter, []string{harness.SubmitterGroup}},
		{administrator, []string{administrators}},
		{harness.OnCall, nil},
	} {
		config, err := s.cp.UserConfig(person.name, person.groups...)
		if err := write(person.name, config, err); err != nil {
			return files, err
		}
	}
	return files, nil
}

func (s *stage) printUsage(dir string) {
	fmt.Printf(`
A guarded cluster is running, with an EMR job in namespace %[1]s. Try it as alice, a data scientist:

  export KUBECONFIG=%[2]s/alice.kubeconfig
  alias kubectl=%[3]s
  kubectl get pods
  kubectl apply -f test/demo/requests/pod-kube2iam.yaml                  # and the others there
  kubectl debug pod/%[4]s --image=busybox --env=AWS_ACCESS_KEY_ID=x
  kubectl exec %[4]s -- cat /var/run/secrets/eks.amazonaws.com/serviceaccount/token

Others: ben.kubeconfig (an administrator whom emrguard knows), admin.kubeconfig, emr-containers.kubeconfig, and
olga.kubeconfig, who may break the glass:

  kubectl --kubeconfig %[2]s/olga.kubeconfig --as olga --as-group data-scientists \
    --as-group emrguard:break-glass apply -f test/demo/requests/pod-kube2iam.yaml

What emrguard sees: %[5]s
End it with `+"`make down`.\n", emrNamespace, dir, s.cp.Kubectl, s.job.Driver.GetName(), s.guard.LogPath())
}

// runDown ends the process in the background and waits for its end.
func runDown(ctx context.Context) error {
	dir, err := cacheDir()
	if err != nil {
		return err
	}
	lock, err := lockDemo(dir)
	if err == nil {
		fmt.Println("Nothing is running.")
		// A killed process leaves these behind.
		stale, err := filepath.Glob(filepath.Join(dir, "*.kubeconfig"))
		if err != nil {
			return errors.Join(err, lock.Close())
		}
		for _, file := range append(stale, filepath.Join(dir, pidFile)) {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				return errors.Join(err, lock.Close())
			}
		}
		return lock.Close()
	}
	if !errors.Is(err, errRunning) {
		return err
	}
	pid, err := readPID(dir)
	if err != nil {
		return fmt.Errorf("the cluster is still starting: wait for `make up` to end, or interrupt it: %w", err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("end process %d: %w", pid, err)
	}
	err = harness.WaitFor(ctx, fmt.Sprintf("process %d to end", pid), downTimeout, func(context.Context) error {
		lock, err := lockDemo(dir)
		if err != nil {
			return err
		}
		return lock.Close()
	})
	if err != nil {
		return err
	}
	fmt.Println("Everything is stopped.")
	return nil
}

// errRunning says that the lock is held.
var errRunning = errors.New("a cluster is running already")

// lockDemo takes the lock; closing the file gives it back.
func lockDemo(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(errRunning, f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

func readPID(dir string) (int, error) {
	data, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(data)))
}
