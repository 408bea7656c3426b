// Package rbac resolves Kubernetes RBAC: who may do what in a namespace, by which
// path, and what somebody gains by a change. It is pure: it is fed with objects
// and asks nobody.
//
// A [Store] holds what exists, in indexes that a change touches only where it
// matters:
//
//	s := rbac.NewStore()
//	s.Set(obj)                     // *rbacv1.Role, ClusterRole, RoleBinding, ClusterRoleBinding
//	s.Delete(obj)
//	s.Replace("RoleBinding", list) // a whole kind, after a list or a relist
//
// It answers three questions.
//
//	s.Can(request)                              // the API server's answer, with every path
//	s.Holders(namespace, caps)                  // which subjects hold which capability
//	s.Gains(ctx, rbac.Change{…}, namespaces, caps)   // who gains which capability by a change
//
// A [Capability] is a set of verbs on resources under one name; [Compile] makes
// [Capabilities] of them once, and every later evaluation compares bits instead
// of strings. [RuleAllows] matches one rule with one request.
//
// # What matches
//
// Matching is the API server's, since Kubernetes 1.8: a resource is matched by
// `*` (subresources included), by its own name, or by `*/sub`; `pods/*` and `*/*`
// match nothing, and `pods` is not `pods/exec`. Groups and verbs are exact or
// `*`. Resource names: no names are all names; a name matches the requests that
// carry it.
//
// For [Store.Holders] and [Store.Gains] that means: get, update, patch, delete,
// every verb of a subresource, and verbs that no request over HTTP has
// (impersonate, bind, approve) are held for the named objects. List and watch
// are, too: they match when the client adds the field selector
// `metadata.name=x`, and still read the object. Create and deletecollection on a
// resource itself carry no name, so a rule with names does not give them. The one
// exception is a server-side apply, or a PUT where the resource allows that, of
// an object that is not there: it is asked for patch (or update) and for create,
// both with the name, so whoever holds patch on a name is already reported for
// patch. The name "" matches the requests without a name: create, and list,
// watch, deletecollection of everything.
//
// # Who
//
// A subject is compared as it is written, by kind and name; a ServiceAccount is
// also the user `system:serviceaccount:<namespace>:<name>`, written either way,
// and it holds what its groups hold: system:serviceaccounts,
// system:serviceaccounts:<namespace>, system:authenticated. A ServiceAccount
// without a namespace is one of its RoleBinding's namespace; in a
// ClusterRoleBinding it is nobody.
//
// # Aggregation
//
// The API server reads only the rules that the aggregation controller has filled
// in, and so does [Store.Can]. Everything else is evaluated as if the controller
// had run: a ClusterRole with an aggregationRule has its own rules and those of
// every ClusterRole that its selectors reach, through other aggregates too.
//
// # Cost
//
// A store is read as it was at the beginning of a question, without a lock. Gains are
// worked out once for all subjects to whom a change means the same, and once for all
// namespaces in which nothing special is held or given; what that takes is counted, and
// over the budget of package limit there is an error instead of an answer.
//
// # What is not certain
//
// A [Change] may be judged beside [Additions]: objects that may come to exist. They
// count after the change, united with what the store has under their names, and never
// before it. [Result.Depends] names those that had a say.
//
// # Sources
//
// Fields and their meaning: k8s.io/api/rbac/v1 (Kubernetes API
// rbac.authorization.k8s.io/v1). The module test/rbacdiff compares this package
// with the authorizer of kube-apiserver.
package rbac
