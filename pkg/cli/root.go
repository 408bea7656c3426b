// Package cli holds the commands of emrguard.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
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

// plugin is the name by which kubectl finds a plugin, and how people call it then.
const (
	plugin       = "kubectl-emrguard"
	calledPlugin = "kubectl emrguard"
)

// Execute runs a command line and returns the exit code.
func Execute(args []string, out, errOut io.Writer) int {
	return ExecuteAs("emrguard", args, out, errOut)
}

// ExecuteAs is Execute for a program that was called by a name or path, which may
// be that of a plugin of kubectl.
func ExecuteAs(name string, args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	if strings.TrimSuffix(filepath.Base(name), ".exe") == plugin {
		bePlugin(root)
	}
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
		Version:       buildVersion(),
	}
	root.SetVersionTemplate(versionText())
	root.AddCommand(newWebhook(), newRules(), newAccess(), newAudit(), newCheck(), newConfig(), newProbe(), newVersion())
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(newHelp(root))
	root.InitDefaultCompletionCmd()
	refuseUnknown(root)
	return root
}

// newHelp is cobra's own command, which ends with 0 when there is no such topic.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			switch {
			case err != nil:
				return err
			case len(rest) > 0 && c.HasSubCommands():
				return unknown(c, rest[0])
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// refuseUnknown has every command that only holds others say which it has when it is
// called with another word, instead of printing its help as if that were the answer.
func refuseUnknown(c *cobra.Command) {
	for _, below := range c.Commands() {
		refuseUnknown(below)
	}
	if !c.HasSubCommands() || c.Runnable() {
		return
	}
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknown(c, args[0])
	}
}

func unknown(c *cobra.Command, word string) error {
	names := c.SuggestionsFor(word)
	hint, end := "did you mean", "?"
	if len(names) == 0 {
		hint, end = "there are", ""
		for _, below := range c.Commands() {
			if below.IsAvailableCommand() {
				names = append(names, below.Name())
			}
		}
	}
	return fmt.Errorf("unknown command %q for %q; %s %s%s", word, c.CommandPath(), hint, strings.Join(names, ", "), end)
}

// bePlugin has usage and examples say what works for who called kubectl.
func bePlugin(root *cobra.Command) {
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: calledPlugin}
	for _, c := range root.Commands() {
		c.Example = strings.ReplaceAll(c.Example, root.Name()+" "+c.Name(), calledPlugin+" "+c.Name())
	}
}
