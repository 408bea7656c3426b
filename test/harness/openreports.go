package harness

import (
	"fmt"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// InstallOpenReports installs the CRDs of openreports.io, which the chart does not
// own, as their project publishes them.
func (cp *ControlPlane) InstallOpenReports() error {
	root, err := RepoRoot()
	if err != nil {
		return err
	}
	_, err = envtest.InstallCRDs(cp.admin, envtest.CRDInstallOptions{
		Paths: []string{filepath.Join(root, "test", "harness", "crds-openreports")}, ErrorIfPathMissing: true,
	})
	if err != nil {
		return fmt.Errorf("install the CRDs of openreports.io: %w", err)
	}
	return nil
}
