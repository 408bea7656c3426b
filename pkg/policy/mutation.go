package policy

import (
	"fmt"
	"strings"

	"github.com/emrguard/emrguard/pkg/rules/admissioncontrol"
)

// by is how a policy knows the managed namespaces.
type by int

const (
	byName  by = iota // those that are named, and what only a list of namespaces can leave out
	byLabel           // the one that is the policy's parameter
	byFile            // by name, in a file: what labels select is unknown
)

// touches says whether entry `of` can change what EMR runs, by its rules in the field
// `field`; with everywhere, whether it can change what no namespaceSelector leaves out.
func touches(of, field string, everywhere bool) string {
	var reaches []string
	for _, r := range admissioncontrol.Reaches() {
		if r.Everywhere != everywhere {
			continue
		}
		other := "Cluster"
		if r.Cluster {
			other = "Namespaced"
		}
		var b strings.Builder
		fmt.Fprintf(&b, "(!has(r.scope) || r.scope != %s) && r.apiGroups.exists(x, x in %s) &&\n  ", quote(other), list(r.Groups))
		if len(r.Versions) > 0 {
			fmt.Fprintf(&b, "r.apiVersions.exists(x, x in %s) && ", list(r.Versions))
		}
		fmt.Fprintf(&b, "r.resources.exists(x, x in %s", list(r.Resources))
		for _, p := range r.Prefixes {
			fmt.Fprintf(&b, " || x.startsWith(%s)", quote(p))
		}
		b.WriteString(")")
		reaches = append(reaches, b.String())
	}
	return fmt.Sprintf("%s.%s.exists(r, r.operations.exists(x, x in %s) && (\n  %s))", of, field, list(admissioncontrol.MutatingOperations()), indent(strings.Join(reaches, " ||\n")))
}

// nameLabel is the label of a namespace that nobody can forge.
var nameLabel = quote("kubernetes.io/metadata.name")

// selects says whether the namespaceSelector of entry `of` leaves a namespace in, as
// far as its name, an expression, goes.
func selects(of, name string) string {
	return strings.NewReplacer("SELECTOR", of+".namespaceSelector", "NAME", name, "LABEL", nameLabel).Replace(
		`(!has(SELECTOR) || (
  (!has(SELECTOR.matchLabels) || !(LABEL in SELECTOR.matchLabels) || SELECTOR.matchLabels[LABEL] == NAME) &&
  (!has(SELECTOR.matchExpressions) || SELECTOR.matchExpressions.all(e, e.key != LABEL ||
    (e.operator == "In" ? NAME in e.values : (e.operator == "NotIn" ? !(NAME in e.values) : e.operator == "Exists"))))))`)
}

// names says whether it leaves in no others than those that it names. What is in files
// is not told which namespaces have the label, so a list of them proves nothing there.
func names(of string, by by) string {
	text := `has(SELECTOR) && (
  (has(SELECTOR.matchLabels) && LABEL in SELECTOR.matchLabels) ||
  (has(SELECTOR.matchExpressions) && SELECTOR.matchExpressions.exists(e, e.key == LABEL && e.operator in ["In", "DoesNotExist"])))`
	if by == byFile {
		text = `has(SELECTOR) &&
  has(SELECTOR.matchExpressions) && SELECTOR.matchExpressions.exists(e, e.key == LABEL && e.operator == "DoesNotExist")`
	}
	return strings.NewReplacer("SELECTOR", of+".namespaceSelector", "LABEL", nameLabel).Replace(text)
}

// mayReach says whether nothing proves that entry `of` leaves the managed namespaces
// out that are known without a parameter.
func mayReach(of string, by by) string {
	return fmt.Sprintf("variables.byLabel && !(%s) ||\nvariables.namespaces.exists(n, %s)", indent(names(of, by)), indent(selects(of, "n")))
}
