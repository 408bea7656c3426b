package tenancy

import (
	"context"
	_ "embed" // the documentation of the rule
	"fmt"
	"slices"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/fieldpath"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/changes"
	"github.com/emrguard/emrguard/pkg/rules/internal/guide"
	"github.com/emrguard/emrguard/pkg/rules/internal/targets"
	"github.com/emrguard/emrguard/pkg/rules/internal/wording"
)

const scopeID = "managed-namespace-scope"

//go:embed managed-namespace-scope.md
var managedNamespaceScopeDoc string

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
	namespaces := targets.New("", "v1", "namespaces", rule.Update)
	namespaces.Cluster = true
	existing := rule.Target{Version: "v1", Resource: "namespaces", Cluster: true, Audit: true, Operations: []rule.Operation{rule.Create}}
	return rule.Rule{
		ID:          scopeID,
		Title:       "a managed namespace taken out of scope, or its Pod Security lowered",
		Doc:         managedNamespaceScopeDoc,
		Remediation: "ask an administrator",
		Guide:       guide.RBAC,
		Default:     rule.Deny,
		Requester:   true,
		Targets: append([]rule.Target{
			namespaces,
			existing,
			targets.New(rbacv1.GroupName, "v1", "rolebindings", rule.Update, rule.Delete),
		}, targets.NamespaceMetadata()...),
		New: func(s rule.Settings) (rule.Check, error) {
			if err := s.Decode(scopeID, &struct{}{}); err != nil {
				return nil, err
			}
			return func(_ context.Context, r *rule.Request, rep *rule.Report) error {
				if r.Requester.Class == rule.Nobody {
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
	rep.Add(rule.Finding{
		Action: rule.Warn, Path: "metadata.name",
		Message:     fmt.Sprintf("namespace %q is EMR's by the marks that EMR leaves alone: its requests pass unjudged while emrguard is down", r.Name),
		Remediation: "name it in emr.namespaces, or have emr.namespaceSelector select it",
	})
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
			rep.Add(rule.Finding{Path: path, Message: fmt.Sprintf("%s may not change the label %s, by which EMR's namespaces are selected", wording.Requester(r.Requester), key), Act: true})
		case key == enforceLevel && level(after[key]) < level(before[key]), key == enforceVersion && olderVersion(after[key], before[key]):
			rep.Add(rule.Finding{Path: path, Message: fmt.Sprintf("%s may not lower what Pod Security enforces (%s: %q to %q)", wording.Requester(r.Requester), key, before[key], after[key]), Act: true})
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
		rep.Add(rule.Finding{Path: "subjects", Message: fmt.Sprintf("%s may not take the RoleBinding %q from EMR's user %q", wording.Requester(r.Requester), r.Object.Meta.Name, user), Act: true})
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
