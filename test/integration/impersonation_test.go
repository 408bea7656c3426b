package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/emrguard/emrguard/test/harness"
)

// impersonating is a grant of one half of impersonation. In its texts, NS is a
// namespace of the case's own.
type impersonating struct {
	name string
	// rule that is granted, by a binding of the cluster or by one of the namespace.
	rule    string
	cluster bool
	// other is the half that is granted already, by the cluster.
	other string
	// as is who is impersonated, then for a list of ConfigMaps or, with secrets, of
	// Secrets.
	as      rest.ImpersonationConfig
	secrets bool
	// ask is what the API server asks its authorizer: "verb resource[/sub] [name]" in
	// the group, in the namespace unless it is cluster-scoped.
	ask, group   string
	clusterScope bool
	// onNode is true for a requester that is an account whose token is bound to a pod
	// on node-1.
	onNode bool
	want   bool
}

const authn = "authentication.k8s.io"

func halfOn(mode string) string {
	return fmt.Sprintf(`{apiGroups: [""], resources: [configmaps], verbs: ["impersonate-on:%s:list"]}`, mode)
}

func half(group, resource, verb, names string) string {
	if names != "" {
		names = ", resourceNames: [" + names + "]"
	}
	return fmt.Sprintf(`{apiGroups: [%q], resources: [%q], verbs: [%q]%s}`, group, resource, verb, names)
}

