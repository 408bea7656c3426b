// Package access says who can do what the guide forbids in the managed namespaces
// of a cluster, and by which path.
package access

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// Report is the answer.
type Report struct {
	// Namespaces that are managed, among those looked at.
	Namespaces []string `json:"namespaces"`
	// Capabilities are the ids of the columns.
	Capabilities []string `json:"capabilities"`
	// Holdings are sorted by namespace and subject.
	Holdings []Holding `json:"holdings"`
	// Differences are where the API server answers otherwise than RBAC.
	Differences []Difference `json:"differences,omitempty"`
}

// Holding is what one subject holds in one namespace.
type Holding struct {
	// Namespace; empty for cluster-scoped resources.
	Namespace string `json:"namespace"`
	// Subject as kubectl names it: "User alice", "ServiceAccount ns/name".
	Subject string `json:"subject"`
	// Standing is what the subject is to the rules on RBAC.
	Standing string `json:"standing"`
	// Capabilities that it holds, by id.
	Capabilities map[string]Held `json:"capabilities"`
}

// Worst is the gravest of what the rules make of the holding.
func (h Holding) Worst() rule.Action {
	worst := rule.Off
	for _, held := range h.Capabilities {
		if held.Action.Cap(worst) == worst {
			worst = held.Action
		}
	}
	return worst
}

// Held is what a subject holds of one capability.
type Held struct {
	// Action is what the rules make of it by default: "deny", "warn", or "off" when
	// the subject may hold it.
	Action rule.Action `json:"action"`
	// Permissions: verbs on resources.
	Permissions []string `json:"permissions"`
	// Paths by which they are held.
	Paths []string `json:"paths"`
}

// Options select what is looked at.
type Options struct {
	// Namespaces; all managed ones when empty.
	Namespaces []string
	// Subject is the one to explain, in any spelling that ParseSubject reads.
	Subject string
}

// Look reads a snapshot.
func Look(e *engine.Engine, facts *cluster.Snapshot, o Options) (*Report, error) {
	list, err := capability.Forbidden(e.Settings())
	if err != nil {
		return nil, err
	}
	caps, err := rbac.Compile(list...)
	if err != nil {
		return nil, fmt.Errorf("compile the capabilities: %w", err)
	}
	managed := e.ManagedNamespaces(facts)
	r := &Report{Namespaces: managed, Capabilities: caps.IDs()}
	if len(o.Namespaces) > 0 {
		r.Namespaces = nil
		for _, ns := range o.Namespaces {
			if !slices.Contains(managed, ns) {
				return nil, fmt.Errorf("namespace %s is not managed: name it in emr.namespaces (managed are %q)", ns, managed)
			}
			r.Namespaces = append(r.Namespaces, ns)
		}
	}
	var subject *rbac.Subject
	if o.Subject != "" {
		s, err := ParseSubject(o.Subject)
		if err != nil {
			return nil, err
		}
		subject = &s
	}
	// Cluster-scoped resources are held in no namespace, and matter to all.
	for _, ns := range append(slices.Clone(r.Namespaces), "") {
		var held []rbac.Grant
		if subject != nil {
			held = facts.RBAC().HeldBy(*subject, nil, ns, caps)
		} else {
			held = facts.RBAC().Holders(ns, caps)
		}
		r.add(e, ns, held, func(name string) bool { return slices.Contains(managed, name) })
	}
	slices.SortStableFunc(r.Holdings, func(a, b Holding) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Subject, b.Subject))
	})
	return r, nil
}

func (r *Report) add(e *engine.Engine, namespace string, held []rbac.Grant, managed func(string) bool) {
	for _, g := range held {
		name := g.Subject.String()
		i := slices.IndexFunc(r.Holdings, func(h Holding) bool { return h.Namespace == namespace && h.Subject == name })
		if i < 0 {
			r.Holdings = append(r.Holdings, Holding{Namespace: namespace, Subject: name, Capabilities: map[string]Held{}})
			i = len(r.Holdings) - 1
		}
		kind, reason := grants.Judge(e.Settings(), g, managed)
		h := Held{Action: rule.Off}
		if reason != nil {
			h.Action = rule.Strict.Action(reason.Severity)
		}
		r.Holdings[i].Standing = kind.String()
		for _, p := range g.Permissions {
			h.Permissions = append(h.Permissions, p.String())
		}
		for _, p := range g.Paths {
			h.Paths = append(h.Paths, p.String())
		}
		r.Holdings[i].Capabilities[g.Capability] = h
	}
}
