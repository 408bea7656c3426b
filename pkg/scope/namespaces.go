package scope

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/config"
)

// Namespaces says which namespaces are managed.
type Namespaces struct {
	names    []string
	selector labels.Selector // nil when none is configured
	discover bool
}

// Facts is what exists, as far as it tells whether a namespace is EMR's.
type Facts interface {
	// NamespaceLabels returns the labels of a namespace, nil when it is unknown.
	NamespaceLabels(namespace string) labels.Set
	// HasManagedAccount reports whether the namespace has a ServiceAccount with a
	// managed name.
	HasManagedAccount(namespace string) bool
	// Namespaces lists the namespaces of which anything is known.
	Namespaces() []string
	// BoundUsers returns the users that the RoleBindings of the namespace name.
	BoundUsers(namespace string) []string
}

// NewNamespaces reads the scope from the configuration.
func NewNamespaces(c *config.Guard) (*Namespaces, error) {
	n := &Namespaces{names: c.EMR.Namespaces, discover: c.EMR.Discover == nil || *c.EMR.Discover}
	// An empty selector selects everything for Kubernetes; here it selects
	// nothing, as a chart's empty default is no wish to guard every namespace.
	if s := c.EMR.NamespaceSelector; s != nil && len(s.MatchLabels)+len(s.MatchExpressions) > 0 {
		selector, err := metav1.LabelSelectorAsSelector(s)
		if err != nil {
			return nil, fmt.Errorf("emr.namespaceSelector: %w", err)
		}
		n.selector = selector
	}
	return n, nil
}

// Managed reports whether a namespace is EMR's: by name, by label, or by the
// indicators that EMR leaves.
func (n *Namespaces) Managed(namespace string, facts Facts, who *Who) bool {
	switch {
	case namespace == "":
		return false
	case slices.Contains(n.names, namespace):
		return true
	}
	if n.selector != nil {
		if set := facts.NamespaceLabels(namespace); set != nil && n.selector.Matches(set) {
			return true
		}
	}
	if !n.discover {
		return false
	}
	return facts.HasManagedAccount(namespace) || slices.ContainsFunc(facts.BoundUsers(namespace), who.emrUsers.Match)
}

// List returns the managed namespaces, sorted.
func (n *Namespaces) List(facts Facts, who *Who) []string {
	list := slices.Clone(n.names)
	for _, name := range facts.Namespaces() {
		if n.Managed(name, facts, who) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Selector returns what selects namespaces by label, nil when nothing does.
func (n *Namespaces) Selector() labels.Selector { return n.selector }

// Selects reports whether labels put a namespace in scope, for a Namespace that
// is itself being created or changed.
func (n *Namespaces) Selects(set map[string]string) bool {
	return n.selector != nil && n.selector.Matches(labels.Set(set))
}