// impersonations are all kinds of grants, and what comes of each.
func impersonations() []impersonating {
	account := rest.ImpersonationConfig{UserName: "system:serviceaccount:NS:robot"}
	person := rest.ImpersonationConfig{UserName: "bob-of-NS"}
	grouped := rest.ImpersonationConfig{UserName: "bob-of-NS", Groups: []string{"crew-of-NS"}}
	scoped := rest.ImpersonationConfig{UserName: "bob-of-NS", Extra: map[string][]string{"scopes": {"all"}}}
	domain := rest.ImpersonationConfig{UserName: "bob-of-NS", Extra: map[string][]string{"example.com/scopes": {"all"}}} // as the newer mode wants them
	numbered := rest.ImpersonationConfig{UserName: "bob-of-NS", UID: "1"}
	node := rest.ImpersonationConfig{UserName: "system:node:node-1"}
	users := half(authn, "users", "impersonate:user-info", "")
	return []impersonating{
		{name: "an account, by a RoleBinding", rule: half(authn, "serviceaccounts", "impersonate:serviceaccount", ""), other: halfOn("serviceaccount"), as: account, ask: "impersonate:serviceaccount serviceaccounts robot", group: authn, want: true},
		{name: "one account", rule: half(authn, "serviceaccounts", "impersonate:serviceaccount", "robot"), other: halfOn("serviceaccount"), as: account, ask: "impersonate:serviceaccount serviceaccounts robot", group: authn, want: true},
		{name: "any account, by a ClusterRoleBinding", rule: half(authn, "serviceaccounts", "impersonate:serviceaccount", ""), cluster: true, other: halfOn("serviceaccount"), as: account, ask: "impersonate:serviceaccount serviceaccounts robot", group: authn, want: true},
		{name: "an account, in the core group", rule: half("", "serviceaccounts", "impersonate:serviceaccount", ""), other: halfOn("serviceaccount"), as: account, ask: "impersonate:serviceaccount serviceaccounts robot", group: authn},
		{name: "an account, by the mode of users", rule: half(authn, "serviceaccounts", "impersonate:user-info", ""), other: halfOn("user-info"), as: account, ask: "impersonate:serviceaccount serviceaccounts robot", group: authn},
		{name: "an account, by the old verb", rule: half("", "serviceaccounts", "impersonate", ""), as: account, ask: "impersonate serviceaccounts robot", want: true},
		{name: "an account, by the old verb in the new group", rule: half(authn, "serviceaccounts", "impersonate", ""), as: account, ask: "impersonate serviceaccounts robot"},
		{name: "any verb on accounts of the new group", rule: half(authn, "serviceaccounts", "*", ""), other: halfOn("serviceaccount"), as: account, ask: "impersonate:serviceaccount serviceaccounts robot", group: authn, want: true},
		{name: "a user", rule: users, cluster: true, other: halfOn("user-info"), as: person, ask: "impersonate:user-info users bob-of-NS", group: authn, clusterScope: true, want: true},
		{name: "a user, by a RoleBinding", rule: users, other: halfOn("user-info"), as: person, ask: "impersonate:user-info users bob-of-NS", group: authn, clusterScope: true},
		{name: "a user, by the old verb", rule: half("", "users", "impersonate", ""), cluster: true, as: person, ask: "impersonate users bob-of-NS", clusterScope: true, want: true},
		{name: "a user, by the old verb in the new group", rule: half(authn, "users", "impersonate", ""), cluster: true, as: person, ask: "impersonate users bob-of-NS", clusterScope: true},
		{name: "a user, by the new verb in the core group", rule: half("", "users", "impersonate:user-info", ""), cluster: true, other: halfOn("user-info"), as: person, ask: "impersonate:user-info users bob-of-NS", group: authn, clusterScope: true},
		{name: "a user, by the mode of accounts", rule: half(authn, "users", "impersonate:serviceaccount", ""), cluster: true, other: halfOn("user-info"), as: person, ask: "impersonate:user-info users bob-of-NS", group: authn, clusterScope: true},
		{name: "a group", rule: half(authn, "groups", "impersonate:user-info", ""), cluster: true, other: users + ", " + halfOn("user-info"), as: grouped, ask: "impersonate:user-info groups crew-of-NS", group: authn, clusterScope: true, want: true},
		{name: "a group, by the old verb", rule: half("", "groups", "impersonate", ""), cluster: true, other: half("", "users", "impersonate", ""), as: grouped, ask: "impersonate groups crew-of-NS", clusterScope: true, want: true},
		{name: "a uid", rule: half(authn, "uids", "impersonate:user-info", ""), cluster: true, other: users + ", " + halfOn("user-info"), as: numbered, ask: "impersonate:user-info uids 1", group: authn, clusterScope: true, want: true},
		{name: "an extra field", rule: half(authn, "userextras/example.com/scopes", "impersonate:user-info", ""), cluster: true, other: users + ", " + halfOn("user-info"), as: domain, ask: "impersonate:user-info userextras/example.com/scopes all", group: authn, clusterScope: true, want: true},
		{name: "an extra field, by the old verb", rule: half(authn, "userextras/scopes", "impersonate", ""), cluster: true, other: half("", "users", "impersonate", ""), as: scoped, ask: "impersonate userextras/scopes all", group: authn, clusterScope: true, want: true},
		{name: "any node", rule: half(authn, "nodes", "impersonate:arbitrary-node", ""), cluster: true, other: halfOn("arbitrary-node"), as: node, ask: "impersonate:arbitrary-node nodes node-1", group: authn, clusterScope: true, want: true},
		{name: "any node, by a RoleBinding", rule: half(authn, "nodes", "impersonate:arbitrary-node", ""), other: halfOn("arbitrary-node"), as: node, ask: "impersonate:arbitrary-node nodes node-1", group: authn, clusterScope: true},
		{name: "the own node", rule: half(authn, "nodes", "impersonate:associated-node", ""), cluster: true, other: halfOn("associated-node"), as: node, ask: "impersonate:associated-node nodes *", group: authn, clusterScope: true, onNode: true, want: true},
		{name: "the own node, by the name that is asked for", rule: half(authn, "nodes", "impersonate:associated-node", `"*"`), cluster: true, other: halfOn("associated-node"), as: node, ask: "impersonate:associated-node nodes *", group: authn, clusterScope: true, onNode: true, want: true},
		{name: "the own node, by its name", rule: half(authn, "nodes", "impersonate:associated-node", "node-1"), cluster: true, other: halfOn("associated-node"), as: node, ask: "impersonate:associated-node nodes *", group: authn, clusterScope: true, onNode: true},
		// What is then done is asked for on what it is done to.
		{name: "on Secrets, as an account", rule: half("", "secrets", "impersonate-on:serviceaccount:list", ""), other: half(authn, "serviceaccounts", "impersonate:serviceaccount", ""), as: account, secrets: true, ask: "impersonate-on:serviceaccount:list secrets", want: true},
		{name: "on Secrets, as a user", rule: half("", "secrets", "impersonate-on:user-info:list", ""), other: users, as: person, secrets: true, ask: "impersonate-on:user-info:list secrets", want: true},
		{name: "on Secrets, as a node", rule: half("", "secrets", "impersonate-on:arbitrary-node:list", ""), other: half(authn, "nodes", "impersonate:arbitrary-node", ""), as: node, secrets: true, ask: "impersonate-on:arbitrary-node:list secrets", want: true},
		{name: "on Secrets, by another verb", rule: half("", "secrets", "impersonate-on:serviceaccount:delete", ""), other: half(authn, "serviceaccounts", "impersonate:serviceaccount", ""), as: account, secrets: true, ask: "impersonate-on:serviceaccount:list secrets"},
		{name: "on Secrets, by a verb that nobody asks for", rule: half("", "secrets", "impersonate-on:list", ""), other: half(authn, "serviceaccounts", "impersonate:serviceaccount", ""), as: account, secrets: true, ask: "impersonate-on:serviceaccount:list secrets"},
	}
}

