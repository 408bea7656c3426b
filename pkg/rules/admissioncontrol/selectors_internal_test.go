package admissioncontrol

import (
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Only the label that nobody can forge proves that a namespace is left out.
func TestSelectorsOfNamespaces(t *testing.T) {
	t.Parallel()
	expression := func(key string, op metav1.LabelSelectorOperator, values ...string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: op, Values: values}}}
	}
	for name, c := range map[string]struct {
		selector *metav1.LabelSelector
		// selects says whether it leaves in the namespace emr-jobs, lists whether it names
		// all namespaces that it leaves in.
		selects, lists bool
	}{
		"none":                {nil, true, false},
		"empty":               {&metav1.LabelSelector{}, true, false},
		"by its name":         {&metav1.LabelSelector{MatchLabels: map[string]string{nameLabel: "emr-jobs"}}, true, true},
		"by another name":     {&metav1.LabelSelector{MatchLabels: map[string]string{nameLabel: "web"}}, false, true},
		"by another label":    {&metav1.LabelSelector{MatchLabels: map[string]string{"team": "web"}}, true, false},
		"in":                  {expression(nameLabel, metav1.LabelSelectorOpIn, "web", "emr-jobs"), true, true},
		"in others":           {expression(nameLabel, metav1.LabelSelectorOpIn, "web"), false, true},
		"not in":              {expression(nameLabel, metav1.LabelSelectorOpNotIn, "emr-jobs"), false, false},
		"not in others":       {expression(nameLabel, metav1.LabelSelectorOpNotIn, "web"), true, false},
		"has a name":          {expression(nameLabel, metav1.LabelSelectorOpExists), true, false},
		"has no name":         {expression(nameLabel, metav1.LabelSelectorOpDoesNotExist), false, true},
		"lacks another label": {expression("team", metav1.LabelSelectorOpNotIn, "emr-jobs"), true, false},
	} {
		if got := selectsName(c.selector, "emr-jobs"); got != c.selects {
			t.Errorf("%s: selects %t, want %t", name, got, c.selects)
		}
		if got := namesNamespaces(c.selector); got != c.lists {
			t.Errorf("%s: names all %t, want %t", name, got, c.lists)
		}
	}
}

func TestWhatAnEntryIsCalledFor(t *testing.T) {
	t.Parallel()
	rule := func(group, version, resource string, operations ...admissionregistrationv1.OperationType) admissionregistrationv1.RuleWithOperations {
		return admissionregistrationv1.RuleWithOperations{Operations: operations, Rule: admissionregistrationv1.Rule{
			APIGroups: []string{group}, APIVersions: []string{version}, Resources: []string{resource},
		}}
	}
	const create, remove, all = admissionregistrationv1.Create, admissionregistrationv1.Delete, admissionregistrationv1.OperationAll
	for name, c := range map[string]struct {
		rule             admissionregistrationv1.RuleWithOperations
		touches, reviews bool
	}{
		"pods":                  {rule("", "v1", "pods", create), true, false},
		"pods of any version":   {rule("", "*", "pods", create), true, false},
		"pods of no version":    {rule("", "v2", "pods", create), false, false},
		"pods of another group": {rule("metrics.k8s.io", "v1", "pods", create), false, false},
		"a subresource":         {rule("", "v1", "pods/resize", all), true, false},
		"a subresource of all":  {rule("", "v1", "*/exec", all), true, false},
		"a name of pods":        {rule("", "v1", "podsecurity", create), false, false},
		"deletions":             {rule("", "v1", "pods", remove), false, false},
		"services":              {rule("", "v1", "services", create), false, false},
		"custom resources":      {rule("sparkoperator.k8s.io", "v9", "sparkapplications", create), true, false},
		"reviews":               {rule("authorization.k8s.io", "v1", "subjectaccessreviews", create), false, true},
		"reviews of tokens":     {rule("authentication.k8s.io", "v1", "*", create), false, true},
		"everything":            {rule("*", "*", "*", all), true, true},
	} {
		m := mutation{rules: []admissionregistrationv1.RuleWithOperations{c.rule}, reaches: Reaches()}
		if m.touches() != c.touches || m.touchesReviews() != c.reviews {
			t.Errorf("%s: touches %t and reviews %t, want %t and %t", name, m.touches(), m.touchesReviews(), c.touches, c.reviews)
		}
	}
	binding := mutation{reaches: Reaches()}
	if !binding.touches() || binding.touchesReviews() {
		t.Error("a binding without rules is for what its policy is for")
	}
}

func TestOwnersThatAreAdded(t *testing.T) {
	t.Parallel()
	yes := true
	a := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "a", UID: "1"}
	controlled := a
	controlled.Controller = &yes
	renamed := a
	renamed.UID = "2"
	type owners = []metav1.OwnerReference
	for name, c := range map[string]struct {
		before, after owners
		want          bool
	}{
		"none":       {nil, nil, false},
		"same":       {owners{a}, owners{a}, false},
		"removed":    {owners{a}, nil, false},
		"added":      {nil, owners{a}, true},
		"one more":   {owners{a}, owners{a, renamed}, true},
		"controller": {owners{a}, owners{controlled}, true},
		"order":      {owners{a, renamed}, owners{renamed, a}, false},
	} {
		if got := gainsOwner(c.before, c.after); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
