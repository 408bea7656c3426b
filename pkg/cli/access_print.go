package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/emrguard/emrguard/pkg/access"
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
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	columns := slices.DeleteFunc(slices.Clone(r.Capabilities), func(id string) bool {
		return !slices.ContainsFunc(held, func(h access.Holding) bool { _, ok := h.Capabilities[id]; return ok })
	})
	fmt.Fprintf(t, "  SUBJECT\tSTANDING")
	for _, id := range columns {
		fmt.Fprintf(t, "\t%s", strings.TrimPrefix(id, "rbac-"))
	}
	fmt.Fprintln(t)
	for _, h := range held {
		fmt.Fprintf(t, "  %s\t%s", h.Subject, h.Standing)
		for _, id := range columns {
			mark := "-"
			if c, ok := h.Capabilities[id]; ok {
				mark = marks[c.Action]
			}
			fmt.Fprintf(t, "\t%s", mark)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func printPaths(w io.Writer, r *access.Report, held []access.Holding) {
	for _, h := range held {
		fmt.Fprintf(w, "  %s (%s)\n", h.Subject, h.Standing)
		for _, id := range r.Capabilities {
			c, ok := h.Capabilities[id]
			if !ok {
				continue
			}
			fmt.Fprintf(w, "    %s (%s): %s\n", id, marks[c.Action], strings.Join(c.Permissions, "; "))
			for _, path := range c.Paths {
				fmt.Fprintf(w, "      by %s\n", path)
			}
		}
	}
}