// TestWhoMayImpersonate proves that who may impersonate is said by emrguard exactly as
// SubjectAccessReview and a real impersonated request say it.
func TestWhoMayImpersonate(t *testing.T) {
	for i, c := range impersonations() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ns := fmt.Sprintf("impersonate-%d", i)
			c.stage(t, ns)
			binding := c.granted(t, ns)

			// emrguard: with what was planted seen, the answer stays.
			var a harness.Answer
			err := harness.WaitFor(t.Context(), "the answer", settle, func(ctx context.Context) error {
				if a, _ = administrator(t).Create(ctx, binding, harness.DryRun); (a.Verdict == harness.Denied) != c.want {
					return errors.New(a.String())
				}
				return nil
			})
			if err != nil {
				t.Errorf("emrguard: %v", err)
			}
			if verb := strings.Fields(c.ask)[0]; c.want && !strings.Contains(a.Message, verb) && !strings.Contains(c.rule, `["*"]`) {
				t.Errorf("the answer does not say %s: %s", verb, a)
			}
			plant(t, planter(t), binding)

			// The authorizer, and a request with the headers of impersonation. Both
			// are asked until the authorizer has seen the binding.
			for who, says := range map[string]func() (bool, error){
				"SubjectAccessReview":     func() (bool, error) { return c.reviewed(t, ns), nil },
				"an impersonated request": func() (bool, error) { return c.impersonates(t, ns) },
			} {
				err := harness.WaitFor(t.Context(), who, settle, func(context.Context) error {
					switch got, err := says(); {
					case err != nil:
						return err
					case got != c.want:
						return fmt.Errorf("allowed: %t", got)
					}
					return nil
				})
				if err != nil {
					t.Errorf("%s: %v", who, err)
				}
			}
		})
	}
}

// requester is the user name of who gets the grant.
func (c *impersonating) requester() string {
	if c.onNode {
		return "system:serviceaccount:NS:agent"
	}
	return "mallory-of-NS"
}

func (c *impersonating) subject() string {
	if c.onNode {
		return "{kind: ServiceAccount, name: agent, namespace: NS}"
	}
	user := c.requester()
	return subjectText("User", user)
}

// stage makes what the case presumes: whoever is impersonated may read, and the other
// half is granted.
func (c *impersonating) stage(t *testing.T, ns string) {
	t.Helper()
	namespace(t, ns, managed())
	reader := subjectText("User", c.as.UserName)
	text := `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reads, namespace: NS}, rules: [{apiGroups: [""], resources: [configmaps, secrets], verbs: [list]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reads, namespace: NS}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}, subjects: [` + reader + `]}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: NS}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: agent, namespace: NS}}
`
	if c.other != "" {
		text += `---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NS-other}, rules: [` + c.other + `]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: NS-other}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NS-other}, subjects: [` + c.subject() + `]}
`
	}
	if c.onNode {
		text += `---
{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: NS}, spec: {nodeName: node-1, serviceAccountName: agent, containers: [{name: main, image: "public.ecr.aws/emr-on-eks/spark/emr-7.13.0:latest"}]}}
`
	}
	for _, obj := range parse(t, inPlace(text, ns)) {
		plant(t, planter(t), obj)
	}
}

// granted plants the role of the case and returns its binding.
func (c *impersonating) granted(t *testing.T, ns string) *unstructured.Unstructured {
	t.Helper()
	role, binding := roleText(c.rule), bindingText("Role", "team", c.subject())
	if c.cluster {
		role, binding = clusterRoleText("team", "", c.rule), clusterBindingText("NS-team", c.subject())
	}
	plant(t, planter(t), parse(t, inPlace(role, ns))[0])
	return parse(t, inPlace(binding, ns))[0]
}

// reviewed is what the authorizer says.
func (c *impersonating) reviewed(t *testing.T, ns string) bool {
	t.Helper()
	user := c.requester()
	words := strings.Fields(inPlace(c.ask, ns))
	asked := &authorizationv1.ResourceAttributes{Namespace: ns, Verb: words[0], Group: c.group}
	asked.Resource, asked.Subresource, _ = strings.Cut(words[1], "/")
	if len(words) > 2 {
		asked.Name = words[2]
	}
	if c.clusterScope {
		asked.Namespace = ""
	}
	return allowed(t, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: inPlace(user, ns), ResourceAttributes: asked}})
}

// impersonates is what comes of a request in the name of somebody else.
func (c *impersonating) impersonates(t *testing.T, ns string) (bool, error) {
	t.Helper()
	user := c.requester()
	config, err := cp.UserConfig(inPlace(user, ns))
	if err != nil {
		return false, err
	}
	if c.onNode {
		if config, err = c.boundToNode(t, ns); err != nil {
			return false, err
		}
	}
	config.Impersonate = c.as
	config.Impersonate.UserName = inPlace(c.as.UserName, ns)
	config.Impersonate.Groups = nil
	for _, group := range c.as.Groups {
		config.Impersonate.Groups = append(config.Impersonate.Groups, inPlace(group, ns))
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return false, err
	}
	if c.secrets {
		_, err = client.CoreV1().Secrets(ns).List(t.Context(), metav1.ListOptions{})
	} else {
		_, err = client.CoreV1().ConfigMaps(ns).List(t.Context(), metav1.ListOptions{})
	}
	if apierrors.IsForbidden(err) {
		return false, nil
	}
	return err == nil, err
}

// boundToNode is the account of a pod on node-1, by the token that the pod has.
func (c *impersonating) boundToNode(t *testing.T, ns string) (*rest.Config, error) {
	t.Helper()
	core := cp.Clientset().CoreV1()
	pod, err := core.Pods(ns).Get(t.Context(), "agent", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	token, err := core.ServiceAccounts(ns).CreateToken(t.Context(), "agent", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	config := rest.AnonymousClientConfig(cp.AdminConfig())
	config.BearerToken = token.Status.Token
	return config, nil
}
