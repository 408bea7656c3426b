package cli

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/cli/describe"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
	"github.com/emrguard/emrguard/pkg/schema"
	"github.com/emrguard/emrguard/pkg/server"
)

func newRules() *cobra.Command {
	output, valuesSchema := "table", ""
	cmd := &cobra.Command{
		Use:   "rules [ID]",
		Short: "List the rules, or explain one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			list := rules.All()
			if len(args) == 1 {
				i := slices.IndexFunc(list, func(r rule.Rule) bool { return r.ID == args[0] })
				if i < 0 {
					return fmt.Errorf("there is no rule %q; `emrguard rules` lists them", args[0])
				}
				if output == "table" {
					return describe.Text(cmd.OutOrStdout(), &list[i])
				}
				list = list[i : i+1]
			}
			switch output {
			case "table":
				return describe.Table(cmd.OutOrStdout(), list)
			case "names":
				for _, r := range list {
					fmt.Fprintln(cmd.OutOrStdout(), r.ID)
				}
				return nil
			case "json":
				return describe.JSON(cmd.OutOrStdout(), list)
			case "markdown":
				return describe.Markdown(cmd.OutOrStdout(), list)
			case "webhook":
				return printYAML(cmd.OutOrStdout(), server.Rules(rules.All()))
			case "policy":
				return printYAML(cmd.OutOrStdout(), server.Policy())
			case "audit-rbac":
				return printYAML(cmd.OutOrStdout(), auditRBAC())
			case "read-rbac":
				return printYAML(cmd.OutOrStdout(), engine.Permissions(engine.Reads(rules.All())))
			case "schema":
				return printSchema(cmd.OutOrStdout(), valuesSchema)
			}
			return fmt.Errorf("-o %q is none of table, names, json, markdown, webhook, policy, audit-rbac, read-rbac, schema", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "table, names, json, markdown, webhook for the rules of a webhook configuration, "+
		"policy for what the chart takes from the rules, audit-rbac for the rules of a ClusterRole that may audit, read-rbac for those of one that may look up what the rules look up, "+
		"or schema for the JSON schemas of what a configuration says about rules")
	cmd.Flags().StringVar(&valuesSchema, "values-schema", "", "with -o schema: print this schema of a chart's values with those parts replaced")
	return cmd
}

// printSchema writes what follows from the rules, or a file with that put in.
func printSchema(w io.Writer, file string) error {
	parts, err := schema.Parts(rules.All())
	if err != nil {
		return err
	}
	var out []byte
	if file == "" {
		out, err = schema.Encode(parts)
	} else if out, err = os.ReadFile(file); err == nil {
		out, err = schema.Merge(out, parts)
	}
	if err != nil {
		return fmt.Errorf("--values-schema %s: %w", file, err)
	}
	_, err = w.Write(out)
	return err
}

// auditRBAC is what a ClusterRole allows that may do what an audit does.
func auditRBAC() []rbacv1.PolicyRule {
	var reads []rule.Read
	for _, res := range audit.Kinds(rules.All()) {
		reads = append(reads, rule.Read{GroupResource: res, Look: rule.Listed})
	}
	return engine.Permissions(reads)
}

func printYAML(w io.Writer, value any) error {
	out, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	_, err = w.Write(out)
	return err
}
