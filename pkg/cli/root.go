// Package cli holds the commands of emrguard.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command ran, and the answer is no
	exitUsage  = 2 // bad usage or bad input
)

// errNo ends a command with exit code 1 without another word: what there is to
// say has been printed.
var errNo = errors.New("no")

// errBad ends a command with exit code 2 in the same way.
var errBad = errors.New("bad input")

// Execute runs a command line and returns the exit code.
func Execute(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return exitOK
	case errors.Is(err, errNo):
		return exitFailed
	case errors.Is(err, errBad):
		return exitUsage
	default:
		fmt.Fprintf(errOut, "emrguard: %v\n", err)
		return exitUsage
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "emrguard",
		Short:         "Guards EMR on EKS: enforces Amazon's security guides at admission",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newWebhook(), newRules(), newAccess(), newAudit(), newCheck(), newConfig(), newProbe(), newVersion())
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}
