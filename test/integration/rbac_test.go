package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/emrguard/emrguard/test/harness"
)

// canary is what every change of TestGains grants besides what it is about. When
// the API server's authorizer allows it, the change has arrived there, aggregation
// included.
const canary = `{apiGroups: [example.com], resources: [canaries], verbs: [get]}`

// changing is a change of RBAC, in the namespace NS, and what follows. NS is
// replaced by a name of the test's own wherever it stands.
type changing struct {
	name string
	// given is a YAML stream of what is there, change what is created, or changed
	// when given has it.
	given, change string
	// subject as emrguard names it, user and groups as whom it is then asked.
	subject, user string
	groups        []string
	// ask is what may have been gained, "verb resource" with the subresource and,
	// after a blank, the name; group is its API group. It is asked in the namespace
	// NS, in another one, or of something that has none.
	ask, group          string
	elsewhere, noPlaces bool
	// rule that reports the gain, empty when there is none.
	rule string
}

func roleText(rules string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: team, namespace: NS}\nrules: [" + rules + "]\n"
}

func clusterRoleText(name, labels, rules string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: NS-" + name + ", labels: {" + labels + "}}\nrules: [" + rules + "]\n"
}

func aggregateText(label string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: NS-aggregate}\n" +
		"aggregationRule: {clusterRoleSelectors: [{matchLabels: {" + label + "}}]}\n"
}

func bindingText(roleKind, role, subject string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: team, namespace: NS}\n" +
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: " + roleKind + ", name: " + role + "}\nsubjects: [" + subject + "]\n"
}

func clusterBindingText(role, subject string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: NS-team}\n" +
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: " + role + "}\nsubjects: [" + subject + "]\n"
}

func ruleText(group, resource, verb, name string) string {
	text := fmt.Sprintf("{apiGroups: [%q], resources: [%q], verbs: [%q]", group, resource, verb)
	if name != "" {
		text += fmt.Sprintf(", resourceNames: [%q]", name)
	}
	return text + "}, " + canary
}

func subjectText(kind, name string) string {
	return fmt.Sprintf("{apiGroup: rbac.authorization.k8s.io, kind: %s, name: %q}", kind, name)
}

const (
	person     = "ann-of-NS"
	notebook   = "system:serviceaccount:NS:notebook"
	noteGroups = "system:serviceaccounts system:serviceaccounts:NS system:authenticated"
)

// ruled is a new RoleBinding of a person to a Role with one rule.
func ruled(name, rule, ask, group, id string) changing {
	return changing{
		name: name, given: roleText(rule), change: bindingText("Role", "team", subjectText("User", person)),
		subject: "User " + person, user: person, ask: ask, group: group, rule: id,
	}
}

// subjected is a new RoleBinding of somebody to a Role that writes ConfigMaps.
func subjected(name, text, subject string) changing {
	return changing{
		name: name, given: roleText(ruleText("", "configmaps", "create", "")), change: bindingText("Role", "team", text),
		subject: subject, user: notebook, groups: strings.Fields(noteGroups), ask: "create configmaps", rule: "rbac-configmap-write",
	}
}

