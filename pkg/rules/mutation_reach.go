package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/rule"
)

// nameLabel is the one label of a namespace that nobody can forge: the API server
// itself sets it to the name.
const nameLabel = "kubernetes.io/metadata.name"

// Reach says how an entry of a MutatingWebhookConfiguration or a
// MutatingAdmissionPolicy is written that is called for what decides as whom EMR's pods
// run and who may do what. The policies of the chart are made from the same lists.
type Reach struct {
	// Groups are the API groups that an entry has to name one of.
	Groups []string `json:"groups"`
	// Versions are the versions, of which it has to name one; empty for any: the
	// definition of a custom resource may serve versions that nobody knows here.
	Versions []string `json:"versions,omitempty"`
	// Resources and the prefixes of resources, of which it has to name one.
	Resources []string `json:"resources"`
	Prefixes  []string `json:"prefixes,omitempty"`
	// Cluster is true for resources without a namespace.
	Cluster bool `json:"cluster,omitempty"`
	// Everywhere is true where no namespaceSelector leaves anything out: the API
	// server applies none to such requests.
	Everywhere bool `json:"everywhere,omitempty"`
}

// podSubresources are those by which a pod, or what is done in it, changes.
// `pods/<anything>` reaches them; this list is for `*/<name>`.
var podSubresources = []string{"attach", "binding", "ephemeralcontainers", "eviction", "exec", "portforward", "proxy", "resize", "status"}

// Reaches returns how entries are written that concern EMR's objects, the labels of
// their namespaces, and the questions who somebody is and what he may do: an answer
// that is changed on its way lets anybody in at kubelets and operators, and shows the
// tokens that are asked about.
func Reaches() []Reach {
	var list reaches
	for _, t := range slices.Concat(podTargets(), workloadTargets(), customTargets(), configMapTargets(), []rule.Target{
		target("", "v1", "serviceaccounts"),
		target("", "v1", "serviceaccounts/token"),
		target("flink.apache.org", "v1beta1", "flinksessionjobs"),
		target("authorization.k8s.io", "v1", "localsubjectaccessreviews"),
	}) {
		list.add(t, Reach{})
	}
	for _, t := range namespaceTargets() {
		list.add(t, Reach{Cluster: true})
	}
	for _, t := range []rule.Target{
		target("authorization.k8s.io", "v1", "subjectaccessreviews"),
		target("authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
		target("authorization.k8s.io", "v1", "selfsubjectrulesreviews"),
		target("authentication.k8s.io", "v1", "tokenreviews"),
		target("authentication.k8s.io", "v1", "selfsubjectreviews"),
	} {
		list.add(t, Reach{Cluster: true, Everywhere: true})
	}
	return list
}

type reaches []Reach

// add adds the ways to write a resource: in a webhook `*` means every resource but no
// subresource, `*/*` all of both, and `pods/*` means pods too.
func (list *reaches) add(t rule.Target, kind Reach) {
	i := slices.IndexFunc(*list, func(r Reach) bool {
		return r.Groups[0] == t.Group && r.Cluster == kind.Cluster && r.Everywhere == kind.Everywhere
	})
	if i < 0 {
		i = len(*list)
		kind.Groups, kind.Resources = []string{t.Group, "*"}, []string{"*", "*/*"}
		if !strings.Contains(t.Group, ".") {
			kind.Versions = []string{t.Version, "*"}
		}
		*list = append(*list, kind)
	}
	reach := &(*list)[i]
	resource, sub, isSub := strings.Cut(t.Resource, "/")
	switch {
	case resource == "pods" && isSub:
	case isSub:
		reach.Resources = append(reach.Resources, t.Resource, "*/"+sub)
	default:
		reach.Resources = append(reach.Resources, t.Resource, t.Resource+"/*")
	}
	if t.Resource == "pods" {
		reach.Prefixes = []string{"pods/"}
		for _, sub := range podSubresources {
			reach.Resources = append(reach.Resources, "*/"+sub)
		}
	}
}

// MutatingOperations are the operations whose objects a webhook can change, as an
// entry names them. The object of a DELETE is gone whatever it answers.
func MutatingOperations() []string { return []string{"CREATE", "UPDATE", "CONNECT", "*"} }

// concerns reports whether an entry with those operations is called for an object
// that the Reach is about.
func (reach *Reach) concerns(r *admissionregistrationv1.RuleWithOperations) bool {
	scope := admissionregistrationv1.NamespacedScope
	if reach.Cluster {
		scope = admissionregistrationv1.ClusterScope
	}
	return (r.Scope == nil || *r.Scope == admissionregistrationv1.AllScopes || *r.Scope == scope) &&
		slices.ContainsFunc(r.APIGroups, func(g string) bool { return slices.Contains(reach.Groups, g) }) &&
		(len(reach.Versions) == 0 || slices.ContainsFunc(r.APIVersions, func(v string) bool { return slices.Contains(reach.Versions, v) })) &&
		slices.ContainsFunc(r.Resources, func(resource string) bool {
			return slices.Contains(reach.Resources, resource) ||
				slices.ContainsFunc(reach.Prefixes, func(p string) bool { return strings.HasPrefix(resource, p) })
		})
}

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
