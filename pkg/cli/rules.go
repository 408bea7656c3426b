package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/audit"
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
					return explain(cmd.OutOrStdout(), &list[i])
				}
				list = list[i : i+1]
			}
			switch output {
			case "table":
				return printTable(cmd.OutOrStdout(), list)
			case "names":
				for _, r := range list {
					fmt.Fprintln(cmd.OutOrStdout(), r.ID)
				}
				return nil
			case "json":
				return printJSON(cmd.OutOrStdout(), list)
			case "markdown":
				return printMarkdown(cmd.OutOrStdout(), list)
			case "webhook":
				return printYAML(cmd.OutOrStdout(), server.Rules(rules.All()))
			case "policy":
				return printYAML(cmd.OutOrStdout(), server.Policy())
			case "audit-rbac":
				return printYAML(cmd.OutOrStdout(), auditRBAC())
			case "schema":
				return printSchema(cmd.OutOrStdout(), valuesSchema)
			}
			return fmt.Errorf("-o %q is none of table, names, json, markdown, webhook, policy, audit-rbac, schema", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "table, names, json, markdown, webhook for the rules of a webhook configuration, "+
		"policy for what the chart takes from the rules, audit-rbac for the rules of a ClusterRole that may audit, "+
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
	var list []rbacv1.PolicyRule
	for _, res := range audit.Kinds(rules.All()) {
		i := slices.IndexFunc(list, func(r rbacv1.PolicyRule) bool { return r.APIGroups[0] == res.Group })
		if i < 0 {
			i = len(list)
			list = append(list, rbacv1.PolicyRule{Verbs: []string{"list"}, APIGroups: []string{res.Group}})
		}
		list[i].Resources = append(list[i].Resources, res.Resource)
	}
	return list
}

func printYAML(w io.Writer, value any) error {
	out, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	_, err = w.Write(out)
	return err
}

func printTable(w io.Writer, list []rule.Rule) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "RULE\tDEFAULT\tNAMESPACES\tFINDS")
	for _, r := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, r.Default, where(&r), r.Title)
	}
	return t.Flush()
}

func where(r *rule.Rule) string {
	if r.Everywhere {
		return "all"
	}
	return "managed"
}

// ruleJSON is what `emrguard rules -o json` says of a rule.
type ruleJSON struct {
	ID          string        `json:"id"`
	Title       string        `json:"title"`
	Default     rule.Action   `json:"default"`
	Everywhere  bool          `json:"everywhere"`
	Requester   bool          `json:"judgesRequester"`
	Guide       string        `json:"guide"`
	Address     string        `json:"address"`
	Remediation string        `json:"remediation"`
	Resources   []string      `json:"resources"`
	Parameters  []ruleJSONArg `json:"parameters,omitempty"`
}

type ruleJSONArg struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Doc  string `json:"doc"`
}

func printJSON(w io.Writer, list []rule.Rule) error {
	out := make([]ruleJSON, 0, len(list))
	for _, r := range list {
		j := ruleJSON{
			ID: r.ID, Title: r.Title, Default: r.Default, Everywhere: r.Everywhere, Requester: r.Requester,
			Guide: r.Guide.Section, Address: r.Guide.Address, Remediation: r.Remediation, Resources: resources(&r),
		}
		for _, p := range r.Parameters {
			j.Parameters = append(j.Parameters, ruleJSONArg(p))
		}
		out = append(out, j)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}

func resources(r *rule.Rule) []string {
	names := make([]string, 0, len(r.Targets))
	for _, t := range r.Targets {
		names = append(names, t.String())
	}
	return names
}

func explain(w io.Writer, r *rule.Rule) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %s\n\n%s\n\n", r.ID, r.Title, r.Doc)
	fmt.Fprintf(&b, "Default:     %s, in %s namespaces\n", r.Default, where(r))
	if r.Requester {
		b.WriteString("Judges:      who asks; enforced on workload objects and custom resources too\n")
	}
	fmt.Fprintf(&b, "To mend:     %s\nGuide:       %s\n             %s\nReads:       %s\n", r.Remediation, r.Guide.Section, r.Guide.Address, strings.Join(resources(r), ", "))
	for _, p := range r.Parameters {
		fmt.Fprintf(&b, "Parameter:   %s (%s): %s\n", p.Name, p.Type, p.Doc)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printMarkdown is the source of docs/rules.
func printMarkdown(w io.Writer, list []rule.Rule) error {
	var b strings.Builder
	b.WriteString("<!-- Generated by `make generate` from the rules; do not edit. -->\n")
	for _, r := range list {
		fmt.Fprintf(&b, "\n# %s\n\n%s%s.\n\n%s\n\n", r.ID, strings.ToUpper(r.Title[:1]), r.Title[1:], r.Doc)
		b.WriteString("| | |\n|---|---|\n")
		fmt.Fprintf(&b, "| Default | %s, in %s namespaces |\n", r.Default, where(&r))
		if r.Requester {
			b.WriteString("| Judges | who asks; enforced on workload objects and custom resources too |\n")
		}
		fmt.Fprintf(&b, "| To mend | %s |\n| Guide | [%s](%s) |\n| Reads | `%s` |\n", r.Remediation, r.Guide.Section, r.Guide.Address, strings.Join(resources(&r), "`, `"))
		for _, p := range r.Parameters {
			fmt.Fprintf(&b, "| Parameter `%s` | %s. %s |\n", p.Name, p.Type, p.Doc)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
