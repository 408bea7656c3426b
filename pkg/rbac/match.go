package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Attributes are what RBAC reads of a request, apart from who asks. The fields
// mean what those of `authorization.k8s.io/v1` SubjectAccessReview mean.
type Attributes struct {
	// Verb in lower case: a verb of the API (get, create, …), a verb that only
	// authorization knows (impersonate, bind, …), or an HTTP method for a
	// request that names no resource.
	Verb string
	// Namespace of the resource; empty for cluster-scoped resources and for a
	// list over all namespaces. A request for a Namespace object has that
	// namespace here.
	Namespace string
	// APIGroup of the resource; empty is the core group.
	APIGroup string
	// Resource in its plural form, without its subresource.
	Resource string
	// Subresource, such as exec; empty for the resource itself.
	Subresource string
	// Name of the object; empty for create, and for list and watch without a
	// field selector on metadata.name.
	Name string
	// NonResource is true for a request that names no resource, such as GET
	// /metrics. Then only Verb and Path count.
	NonResource bool
	// Path of a non-resource request.
	Path string
}

// RuleAllows reports whether one rule, of whatever role, allows a request. It is
// the API server's decision; whether the role applies to the one who asks, and in
// the request's namespace, is another question.
func RuleAllows(rule *rbacv1.PolicyRule, a Attributes) bool {
	if rule == nil || !verbMatches(rule.Verbs, a.Verb) {
		return false
	}
	if a.NonResource {
		return pathMatches(rule.NonResourceURLs, a.Path)
	}
	return exactOrAll(rule.APIGroups, rbacv1.APIGroupAll, a.APIGroup) &&
		resourceMatches(rule.Resources, a.Resource, a.Subresource) &&
		nameMatches(rule.ResourceNames, a.Name)
}

func verbMatches(verbs []string, verb string) bool {
	return exactOrAll(verbs, rbacv1.VerbAll, verb)
}

// exactOrAll reports whether the list holds what is wanted or the wildcard.
func exactOrAll(list []string, wildcard, wanted string) bool {
	for _, s := range list {
		if s == wildcard || s == wanted {
			return true
		}
	}
	return false
}

// resourceMatches compares without building "resource/subresource": it runs for
// every rule of every role.
func resourceMatches(list []string, resource, subresource string) bool {
	for _, s := range list {
		if s == rbacv1.ResourceAll {
			return true
		}
		if subresource == "" {
			if s == resource {
				return true
			}
			continue
		}
		if isJoined(s, resource, subresource) || isJoined(s, rbacv1.ResourceAll, subresource) {
			return true
		}
	}
	return false
}

// isJoined reports whether s is resource + "/" + subresource.
func isJoined(s, resource, subresource string) bool {
	return len(s) == len(resource)+1+len(subresource) &&
		s[:len(resource)] == resource && s[len(resource)] == '/' && s[len(resource)+1:] == subresource
}

func nameMatches(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name)
}

// pathMatches knows three forms: `*`, an exact path, and a prefix that ends in
// `*`. The API server strips every `*` at the end, so `/a/**` is `/a/*`.
func pathMatches(urls []string, path string) bool {
	for _, u := range urls {
		if u == rbacv1.NonResourceAll || u == path {
			return true
		}
		if strings.HasSuffix(u, "*") && strings.HasPrefix(path, strings.TrimRight(u, "*")) {
			return true
		}
	}
	return false
}