// changings are the lines of "must be right" of the rules on RBAC.
func changings() []changing {
	bound := func(c changing) changing {
		c.subject, c.user = "User "+person, person
		return c
	}
	const label, other = `example.com/NS: "yes"`, `example.com/NS: "no"`
	writes := ruleText("", "configmaps", "create", "")
	who := subjectText("User", person)
	return []changing{
		ruled("wildcard verb", ruleText("", "configmaps", "*", ""), "patch configmaps", "", "rbac-configmap-write"),
		ruled("wildcard resource", ruleText("", "*", "create", ""), "create pods/exec", "", "rbac-pod-exec"),
		ruled("wildcard group", ruleText("*", "deployments", "create", ""), "create deployments", "apps", "rbac-pod-create"),
		ruled("wildcard verb that is no standard one", ruleText("", "serviceaccounts", "*", ""), "impersonate serviceaccounts", "", "rbac-escalation"),
		ruled("a subresource of any resource", ruleText("", "*/exec", "create", ""), "create pods/exec", "", "rbac-pod-exec"),
		ruled("any subresource of pods matches nothing", ruleText("", "pods/*", "create", ""), "create pods/exec", "", ""),
		ruled("any subresource of anything matches nothing", ruleText("", "*/*", "create", ""), "create pods/exec", "", ""),
		ruled("a resource without its subresources", ruleText("", "pods", "get", ""), "get pods/exec", "", ""),
		ruled("a named get", ruleText("", "secrets", "get", "db"), "get secrets db", "", "rbac-secret-read"),
		ruled("a named list", ruleText("", "secrets", "list", "db"), "list secrets db", "", "rbac-secret-read"),
		ruled("a create has no name", ruleText("", "configmaps", "create", "db"), "create configmaps", "", ""),
		ruled("a named subresource is created", ruleText("", "serviceaccounts/token", "create", "notebook"), "create serviceaccounts/token notebook", "", "rbac-escalation"),
		ruled("the namespace of the RoleBinding", ruleText("", "namespaces", "patch", ""), "patch namespaces NS", "", "rbac-escalation"),

		bound(changing{name: "a ClusterRole in the namespace of its RoleBinding", given: clusterRoleText("edit", "", writes), change: bindingText("ClusterRole", "NS-edit", who), ask: "create configmaps", rule: "rbac-configmap-write"}),
		bound(changing{name: "a ClusterRole in another namespace than its RoleBinding's", given: clusterRoleText("edit", "", writes), change: bindingText("ClusterRole", "NS-edit", who), ask: "create configmaps", elsewhere: true}),
		bound(changing{name: "a RoleBinding to what has no namespace", given: clusterRoleText("edit", "", ruleText("", "nodes/proxy", "get", "")), change: bindingText("ClusterRole", "NS-edit", who), ask: "get nodes/proxy", noPlaces: true}),
		bound(changing{name: "a ClusterRoleBinding", given: clusterRoleText("edit", "", writes), change: clusterBindingText("NS-edit", who), ask: "create configmaps", elsewhere: true, rule: "rbac-configmap-write"}),
		bound(changing{name: "a ClusterRoleBinding to what has no namespace", given: clusterRoleText("edit", "", ruleText("", "nodes/proxy", "get", "")), change: clusterBindingText("NS-edit", who), ask: "get nodes/proxy", noPlaces: true, rule: "rbac-pod-exec"}),

		subjected("an account with its namespace", "{kind: ServiceAccount, name: notebook, namespace: NS}", "ServiceAccount NS/notebook"),
		subjected("an account without a namespace", "{kind: ServiceAccount, name: notebook}", "ServiceAccount NS/notebook"),
		subjected("an account spelled as a user", subjectText("User", notebook), "ServiceAccount NS/notebook"),
		subjected("all accounts", subjectText("Group", "system:serviceaccounts"), "Group system:serviceaccounts"),
		subjected("all accounts of a namespace", subjectText("Group", "system:serviceaccounts:NS"), "Group system:serviceaccounts:NS"),
		subjected("everybody", subjectText("Group", "system:authenticated"), "Group system:authenticated"),

		bound(changing{name: "a role edited after it was bound", given: roleText("") + "---\n" + bindingText("Role", "team", who), change: roleText(writes), ask: "create configmaps", rule: "rbac-configmap-write"}),
		bound(changing{name: "a role created after it was bound", given: bindingText("Role", "team", who), change: roleText(writes), ask: "create configmaps", rule: "rbac-configmap-write"}),
		bound(changing{name: "a ClusterRole edited after it was bound", given: clusterRoleText("edit", "", "") + "---\n" + clusterBindingText("NS-edit", who), change: clusterRoleText("edit", "", writes), ask: "create configmaps", rule: "rbac-configmap-write"}),
		bound(changing{name: "a ClusterRole created into an aggregate", given: aggregateText(label) + "---\n" + bindingText("ClusterRole", "NS-aggregate", who), change: clusterRoleText("part", label, writes), ask: "create configmaps", rule: "rbac-configmap-write"}),
		bound(changing{name: "a ClusterRole labelled into an aggregate", given: aggregateText(label) + "---\n" + clusterRoleText("part", other, writes) + "---\n" + bindingText("ClusterRole", "NS-aggregate", who), change: clusterRoleText("part", label, writes), ask: "create configmaps", rule: "rbac-configmap-write"}),
		bound(changing{name: "an aggregation rule changed", given: aggregateText(other) + "---\n" + clusterRoleText("part", label, writes) + "---\n" + bindingText("ClusterRole", "NS-aggregate", who), change: aggregateText(label), ask: "create configmaps", rule: "rbac-configmap-write"}),
	}
}

// inPlace replaces NS.
func inPlace(s, namespace string) string { return strings.ReplaceAll(s, "NS", namespace) }

