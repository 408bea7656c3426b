package rbacdiff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/rbac"
)

// The words of the random worlds: few, so that they meet often.
var (
	namespaces = []string{"ns1", "ns2", "ns3"}
	verbs      = []string{
		"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate",
		"impersonate:user-info", "impersonate-on:user-info:get", "impersonate-on:user-info:list", "use",
	}
	groups    = []string{"", "apps", "batch", "rbac.authorization.k8s.io"}
	resources = []string{"pods", "configmaps", "secrets", "deployments", "nodes", "namespaces", "roles", "exec", "userextras"}
	subs      = []string{"", "", "", "exec", "log", "proxy", "token", "scale", "x/y", "*"}
	names     = []string{"a", "b", "c:d", "*"}
	paths     = []string{"/", "/healthz", "/healthz/etcd", "/metrics", "/apis/apps/v1", "", "*", "/a*b"}
	ruleURLs  = []string{"*", "/", "/healthz", "/healthz/*", "/metrics*", "/apis/**", "", "/a*b", "/*"}

	roleNames = []string{"reader", "system:admin", "ROLE with space@x.y"}
	userNames = []string{"alice", "bob", "system:serviceaccount:ns1:sa1", "system:serviceaccount:ns2:sa1", "system:serviceaccount::sa1", "system:serviceaccount:ns1", ""}
	userGroup = []string{"team-a", "team-b", "system:serviceaccounts", "system:serviceaccounts:ns1", "system:serviceaccounts:ns2", "system:authenticated", "system:unauthenticated", ""}
	accounts  = []string{"sa1", "sa2", "s:a"}
	labelKeys = []string{"aggregate-to-admin", "aggregate-to-edit", "team"}
)

// world is everything that RBAC reads.
type world struct {
	Roles               []*rbacv1.Role               `json:"roles,omitempty"`
	ClusterRoles        []*rbacv1.ClusterRole        `json:"clusterRoles,omitempty"`
	RoleBindings        []*rbacv1.RoleBinding        `json:"roleBindings,omitempty"`
	ClusterRoleBindings []*rbacv1.ClusterRoleBinding `json:"clusterRoleBindings,omitempty"`
}

func (w *world) String() string {
	out, err := yaml.Marshal(w)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

func (w *world) objects() []runtime.Object {
	var out []runtime.Object
	for _, o := range w.Roles {
		out = append(out, o)
	}
	for _, o := range w.ClusterRoles {
		out = append(out, o)
	}
	for _, o := range w.RoleBindings {
		out = append(out, o)
	}
	for _, o := range w.ClusterRoleBindings {
		out = append(out, o)
	}
	return out
}

func (w *world) clone() *world {
	return &world{
		Roles:               slices.Clone(w.Roles),
		ClusterRoles:        slices.Clone(w.ClusterRoles),
		RoleBindings:        slices.Clone(w.RoleBindings),
		ClusterRoleBindings: slices.Clone(w.ClusterRoleBindings),
	}
}

// random makes worlds and requests.
type random struct{ *rand.Rand }

func seeded(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 0x656d72))} }

func one[T any](r random, list []T) T { return list[r.IntN(len(list))] }

// chance is true p times out of 100.
func (r random) chance(p int) bool { return r.IntN(100) < p }

// some returns up to n words of a list, seldom none.
func (r random) some(list []string, n int) []string {
	if r.chance(3) {
		return nil
	}
	out := make([]string, 1+r.IntN(n))
	for i := range out {
		out[i] = one(r, list)
	}
	return out
}

// wild is some, with a wildcard now and then.
func (r random) wild(list []string, n int) []string {
	out := r.some(list, n)
	if len(out) > 0 && r.chance(15) {
		out[r.IntN(len(out))] = "*"
	}
	return out
}

func (r random) ruleResource() string {
	switch {
	case r.chance(10):
		return "*"
	case r.chance(15):
		return "*/" + one(r, subs[3:])
	case r.chance(5):
		return one(r, []string{"*/*", "pods/*", "/", "", "*/", "/exec", "pods/", "**"})
	}
	return resource(one(r, resources), one(r, subs))
}

