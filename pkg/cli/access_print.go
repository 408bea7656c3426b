package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/emrguard/emrguard/pkg/access"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
)

func printAccess(w io.Writer, r *access.Report, explain bool) error {
	if len(r.Namespaces) == 0 {
		_, err := fmt.Fprintln(w, "No namespace is managed: name them by -n or in a configuration (--config).")
		return err
	}
	for _, ns := range append(slices.Clone(r.Namespaces), "") {
		title := "Namespace " + ns
		if ns == "" {
			title = "The whole cluster"
		}
		held := slices.DeleteFunc(slices.Clone(r.Holdings), func(h access.Holding) bool { return h.Namespace != ns })
		fmt.Fprintf(w, "%s\n", title)
		if len(held) == 0 {
			nobody := "nobody holds"
			if explain {
				nobody = "the subject holds nothing of"
			}
			fmt.Fprintf(w, "  %s what the guide forbids\n\n", nobody)
			continue
		}
		if explain {
			printPaths(w, r, held)
		} else if err := printMatrix(w, r, held); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	for _, d := range r.Differences {
		who := "RBAC allows it, the API server does not"
		if d.Server {
			who = "the API server allows it, RBAC does not (an EKS access policy?)"
		}
		fmt.Fprintf(w, "%s: %s in %q [%s]: %s %s\n", d.User, d.Request, d.Namespace, d.Capability, who, d.Reason)
	}
	return nil
}

// marks are what the matrix says of a capability that a subject holds.
var marks = map[rule.Action]string{rule.Deny: "FORBIDDEN", rule.Warn: "warned", rule.Off: "may"}

func printMatrix(w io.Writer, r *access.Report, held []access.Holding) error {
	columns := slices.DeleteFunc(slices.Clone(r.Capabilities), func(id string) bool {
		return !slices.ContainsFunc(held, func(h access.Holding) bool { _, ok := h.Capabilities[id]; return ok })
	})
	head := []string{"SUBJECT", "STANDING"}
	for _, id := range columns {
		head = append(head, strings.TrimPrefix(id, "rbac-"))
	}
	rows := [][]string{head}
	for _, h := range held {
		row := []string{report.Visible(h.Subject), h.Standing}
		for _, id := range columns {
			mark := "-"
			if c, ok := h.Capabilities[id]; ok {
				mark = marks[c.Action]
			}
			row = append(row, mark)
		}
		rows = append(rows, row)
	}
	return printRows(w, rows)
}

// printRows aligns columns by the width that letters take in a terminal.
func printRows(w io.Writer, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], report.Columns(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString("  " + cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-report.Columns(cell)))
			}
		}
		if _, err := fmt.Fprintln(w, line.String()); err != nil {
			return err
		}
	}
	return nil
}

func printPaths(w io.Writer, r *access.Report, held []access.Holding) {
	for _, h := range held {
		fmt.Fprintf(w, "  %s (%s)\n", report.Visible(h.Subject), h.Standing)
		for _, id := range r.Capabilities {
			c, ok := h.Capabilities[id]
			if !ok {
				continue
			}
			fmt.Fprintf(w, "    %s (%s): %s\n", id, marks[c.Action], report.Visible(strings.Join(c.Permissions, "; ")))
			for _, path := range c.Paths {
				fmt.Fprintf(w, "      by %s\n", report.Visible(path))
			}
		}
	}
}