// TestGains proves that emrguard reports a gain exactly when the API server's own
// authorizer lets the subject do after the change what it did not before.
func TestGains(t *testing.T) {
	const elsewhere = "gains-elsewhere"
	namespace(t, elsewhere, managed())
	for i, c := range changings() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ns := fmt.Sprintf("gains-%d", i)
			namespace(t, ns, managed())
			change := parse(t, inPlace(c.change, ns))[0]
			exists := false
			for _, obj := range parse(t, inPlace(c.given, ns)) {
				plant(t, planter(t), obj)
				exists = exists || obj.GetKind() == change.GetKind() && obj.GetName() == change.GetName()
			}
			asked, watched := c.reviews(ns, elsewhere)
			if allowed(t, asked) || allowed(t, watched) {
				t.Fatal("the subject may do it before the change")
			}
			reported := func(a harness.Answer) bool {
				return slices.ContainsFunc(told(a), func(w string) bool {
					return c.rule != "" && harness.NamesRule(w, c.rule) && strings.Contains(w, "] break glass, else refused: ") && strings.Contains(w, inPlace(c.subject, ns)+" could ")
				})
			}
			// emrguard learns of what was planted by its watches.
			err := harness.WaitFor(t.Context(), "emrguard to see what is given", settle, func(context.Context) error {
				if a := apply(t, planter(t), change, exists, harness.DryRun); reported(a) != (c.rule != "") {
					return errors.New(a.String())
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			a := apply(t, planter(t), change, exists)
			must(t, "the change", a)
			if got := reported(a); got != (c.rule != "") {
				t.Errorf("want a gain by %q: %s", c.rule, a)
			}
			if c.rule == "" && !c.elsewhere && len(told(a)) > 0 || c.rule == "" && strings.Contains(a.Text(), elsewhere) {
				t.Errorf("want no gain: %s", a)
			}
			err = harness.WaitFor(t.Context(), "the change to reach the authorizer", patience, func(context.Context) error {
				if !allowed(t, watched) {
					return errors.New("it has not")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := allowed(t, asked); got != reported(a) {
				t.Errorf("the authorizer says %t of %q, emrguard said: %s", got, c.ask, a)
			}
		})
	}
}

// reviews are the question of a case, and that of its canary.
func (c *changing) reviews(ns, elsewhere string) (asked, watched *authorizationv1.SubjectAccessReview) {
	words := strings.Fields(inPlace(c.ask, ns))
	attributes := &authorizationv1.ResourceAttributes{Namespace: ns, Verb: words[0], Group: c.group}
	attributes.Resource, attributes.Subresource, _ = strings.Cut(words[1], "/")
	if len(words) > 2 {
		attributes.Name = words[2]
	}
	switch {
	case c.elsewhere:
		attributes.Namespace = elsewhere
	case c.noPlaces:
		attributes.Namespace = ""
	}
	review := func(a *authorizationv1.ResourceAttributes) *authorizationv1.SubjectAccessReview {
		r := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: inPlace(c.user, ns), ResourceAttributes: a}}
		for _, g := range c.groups {
			r.Spec.Groups = append(r.Spec.Groups, inPlace(g, ns))
		}
		return r
	}
	return review(attributes), review(&authorizationv1.ResourceAttributes{Namespace: ns, Verb: "get", Group: "example.com", Resource: "canaries"})
}

// allowed asks the API server's authorizer.
func allowed(t *testing.T, review *authorizationv1.SubjectAccessReview) bool {
	t.Helper()
	answer, err := cp.Clientset().AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}

// apply creates an object, or changes the one that exists into it.
func apply(t *testing.T, c *harness.Client, obj *unstructured.Unstructured, exists bool, opts ...harness.Option) harness.Answer {
	t.Helper()
	if !exists {
		a, _ := c.Create(t.Context(), obj, opts...)
		return a
	}
	data, err := obj.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := c.Patch(t.Context(), obj, types.MergePatchType, string(data), opts...)
	return a
}

func parse(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := harness.ParseManifests("the case", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// TestRoleWithItsBinding proves that a Role and its RoleBinding, applied together,
// get the same answer every time, whichever comes first and however far the watches
// are behind.
func TestRoleWithItsBinding(t *testing.T) {
	const ns = "role-with-binding"
	namespace(t, ns, managed())
	for i := range 200 {
		for _, roleFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("role first %t, %d", roleFirst, i), func(t *testing.T) {
				t.Parallel()
				name := fmt.Sprintf("team-%d-%t", i, roleFirst)
				named := func(text string) *unstructured.Unstructured {
					return parse(t, inPlace(strings.ReplaceAll(text, "team", name), ns))[0]
				}
				role, binding := named(roleText(ruleText("", "configmaps", "create", ""))), named(bindingText("Role", "team", subjectText("Group", "team")))
				first, second, early := role, binding, []string(nil)
				if !roleFirst {
					first, second, early = binding, role, []string{"rbac-latent-grant"}
				}
				a, _ := administrator(t).Create(t.Context(), first)
				must(t, "the first", a)
				if ids := idsIn(told(a)...); !slices.Equal(ids, early) {
					t.Errorf("%s: findings of %q, want %q: %s", first.GetKind(), ids, early, a)
				}
				a, _ = administrator(t).Create(t.Context(), second)
				want(t, "the second", a, harness.Denied)
				if ids := idsIn(a.Message); !slices.Equal(ids, []string{"rbac-configmap-write"}) || !strings.Contains(a.Message, "Group "+name+" could create configmaps in namespace "+ns) {
					t.Errorf("%s: %s", second.GetKind(), a)
				}
			})
		}
	}
}

// TestPublishedRoles proves that an administrator can install the roles that AWS
// publishes for the Spark operator, Livy and the Flink operator.
func TestPublishedRoles(t *testing.T) {
	const ns = "published-roles"
	namespace(t, ns, managed())
	root, err := harness.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"spark-operator", "spark-operator-jobs", "livy", "livy-sessions", "flink-operator", "flink-operator-jobs"} {
		t.Run(name, func(t *testing.T) {
			objects, err := harness.ReadManifests(os.DirFS(filepath.Join(root, "test", "demo", "requests")), name+".yaml")
			if err != nil {
				t.Fatal(err)
			}
			for _, obj := range objects {
				harness.InNamespace(obj, ns)
				a, _ := administrator(t).Create(t.Context(), obj)
				must(t, obj.GetKind()+" "+obj.GetName(), a)
			}
		})
	}
}
