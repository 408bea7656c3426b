package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and revision are set by the linker. Without it, as with `go install`, they
// come from what Go notes in the binary.
var version, revision string

func buildVersion() string {
	found := ""
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
		found = info.Main.Version
	}
	return cmp.Or(version, found, "v0.0.0-dev")
}

func buildRevision() string {
	found := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				found = s.Value
			}
		}
	}
	return cmp.Or(revision, found, "unknown")
}

// versionText is a line.
func versionText() string {
	return fmt.Sprintf("emrguard %s (%s, %s, %s/%s)\n", buildVersion(), buildRevision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), versionText())
			return err
		},
	}
}
