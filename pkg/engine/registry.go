package engine

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Check looks whether a list of rules is in order: ids that are unique and well
// formed, texts that are there, targets that the extractor can read. It is run at
// every start, so that a rule that is wrong never gets as far as a request.
func Check(rules []rule.Rule) error {
	var errs []error
	seen := map[string]bool{}
	for _, r := range rules {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("rule %q: "+format, append([]any{r.ID}, args...)...))
		}
		if !idPattern.MatchString(r.ID) {
			bad("the id is not lower case with dashes")
		}
		if seen[r.ID] {
			bad("the id is given twice")
		}
		seen[r.ID] = true
		for name, text := range map[string]string{"title": r.Title, "doc": r.Doc} {
			if text == "" {
				bad("it has no %s", name)
			}
		}
		checkReasons(&r, bad)
		checkClauses(&r, bad)
		if r.New == nil {
			bad("it has no check")
		}
		if len(r.Targets) == 0 {
			bad("it has no target")
		}
		for _, read := range r.Reads {
			if res, ok := object.Find(read.GroupResource); !ok || res.IsSubresource() {
				bad("nothing can read %s, which it looks up", read.GroupResource)
			}
		}
		for _, t := range r.Targets {
			res, ok := object.Find(schema.GroupResource{Group: t.Group, Resource: t.Resource})
			switch {
			case !ok:
				bad("nothing can read the target %s", t)
			case res.Version != t.Version || res.Cluster != t.Cluster:
				bad("the target %s has version %q and cluster scope %t, the extractor reads %q and %t", t, t.Version, t.Cluster, res.Version, res.Cluster)
			case res.NotSentToWebhooks && !t.Audit:
				bad("the API server never sends the target %s to a webhook: mark it as one of audits", t)
			case len(t.Operations) == 0:
				bad("the target %s has no operations", t)
			}
		}
	}
	return errors.Join(errs...)
}

func checkReasons(r *rule.Rule, bad func(format string, args ...any)) {
	if len(r.Reasons) == 0 {
		bad("it has no reasons")
	}
	seen := map[string]bool{}
	for _, reason := range r.Reasons {
		if reason == nil {
			bad("one of its reasons is nil")
			continue
		}
		switch reason.Name {
		case notJudged, overLimit, unreadableName:
			bad("the reason %q has a name of the engine", reason.Name)
		}
		if !idPattern.MatchString(reason.Name) {
			bad("the name of the reason %q is not lower case with dashes", reason.Name)
		}
		if seen[reason.Name] {
			bad("the reason %q is given twice", reason.Name)
		}
		seen[reason.Name] = true
		if reason.Severity.Gravity() == 0 {
			bad("the severity %q of the reason %s is none of %v", reason.Severity, reason.Name, rule.Severities())
		}
		if reason.Message == "" || reason.Remedy == "" {
			bad("the reason %s needs a message and a remedy", reason.Name)
		}
	}
}

func checkClauses(r *rule.Rule, bad func(format string, args ...any)) {
	if len(r.Clauses) == 0 {
		bad("it enforces no clause of a guide")
	}
	for _, c := range r.Clauses {
		if !slices.Contains(guide.All(), c.Guide) || !idPattern.MatchString(c.ID) || c.Section == "" || c.Address == "" {
			bad("the clause %s needs a known guide, an id in lower case with dashes, a section and an address", c)
		}
	}
}

// Targets returns what the API server has to send for these rules, without
// double entries, in a stable order: for managed namespaces everything, elsewhere
// what applies there. When namespaces are discovered, rules for managed ones may
// apply anywhere.
func Targets(rules []rule.Rule, elsewhere, discover bool) []rule.Target {
	var list []rule.Target
	for _, r := range rules {
		for _, t := range r.Targets {
			// A Namespace comes into scope and leaves it by its own labels, so it
			// is judged wherever it is.
			if t.Audit || elsewhere && !discover && !r.Everywhere && !t.Everywhere && !t.Cluster {
				continue
			}
			i := slices.IndexFunc(list, func(u rule.Target) bool { return u.String() == t.String() })
			if i < 0 {
				t.Operations = slices.Clone(t.Operations)
				list = append(list, t)
				continue
			}
			for _, op := range t.Operations {
				if !slices.Contains(list[i].Operations, op) {
					list[i].Operations = append(list[i].Operations, op)
				}
			}
		}
	}
	for i := range list {
		slices.Sort(list[i].Operations)
	}
	slices.SortFunc(list, func(a, b rule.Target) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource))
	})
	return list
}
