// Bootstrap prints the roles and bindings of RBAC that the API server makes at its
// first start, as one List in JSON, with an object on each line. ClusterRoles that
// aggregate others hold what the aggregation controller fills in.
//
// It belongs to the module of the control plane, so that the data are those of the
// version that the tests run.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bootstrap:", err)
		os.Exit(1)
	}
}

func write(w io.Writer) error {
	objects, err := collect()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, `{"apiVersion":"v1","kind":"List","items":[`+"\n"); err != nil {
		return err
	}
	for i, obj := range objects {
		line, err := json.Marshal(obj)
		if err != nil {
			return err
		}
		end := ",\n"
		if i == len(objects)-1 {
			end = "\n"
		}
		if _, err := w.Write(append(line, end...)); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "]}\n")
	return err
}

// object is what is kept of a role or a binding.
type object struct {
	APIVersion      string                  `json:"apiVersion"`
	Kind            string                  `json:"kind"`
	Metadata        metadata                `json:"metadata"`
	AggregationRule *rbacv1.AggregationRule `json:"aggregationRule,omitempty"`
	Rules           []rbacv1.PolicyRule     `json:"rules,omitempty"`
	RoleRef         *rbacv1.RoleRef         `json:"roleRef,omitempty"`
	Subjects        []rbacv1.Subject        `json:"subjects,omitempty"`
}

type metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}

func made(kind string, meta metav1.ObjectMeta) object {
	return object{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind, Metadata: metadata{meta.Name, meta.Namespace, meta.Labels}}
}

func collect() ([]object, error) {
	var list []object
	roles := slices.Concat(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles())
	for i := range roles {
		o := made("ClusterRole", roles[i].ObjectMeta)
		o.AggregationRule = roles[i].AggregationRule
		var err error
		if o.Rules, err = aggregated(&roles[i], roles); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	for _, b := range slices.Concat(bootstrappolicy.ClusterRoleBindings(), bootstrappolicy.ControllerRoleBindings()) {
		o := made("ClusterRoleBinding", b.ObjectMeta)
		o.RoleRef, o.Subjects = &b.RoleRef, b.Subjects
		list = append(list, o)
	}
	local := bootstrappolicy.NamespaceRoles()
	for _, namespace := range slices.Sorted(maps.Keys(local)) {
		for _, r := range local[namespace] {
			r.Namespace = namespace
			o := made("Role", r.ObjectMeta)
			o.Rules = r.Rules
			list = append(list, o)
		}
	}
	bindings := bootstrappolicy.NamespaceRoleBindings()
	for _, namespace := range slices.Sorted(maps.Keys(bindings)) {
		for _, b := range bindings[namespace] {
			b.Namespace = namespace
			o := made("RoleBinding", b.ObjectMeta)
			o.RoleRef, o.Subjects = &b.RoleRef, b.Subjects
			list = append(list, o)
		}
	}
	order := []string{"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
	slices.SortStableFunc(list, func(a, b object) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)),
			cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), cmp.Compare(a.Metadata.Name, b.Metadata.Name),
		)
	})
	return list, nil
}

// aggregated are the rules of a ClusterRole once the aggregation controller has run:
// those of every role that its selectors find, through other aggregates too.
func aggregated(role *rbacv1.ClusterRole, all []rbacv1.ClusterRole) ([]rbacv1.PolicyRule, error) {
	if role.AggregationRule == nil {
		return role.Rules, nil
	}
	var rules []rbacv1.PolicyRule
	for _, selector := range role.AggregationRule.ClusterRoleSelectors {
		s, err := metav1.LabelSelectorAsSelector(&selector)
		if err != nil {
			return nil, fmt.Errorf("ClusterRole %s: %w", role.Name, err)
		}
		for i := range all {
			if all[i].Name == role.Name || !s.Matches(labels.Set(all[i].Labels)) {
				continue
			}
			below, err := aggregated(&all[i], all)
			if err != nil {
				return nil, err
			}
			for _, r := range below {
				if !slices.ContainsFunc(rules, func(have rbacv1.PolicyRule) bool { return equality.Semantic.DeepEqual(have, r) }) {
					rules = append(rules, r)
				}
			}
		}
	}
	return rules, nil
}