func resource(name, sub string) string {
	if sub == "" {
		return name
	}
	return name + "/" + sub
}

func (r random) rule() rbacv1.PolicyRule {
	if r.chance(12) {
		return rbacv1.PolicyRule{Verbs: r.wild([]string{"get", "post", "head", "list"}, 2), NonResourceURLs: r.some(ruleURLs, 2)}
	}
	rule := rbacv1.PolicyRule{Verbs: r.wild(verbs, 3), APIGroups: r.wild(groups, 2)}
	for range 1 + r.IntN(3) {
		rule.Resources = append(rule.Resources, r.ruleResource())
	}
	if r.chance(30) {
		rule.ResourceNames = r.some(append([]string{""}, names...), 2)
	}
	if r.chance(2) { // both kinds of rule in one, which validation refuses
		rule.NonResourceURLs = r.some(ruleURLs, 2)
	}
	return rule
}

func (r random) rules() []rbacv1.PolicyRule {
	if r.chance(5) {
		return nil
	}
	out := make([]rbacv1.PolicyRule, 1+r.IntN(4))
	for i := range out {
		out[i] = r.rule()
	}
	return out
}

func (r random) subject() rbacv1.Subject {
	switch n := r.IntN(100); {
	case n < 30:
		return rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: one(r, userNames)}
	case n < 60:
		return rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: one(r, userGroup)}
	case n < 95:
		return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: one(r, append([]string{"", ""}, namespaces...)), Name: one(r, accounts)}
	}
	return rbacv1.Subject{Kind: one(r, []string{"user", "", "Node"}), Namespace: one(r, namespaces), Name: one(r, userNames)}
}

func (r random) subjects() []rbacv1.Subject {
	out := make([]rbacv1.Subject, r.IntN(5))
	for i := range out {
		out[i] = r.subject()
	}
	return out
}

func (r random) roleRef() rbacv1.RoleRef {
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: one(r, []string{"Role", "ClusterRole", "ClusterRole"}), Name: one(r, roleNames)}
	switch {
	case r.chance(3):
		ref.APIGroup = "example.com"
	case r.chance(4):
		ref.Kind = one(r, []string{"role", "", "Group"})
	case r.chance(5):
		ref.Name = "missing"
	}
	return ref
}

func (r random) labels() map[string]string {
	if r.chance(40) {
		return nil
	}
	return map[string]string{one(r, labelKeys): one(r, []string{"true", "false"})}
}

func (r random) aggregationRule() *rbacv1.AggregationRule {
	rule := &rbacv1.AggregationRule{}
	for range 1 + r.IntN(2) {
		s := metav1.LabelSelector{MatchLabels: r.labels()}
		if r.chance(20) {
			s.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: one(r, labelKeys), Operator: metav1.LabelSelectorOpDoesNotExist}}
		}
		rule.ClusterRoleSelectors = append(rule.ClusterRoleSelectors, s)
	}
	return rule
}

func (r random) role(namespace, name string) *rbacv1.Role {
	return &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Rules: r.rules()}
}

func (r random) clusterRole(name string, aggregates bool) *rbacv1.ClusterRole {
	o := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if aggregates {
		o.Labels = r.labels()
		if r.chance(35) {
			o.AggregationRule = r.aggregationRule()
			return o
		}
	}
	o.Rules = r.rules()
	return o
}

func (r random) roleBinding(namespace, name string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, RoleRef: r.roleRef(), Subjects: r.subjects()}
}

func (r random) clusterRoleBinding(name string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: r.roleRef(), Subjects: r.subjects()}
}

// world makes a small world; some of what bindings name is missing in it.
func (r random) world(aggregates bool) *world {
	w := &world{}
	for _, name := range roleNames {
		if r.chance(85) {
			w.ClusterRoles = append(w.ClusterRoles, r.clusterRole(name, aggregates))
		}
		for _, ns := range namespaces[:2] {
			if r.chance(40) {
				w.Roles = append(w.Roles, r.role(ns, name))
			}
		}
	}
	for i := range r.IntN(9) {
		w.RoleBindings = append(w.RoleBindings, r.roleBinding(one(r, namespaces), fmt.Sprintf("rb%d", i)))
	}
	for i := range r.IntN(5) {
		w.ClusterRoleBindings = append(w.ClusterRoleBindings, r.clusterRoleBinding(fmt.Sprintf("crb%d", i)))
	}
	return w
}

