package admissioncontrol

import (
	"context"
	"errors"
	"fmt"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/rule"
)

// nameLabel is the one label of a namespace that nobody can forge: the API server
// itself sets it to the name.
const nameLabel = "kubernetes.io/metadata.name"

// mutation is what an entry of a webhook configuration, a policy or a binding says
// of the requests that it is called for. What else narrows it (objectSelector,
// matchConditions, excludeResourceRules, names of objects) is not here, because it
// proves nothing: who makes an object chooses its labels.
type mutation struct {
	// rules are nil for a binding that leaves them to its policy.
	rules    []admissionregistrationv1.RuleWithOperations
	selector *metav1.LabelSelector
	reaches  []Reach
}

// touches reports whether the entry can change what EMR runs, in whatever
// namespace.
func (m *mutation) touches() bool {
	return m.rules == nil || m.calledFor(func(reach *Reach) bool { return !reach.Everywhere })
}

// touchesReviews reports whether it can change an answer about who somebody is or what
// he may do. Such questions are asked in no namespace, so no selector leaves them out. A
// binding without rules is for what its policy is for, which is judged by itself.
func (m *mutation) touchesReviews() bool {
	return m.calledFor(func(reach *Reach) bool { return reach.Everywhere })
}

func (m *mutation) calledFor(what func(*Reach) bool) bool {
	return slices.ContainsFunc(m.rules, func(r admissionregistrationv1.RuleWithOperations) bool {
		mutates := slices.ContainsFunc(r.Operations, func(op admissionregistrationv1.OperationType) bool {
			return slices.Contains(MutatingOperations(), string(op))
		})
		return mutates && slices.ContainsFunc(m.reaches, func(reach Reach) bool { return what(&reach) && reach.concerns(&r) })
	})
}

// selectsName reports whether the selector leaves a namespace of that name in,
// whatever other labels it has.
func selectsName(s *metav1.LabelSelector, name string) bool {
	if s == nil {
		return true
	}
	if value, ok := s.MatchLabels[nameLabel]; ok && value != name {
		return false
	}
	return !slices.ContainsFunc(s.MatchExpressions, func(e metav1.LabelSelectorRequirement) bool {
		if e.Key != nameLabel {
			return false
		}
		switch e.Operator {
		case metav1.LabelSelectorOpIn:
			return !slices.Contains(e.Values, name)
		case metav1.LabelSelectorOpNotIn:
			return slices.Contains(e.Values, name)
		case metav1.LabelSelectorOpDoesNotExist:
			return true // every namespace has it
		case metav1.LabelSelectorOpExists:
		}
		return false
	})
}

// namesNamespaces reports whether the selector leaves in no other namespaces than
// those that it names.
func namesNamespaces(s *metav1.LabelSelector) bool {
	if s == nil {
		return false
	}
	if _, ok := s.MatchLabels[nameLabel]; ok {
		return true
	}
	return slices.ContainsFunc(s.MatchExpressions, func(e metav1.LabelSelectorRequirement) bool {
		return e.Key == nameLabel && (e.Operator == metav1.LabelSelectorOpIn || e.Operator == metav1.LabelSelectorOpDoesNotExist)
	})
}

// mayReach reports whether nothing proves that the entry leaves the managed
// namespaces out, and what is asked about them. Where labels put namespaces in scope, who leaves out those that
// are managed today has not left out the one of tomorrow: only a list of the
// namespaces that the entry is for proves it.
func (m *mutation) mayReach(r *rule.Request, byLabel bool) bool {
	if m.touchesReviews() {
		return true
	}
	if !m.touches() {
		return false
	}
	if byLabel && !namesNamespaces(m.selector) {
		return true
	}
	return slices.ContainsFunc(r.ManagedNamespaces(), func(name string) bool { return selectsName(m.selector, name) })
}

// reached returns the managed namespaces for whose objects the entry is called, by
// the labels that they have. A namespace whose labels are not known has at least
// its name.
func (m *mutation) reached(ctx context.Context, r *rule.Request) ([]string, error) {
	if !m.touches() {
		return nil, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(m.selector)
	if err != nil {
		return nil, fmt.Errorf("read a namespaceSelector: %w", err)
	}
	var names []string
	for _, name := range r.ManagedNamespaces() {
		set, err := r.Cluster.Namespace(ctx, name)
		switch {
		case errors.Is(err, rule.ErrNotFound):
			if selectsName(m.selector, name) {
				names = append(names, name)
			}
			continue
		case err != nil:
			return nil, fmt.Errorf("look up Namespace %s: %w", name, err)
		}
		if m.selector == nil || selector.Matches(labels.Merge(set, labels.Set{nameLabel: name})) {
			names = append(names, name)
		}
	}
	return names, nil
}
