package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/emrguard/emrguard/test/harness"
)

// awsAccount is the cluster's.
const awsAccount = "123456789012"

// The namespaces of the demonstration.
const (
	emrNamespace   = harness.JobNamespace
	otherNamespace = "analytics"
	toolsNamespace = "tools"
	// payroll is managed too, for roles of its own.
	payrollNamespace = "emr-payroll"
)

// The people who administer the cluster, beside the administrator who sets up the
// demonstration.
const (
	administrator  = "ben"
	administrators = "platform-engineers"
)

//go:embed setup.yaml requests/*.yaml
var manifests embed.FS

// stage is a guarded cluster with its people.
type stage struct {
	cp    *harness.ControlPlane
	chart *harness.Chart
	guard *harness.Webhook
	job   *harness.EMRJob

	admin, emr, alice, ben, olga *harness.Client
	sparkClient, sparkDrive      *harness.Client

	driver *unstructured.Unstructured // as stored
	// created are the objects that later requests need, in the order of creation.
	created []*unstructured.Unstructured
}

// newStage starts everything. After an error nothing is left running.
func newStage(ctx context.Context, progress func(string, ...any)) (s *stage, err error) {
	if _, err := harness.Binary(); err != nil {
		return nil, err
	}
	cp, err := harness.Start(ctx, harness.Options{Progress: progress})
	if err != nil {
		return nil, err
	}
	s = &stage{cp: cp}
	if err := s.prepare(ctx, progress); err != nil {
		if ctx.Err() == nil { // else somebody interrupted it
			err = errors.Join(err, saveLogs(cp))
		}
		return nil, errors.Join(err, cp.Stop())
	}
	return s, nil
}

func (s *stage) prepare(ctx context.Context, progress func(string, ...any)) error {
	var err error
	if s.job, err = harness.LoadEMRJob(emrNamespace); err != nil {
		return err
	}
	progress("namespaces and people")
	if err := s.cp.PrepareNamespace(ctx, emrNamespace); err != nil {
		return err
	}
	for _, name := range []string{otherNamespace, toolsNamespace, payrollNamespace} {
		if err := s.cp.EnsureNamespace(ctx, name, nil); err != nil {
			return err
		}
	}
	if err := s.people(); err != nil {
		return err
	}
	setup, err := harness.ReadManifests(manifests, "setup.yaml")
	if err != nil {
		return err
	}
	if a := s.admin.CreateAll(ctx, setup); !a.Done() {
		return fmt.Errorf("prepare the namespaces: %s", a)
	}
	progress("helm install emrguard charts/emrguard --set 'emr.namespaces={%s,%s},emr.account=%s,administrators.groups={system:masters,%s},rules.guard-protection.mode=deny'; rules[execution-role-isolation] leaves %s to PayrollRole",
		emrNamespace, payrollNamespace, awsAccount, administrators, payrollNamespace)
	if s.chart, err = s.cp.InstallChart(ctx, map[string]any{
		"emr":            map[string]any{"namespaces": []any{emrNamespace, payrollNamespace}, "account": awsAccount},
		"administrators": map[string]any{"groups": []any{"system:masters", administrators}},
		"rules": map[string]any{
			"guard-protection": map[string]any{"mode": "deny"},
			"execution-role-isolation": map[string]any{"params": map[string]any{
				"namespaces": []any{map[string]any{
					"namespaces": []any{payrollNamespace},
					"roles":      []any{"arn:aws:iam::" + awsAccount + ":role/PayrollRole"},
				}},
				"maxRoles": 5, // the other rows bring roles in for other rules
			}},
		},
	}); err != nil {
		return err
	}
	progress("emrguard webhook, with the ServiceAccount and the configuration of the chart")
	if s.guard, err = s.cp.StartWebhook(ctx, s.chart); err != nil {
		return err
	}
	return s.guard.WaitForGuard(ctx, emrNamespace, harness.Denied)
}

func (s *stage) people() error {
	var errs []error
	client := func(c *harness.Client, err error) *harness.Client {
		errs = append(errs, err)
		return c
	}
	s.admin = client(s.cp.Admin())
	s.emr = client(s.cp.User(harness.EMRUser))
	s.alice = client(s.cp.User(harness.Submitter, harness.SubmitterGroup))
	s.ben = client(s.cp.User(administrator, administrators))
	s.olga = client(s.cp.User(harness.OnCall))
	s.sparkClient = client(s.cp.As(harness.ServiceAccountUser(emrNamespace, harness.ManagedAccount("client"))))
	s.sparkDrive = client(s.cp.As(harness.ServiceAccountUser(emrNamespace, harness.ManagedAccount("driver"))))
	return errors.Join(errs...)
}

// warnMode turns every denial into a warning, as somebody does who tries
// emrguard out.
func (s *stage) warnMode(ctx context.Context) error {
	if err := s.chart.Upgrade(ctx, map[string]any{"mode": "warn"}); err != nil {
		return err
	}
	if err := s.guard.SyncConfig(ctx); err != nil {
		return err
	}
	return s.guard.WaitForGuard(ctx, emrNamespace, harness.Warned)
}

// reset deletes what the requests have left.
func (s *stage) reset(ctx context.Context) error {
	for _, obj := range slices.Backward(s.created) {
		if err := s.remove(ctx, obj); err != nil {
			return err
		}
	}
	s.created, s.driver = nil, nil
	return nil
}

// remove deletes an object and its dependents as the administrator and waits until
// they are gone.
func (s *stage) remove(ctx context.Context, obj *unstructured.Unstructured) error {
	a := s.admin.Delete(ctx, obj, harness.Foreground)
	if !a.Done() && !apierrors.IsNotFound(a.Err) {
		return fmt.Errorf("delete %s %s: %s", obj.GetKind(), obj.GetName(), a)
	}
	return harness.WaitFor(ctx, fmt.Sprintf("%s %s to be deleted", obj.GetKind(), obj.GetName()), time.Minute,
		func(ctx context.Context) error {
			_, err := s.admin.Get(ctx, obj)
			if apierrors.IsNotFound(err) {
				return nil
			}
			return errors.Join(errors.New("it is still there"), err)
		})
}

// saveLogs copies the logs to where they outlive the control plane.
func saveLogs(cp *harness.ControlPlane) error {
	dir, err := cacheDir("logs")
	if err != nil {
		return err
	}
	// Those of an earlier failure would mislead.
	old, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	logs, err := filepath.Glob(filepath.Join(cp.Dir, "*.log"))
	if err != nil {
		return err
	}
	for _, path := range logs {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), data, 0o600); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "demo: the logs of all parts are in %s\n", relative(dir))
	return nil
}

// cacheDir makes a folder of the demonstration under .cache.
func cacheDir(elem ...string) (string, error) {
	root, err := harness.RepoRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(append([]string{root, ".cache", "demo"}, elem...)...)
	return dir, os.MkdirAll(dir, 0o700)
}

// relative shortens a path for people who stand in the working directory.
func relative(path string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil {
			return rel
		}
	}
	return path
}
