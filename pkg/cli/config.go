package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rules"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Print the default configuration, explain its fields, or validate a file"}
	cmd.AddCommand(
		newConfigExplain(),
		&cobra.Command{
			Use:   "default",
			Short: "Print the configuration of an empty file",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				out, err := yaml.Marshal(config.Default())
				if err != nil {
					return fmt.Errorf("write the configuration: %w", err)
				}
				_, err = cmd.OutOrStdout().Write(out)
				return err
			},
		},
		&cobra.Command{
			Use:   "validate FILE",
			Short: `Check a configuration file ("-" for standard input)`,
			Long: "Check a configuration file as the webhook does at its start. Exit code 0 when it can be used,\n" +
				"2 with the field that is wrong when it cannot.",
			Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				c, err := loadConfig(cmd, args[0])
				if err != nil {
					return err
				}
				e, err := engine.New(c, rules.All(), time.Now)
				if err != nil {
					return fmt.Errorf("configuration %s: %w", args[0], err)
				}
				for _, x := range e.Expired() {
					fmt.Fprintf(cmd.ErrOrStderr(), "warning: the exemption of %s (%s) has expired on %s and no longer holds\n", x.Rule, x.Reason, x.Expires.UTC().Format(time.RFC3339))
				}
				for _, advice := range c.Advice() {
					fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", advice)
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "valid")
				return err
			},
		},
	)
	return cmd
}

func loadConfig(cmd *cobra.Command, path string) (*config.Guard, error) {
	if path != "-" {
		return config.Load(path)
	}
	raw, err := io.ReadAll(cmd.InOrStdin())
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	c, err := config.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}