func (r random) attributes() rbac.Attributes {
	if r.chance(12) {
		return rbac.Attributes{NonResource: true, Verb: one(r, []string{"get", "post", "list"}), Path: one(r, paths)}
	}
	a := rbac.Attributes{
		Verb: one(r, verbs), APIGroup: one(r, groups), Resource: one(r, resources), Subresource: one(r, subs),
		Namespace: one(r, append([]string{""}, namespaces...)), Name: one(r, append([]string{"", "z"}, names...)),
	}
	if r.chance(2) {
		a.Resource = "*"
	}
	return a
}

// request asks as a user, or as a ServiceAccount with its groups or without.
func (r random) request() rbac.Request {
	req := rbac.Request{Attributes: r.attributes(), User: one(r, userNames)}
	if r.chance(30) {
		req.User = serviceaccount.MakeUsername(one(r, namespaces), one(r, accounts))
	}
	if ns, _, err := serviceaccount.SplitUsername(req.User); err == nil && r.chance(50) {
		req.Groups = append(serviceaccount.MakeGroupNames(ns), "system:authenticated")
	} else if r.chance(70) {
		req.Groups = r.some(userGroup, 2)
	}
	return req
}

// near makes a request that a rule of the world might allow to somebody whom a
// binding names, so that the answer is often yes.
func (r random) near(w *world, req rbac.Request) rbac.Request {
	type bound struct {
		ref       rbacv1.RoleRef
		subjects  []rbacv1.Subject
		namespace string
	}
	var bindings []bound
	for _, b := range w.RoleBindings {
		bindings = append(bindings, bound{b.RoleRef, b.Subjects, b.Namespace})
	}
	for _, b := range w.ClusterRoleBindings {
		bindings = append(bindings, bound{b.RoleRef, b.Subjects, ""})
	}
	if len(bindings) == 0 {
		return req
	}
	b := one(r, bindings)
	if b.namespace != "" && r.chance(90) {
		req.Namespace = b.namespace
	}
	if len(b.subjects) > 0 {
		switch s := one(r, b.subjects); s.Kind {
		case rbacv1.UserKind:
			req.User = s.Name
		case rbacv1.GroupKind:
			req.Groups = append(req.Groups, s.Name)
		case rbacv1.ServiceAccountKind:
			ns := s.Namespace
			if ns == "" {
				ns = b.namespace
			}
			req.User = serviceaccount.MakeUsername(ns, s.Name)
		}
	}
	for _, o := range w.Roles {
		if b.ref.Kind == "Role" && o.Name == b.ref.Name && o.Namespace == b.namespace && len(o.Rules) > 0 {
			return r.fitting(one(r, o.Rules), req)
		}
	}
	for _, o := range w.ClusterRoles {
		if b.ref.Kind == "ClusterRole" && o.Name == b.ref.Name && len(o.Rules) > 0 {
			return r.fitting(one(r, o.Rules), req)
		}
	}
	return req
}

// fitting changes a request so that a rule nearly allows it.
func (r random) fitting(rule rbacv1.PolicyRule, req rbac.Request) rbac.Request {
	pick := func(list []string, now *string) {
		if len(list) > 0 {
			if s := one(r, list); s != "*" {
				*now = s
			}
		}
	}
	pick(rule.Verbs, &req.Verb)
	if req.NonResource = len(rule.NonResourceURLs) > 0; req.NonResource {
		pick(rule.NonResourceURLs, &req.Path)
		req.Path = strings.TrimSuffix(req.Path, "*")
		return req
	}
	pick(rule.APIGroups, &req.APIGroup)
	pick(rule.ResourceNames, &req.Name)
	both := resource(req.Resource, req.Subresource)
	pick(rule.Resources, &both)
	name, sub, _ := strings.Cut(both, "/")
	if name != "*" {
		req.Resource = name
	}
	req.Subresource = sub
	return req
}
