package rule

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Look is how a rule looks up what exists beside the object that it judges.
type Look string

// The ways to look something up.
const (
	// Watched kinds are kept in memory: a rule may ask about all of them at any time.
	Watched Look = "watched"
	// Got kinds are asked for one by one.
	Got Look = "got"
	// Listed kinds are listed: there are few of them.
	Listed Look = "listed"
	// GotOfRequester and ListedOfRequester are looked up only about what somebody asks
	// for: an audit, in which nobody asks, never does.
	GotOfRequester    Look = "got of requester"
	ListedOfRequester Look = "listed of requester"
	// KnownToAudits are kinds that the API server never sends to a webhook: only audits
	// and files know them, and what they list they may look up.
	KnownToAudits Look = "known to audits"
)

// Verbs are the verbs of RBAC that a look-up at admission takes.
func (l Look) Verbs() []string {
	switch l {
	case Watched:
		return []string{"get", "list", "watch"}
	case Got, GotOfRequester:
		return []string{"get"}
	case Listed, ListedOfRequester:
		return []string{"list"}
	case KnownToAudits:
	}
	return nil
}

// Read is a kind that a rule looks up. Watches, permissions, and what an audit lists
// follow from it.
type Read struct {
	schema.GroupResource
	Look Look
}

// Reads returns what is looked up in one way. Resources are written as kubectl writes
// them: "roles.rbac.authorization.k8s.io".
func Reads(look Look, resources ...string) []Read {
	list := make([]Read, 0, len(resources))
	for _, r := range resources {
		list = append(list, Read{schema.ParseGroupResource(r), look})
	}
	return list
}

// ReadsAccounts are what [Request.Account] and the like look up.
func ReadsAccounts() []Read { return Reads(Watched, "serviceaccounts") }

// ReadsNamespaces are what tells which namespaces are managed.
func ReadsNamespaces() []Read {
	return Reads(Watched, "namespaces", "serviceaccounts", "rolebindings.rbac.authorization.k8s.io")
}

// ReadsGrants are what [Cluster.Gains] looks up.
func ReadsGrants() []Read {
	return Reads(Watched, "roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
		"rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io")
}

// ReadsPlaces are what [Settings.PlaceOf] looks up.
func ReadsPlaces() []Read {
	return slices.Concat(Reads(Got, virtualClusters.String()), Reads(Listed, virtualClusters.String()))
}

// ReadsWorkloads are what runs as a ServiceAccount, or makes what does.
func ReadsWorkloads(look Look) []Read {
	return Reads(look, "pods", "podtemplates", "replicationcontrollers", "replicasets.apps", "deployments.apps", "statefulsets.apps", "daemonsets.apps",
		"jobs.batch", "cronjobs.batch", "sparkapplications.sparkoperator.k8s.io", "scheduledsparkapplications.sparkoperator.k8s.io", "sparkconnects.sparkoperator.k8s.io",
		"sparkapplications.spark.apache.org", "sparkclusters.spark.apache.org", "flinkdeployments.flink.apache.org", "flinkbluegreendeployments.flink.apache.org")
}
