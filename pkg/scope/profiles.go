package scope

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/pattern"
	"github.com/emrguard/emrguard/pkg/rule"
)

// Profiles says which profile the rules of a guide have in a namespace.
type Profiles struct {
	guides  map[string]rule.Profile
	tenants []tenant
	system  pattern.Set
}

type tenant struct {
	names    pattern.Set
	selector labels.Selector // nil when none is configured
	profile  rule.Profile
}

// NewProfiles reads the profiles from the configuration.
func NewProfiles(c *config.Guard) (*Profiles, error) {
	p := &Profiles{guides: map[string]rule.Profile{guide.EMR: c.Profiles.EMR, guide.EKS: c.Profiles.EKS}}
	var err error
	if p.system, err = pattern.ParseSet(c.SystemNamespaces); err != nil {
		return nil, fmt.Errorf("systemNamespaces%w", err)
	}
	for i, configured := range c.Tenants {
		t := tenant{profile: configured.Profile}
		if t.names, err = pattern.ParseSet(configured.Namespaces); err != nil {
			return nil, fmt.Errorf("tenants[%d].namespaces%w", i, err)
		}
		if s := configured.NamespaceSelector; s != nil && len(s.MatchLabels)+len(s.MatchExpressions) > 0 {
			if t.selector, err = metav1.LabelSelectorAsSelector(s); err != nil {
				return nil, fmt.Errorf("tenants[%d].namespaceSelector: %w", i, err)
			}
		}
		p.tenants = append(p.tenants, t)
	}
	return p, nil
}

// Of returns the profile of a guide's rules in a namespace, "" for objects without one.
// Only the EKS guide has tenants: the EMR guide speaks of EMR's namespaces alone.
func (p *Profiles) Of(id, namespace string, labelsOf func(namespace string) labels.Set) rule.Profile {
	if id == guide.EKS && namespace != "" {
		for i := range p.tenants {
			if p.tenants[i].has(namespace, labelsOf) {
				return p.tenants[i].profile
			}
		}
	}
	return p.guides[id]
}

func (t *tenant) has(namespace string, labelsOf func(namespace string) labels.Set) bool {
	if t.names.Match(namespace) {
		return true
	}
	if t.selector == nil {
		return false
	}
	set := labelsOf(namespace)
	return set != nil && t.selector.Matches(set)
}

// Any reports whether a guide's findings of a severity lead to anything in some namespace.
func (p *Profiles) Any(id string, severity rule.Severity) bool {
	if p.guides[id].Action(severity) != rule.Off {
		return true
	}
	for i := range p.tenants {
		if id == guide.EKS && p.tenants[i].profile.Action(severity) != rule.Off {
			return true
		}
	}
	return false
}

// System reports whether a namespace is one of the cluster itself.
func (p *Profiles) System(namespace string) bool { return p.system.Match(namespace) }
