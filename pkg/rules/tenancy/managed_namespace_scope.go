package tenancy

import (
	"context"
	_ "embed" // the documentation of the rule
	"slices"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/guide"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/changes"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

const scopeID = "managed-namespace-scope"

//go:embed managed-namespace-scope.md
var managedNamespaceScopeDoc string

const askAdministrator = "ask an administrator"

var (
	selectingLabel = rule.Reason{
		Name: "selecting-label", Severity: rule.High, SkipOldComparison: true,
		Message: "%[1]s may not change the label %[2]s, by which EMR's namespaces are selected", Remedy: askAdministrator,
	}
	podSecurityLowered = rule.Reason{
		Name: "pod-security-lowered", Severity: rule.High, SkipOldComparison: true,
		Message: "%[1]s may not lower what Pod Security enforces (%[2]s: %[3]q to %[4]q)", Remedy: askAdministrator,
	}
	bindingTaken = rule.Reason{
		Name: "binding-of-emr", Severity: rule.High, SkipOldComparison: true,
		Message: "%[1]s may not take the RoleBinding %[2]q from EMR's user %[3]q", Remedy: askAdministrator,
	}
	indicatorsAlone = rule.Reason{
		Name: "managed-by-indicators-alone", Severity: rule.Medium,
		Message: "only indicators that EMR leaves make the namespace %[1]q EMR's: its requests pass unjudged while emrguard is down",
		Remedy:  "name it in emr.namespaces, or have emr.namespaceSelector select it",
	}
)

// ManagedNamespaceScope is the rule managed-namespace-scope.
//
// Guide, "Role-based access control (RBAC) permissions": "Administrators have to
// control role-based access control strictly in a managed namespace." A namespace out
// of scope is not controlled any more.
//
// Fields: metadata.labels of Namespaces, subjects of RoleBindings.
//
// Allowed: EMR, administrators.
func ManagedNamespaceScope() rule.Rule {
	existing := targets.New("namespaces", rule.Create)
	existing.Audit = true
	return rule.Rule{
		ID:        scopeID,
		Title:     "a managed namespace taken out of scope, or its Pod Security lowered",
		Doc:       managedNamespaceScopeDoc,
		Clauses:   []guide.Clause{emr.ClauseRBAC},
		Reasons:   []*rule.Reason{&selectingLabel, &podSecurityLowered, &bindingTaken, &indicatorsAlone},
		Requester: true,
		Targets: append([]rule.Target{
			targets.New("namespaces", rule.Update),
			existing,
			targets.New("rolebindings.rbac.authorization.k8s.io", rule.Update, rule.Delete),
		}, targets.NamespaceMetadata()...),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode(scopeID, &struct{}{}); err != nil {
				return nil, err
			}
			return func(_ context.Context, r *rule.Request, rep *rule.Report) error {
				if r.Existing() {
					judgeDiscovered(s, r, rep)
				}
				if !r.Requester.Untrusted() {
					return nil
				}
				if r.Resource.Resource == "namespaces" {
					judgeLabels(s, r, rep)
				} else {
					judgeMark(s, r, rep)
				}
				return nil
			}, nil
		},
	}
}

const (
	enforceLevel   = "pod-security.kubernetes.io/enforce"
	enforceVersion = "pod-security.kubernetes.io/enforce-version"
)

// judgeDiscovered finds a namespace that no entry of the webhook configuration
// selects to fail closed.
func judgeDiscovered(s rule.Settings, r *rule.Request, rep *rule.Report) {
	if r.Object.GVK.Kind != "Namespace" || !r.Managed || slices.Contains(s.Namespaces, r.Name) || s.Selector != nil && s.Selector.Matches(labels.Set(r.Object.Meta.Labels)) {
		return
	}
	rep.Add(rule.Finding{Reason: &indicatorsAlone, Path: "metadata.name", Args: rule.Args(r.Name)})
}

func judgeLabels(s rule.Settings, r *rule.Request, rep *rule.Report) {
	if r.Old == nil {
		return
	}
	before, after := r.Old.Meta.Labels, r.Object.Meta.Labels
	for _, key := range changes.Keys(before, after) {
		path := fieldpath.Key("metadata.labels", key)
		switch {
		case s.Selector != nil && selects(s.Selector, key):
			rep.Add(rule.Finding{Reason: &selectingLabel, Path: path, Args: rule.Args(wording.Requester(r.Requester), key)})
		case key == enforceLevel && level(after[key]) < level(before[key]), key == enforceVersion && olderVersion(after[key], before[key]):
			rep.Add(rule.Finding{Reason: &podSecurityLowered, Path: path, Args: rule.Args(wording.Requester(r.Requester), key, before[key], after[key])})
		}
	}
}

func selects(selector labels.Selector, key string) bool {
	requirements, _ := selector.Requirements()
	return slices.ContainsFunc(requirements, func(q labels.Requirement) bool { return q.Key() == key })
}

// level orders the Pod Security Standards. No label, or one that is none of them,
// enforces nothing.
func level(s string) int { return slices.Index([]string{"", "baseline", "restricted"}, s) }

// olderVersion reports whether a pins an older version than b. No version is the
// latest one.
func olderVersion(a, b string) bool {
	minor := func(s string) int {
		rest, ok := strings.CutPrefix(s, "v1.")
		n, err := strconv.Atoi(rest)
		if !ok || err != nil {
			return 1 << 30
		}
		return n
	}
	return minor(a) < minor(b)
}

// judgeMark finds a RoleBinding to EMR that is removed or no longer binds it.
func judgeMark(s rule.Settings, r *rule.Request, rep *rule.Report) {
	was := r.Object
	if r.Old != nil {
		was = r.Old
	}
	stays := map[string]bool{} // or was told already
	if r.Operation == rule.Update {
		for _, user := range boundTo(r.Object) {
			stays[user] = true
		}
	}
	for _, user := range boundTo(was) {
		if stays[user] || !s.EMRUsers.Match(user) {
			continue
		}
		stays[user] = true
		rep.Add(rule.Finding{Reason: &bindingTaken, Path: "subjects", Args: rule.Args(wording.Requester(r.Requester), r.Object.Meta.Name, user)})
	}
}

func boundTo(o *object.Object) []string {
	b, ok := o.Typed.(*rbacv1.RoleBinding)
	if !ok {
		return nil
	}
	var users []string
	for _, subject := range b.Subjects {
		if subject.Kind == rbacv1.UserKind {
			users = append(users, subject.Name)
		}
	}
	return users
}
