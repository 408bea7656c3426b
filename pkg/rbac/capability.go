package rbac

// Scope says where requests for a resource are authorized, and so which bindings
// can grant them.
type Scope int

// The scopes of a [Target].
const (
	// Namespaced resources: a RoleBinding grants them in its namespace, a
	// ClusterRoleBinding everywhere.
	Namespaced Scope = iota
	// OwnNamespace is the Namespace object itself. Requests for one Namespace
	// are authorized inside of it, so a RoleBinding grants them for its own;
	// a rule with resource names counts when it names that namespace.
	OwnNamespace
	// Cluster-scoped resources: only a ClusterRoleBinding grants them.
	Cluster
)

// Target is what a [Capability] consists of: every verb on every resource of
// every group listed.
type Target struct {
	// APIGroups of the resources; "" is the core group, `*` any group.
	APIGroups []string
	// Resources: `pods`, `pods/exec`; `userextras/*` is any subresource of one
	// resource, and `*` any resource or subresource.
	Resources []string
	// Verbs: a verb, `*` for any verb, `impersonate-on:*` for any verb that
	// begins so.
	Verbs []string
	// Names of the objects that matter; empty when every object does.
	Names []string
	// Scope of the resources.
	Scope Scope
}

// Capability is something that a subject can be able to do, under one name.
type Capability struct {
	// ID names the capability in answers. It must be unique among those that
	// are compiled together.
	ID string
	// Targets: who holds any verb on any resource of any of them holds the
	// capability, at least in part.
	Targets []Target
}

// Permission is a set of verbs on one resource.
type Permission struct {
	// APIGroup of the resource; empty is the core group.
	APIGroup string
	// Resource with its subresource: `pods/exec`.
	Resource string
	// Verbs, in the order in which the capability lists them. A verb that ends
	// in `*` stands for every verb that it matches.
	Verbs []string
	// Names of the objects for which they are held, sorted; empty for every
	// object.
	Names []string
}

// Grant says what a subject holds, or gains, of one capability in one namespace.
// The grants of one answer share memory: do not change them.
type Grant struct {
	// Subject that holds it.
	Subject Subject
	// Namespace in which it is held; empty for cluster-scoped resources.
	Namespace string
	// Capability is the ID of the capability.
	Capability string
	// Permissions that are held of the capability, in its order.
	Permissions []Permission
	// Paths by which they are held, each of which gives at least one of them.
	Paths []Path
}

// Gain says what subjects gain of one capability in some namespaces. The gains of one
// answer share memory: do not change them.
type Gain struct {
	// Subjects that gain it, sorted.
	Subjects []Subject
	// Namespaces in which they gain it, sorted; one empty one for cluster-scoped
	// resources.
	Namespaces []string
	// Capability is the ID of the capability.
	Capability string
	// Permissions that are gained of the capability, in its order.
	Permissions []Permission

	mask *mask
	of   *gains
}

// Paths are ways by which one of the subjects gains it in one of the namespaces, up to
// a number.
func (g *Gain) Paths(subject Subject, namespace string, most int) []Path {
	return g.of.paths(subject, namespace, g.mask, most)
}

// Latent is a binding to a role that does not exist: it grants nothing until
// somebody creates the role, and everything that the role holds from then on.
type Latent struct {
	// Binding that names the role.
	Binding ObjectRef
	// Role that does not exist.
	Role ObjectRef
	// Subjects that the change binds to it.
	Subjects []Subject
}
