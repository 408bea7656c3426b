package rule

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/object/podspec"
	"github.com/emrguard/emrguard/pkg/rbac"
)

// Class says as what somebody acts in a namespace.
type Class string

// The classes of requesters.
const (
	EMRService    Class = "emr-service"   // EMR itself, and the configured operators
	JobAccount    Class = "job-account"   // a job account of the namespace (emr.JobAccounts): untrusted code
	Administrator Class = "administrator" // configured users and groups
	Controller    Class = "controller"    // an account of the kube-controller-manager
	Submitter     Class = "submitter"     // everybody else
	// Nobody asks: the object exists already, or stands in a file.
	Nobody Class = "nobody"
)

// Requester is who asks.
type Requester struct {
	// User is the Kubernetes user name.
	User string
	// Groups of the user.
	Groups []string
	// Class is as what the user acts in the request's namespace.
	Class Class
	// Account is what the name says, for a JobAccount.
	Account emr.Account
	// BreakGlass is true for a member of a break-glass group.
	BreakGlass bool
}

// Untrusted reports whether the requester is somebody against whom the guide
// protects EMR's objects: a submitter or a job account.
func (r Requester) Untrusted() bool { return r.Class == Submitter || r.Class == JobAccount }

// Request is what a rule judges: one operation on one object, with its facts.
type Request struct {
	Operation Operation
	// Resource that the request names, and its Subresource, "" for none.
	Resource    schema.GroupResource
	Subresource string
	// Namespace of the object; for a Namespace its own name; empty for other
	// cluster-scoped objects.
	Namespace string
	// Name of the object, empty when the API server will generate it.
	Name string
	// Managed is true when the namespace is EMR's.
	Managed bool
	// DryRun is true for a server-side dry run. Rules judge it like any other.
	DryRun bool
	// File is true when the object stands in a file: no mutating webhook has seen
	// it, and what it refers to may stand elsewhere.
	File bool
	// Requester is who asks.
	Requester Requester
	// Object as the request wants it to be, or as it is for DELETE.
	Object *object.Object
	// Old is the object before an UPDATE, nil otherwise.
	Old *object.Object
	// Cluster answers what else exists.
	Cluster Cluster
	// ManagedNamespaces lists the namespaces that are EMR's, and IsManaged tells of
	// one. They are functions because few rules ask.
	ManagedNamespaces func() []string
	IsManaged         func(namespace string) bool
	once              map[string]onceResult
}

type onceResult struct {
	value any
	err   error
}

// Once computes something for a request that several rules need. A request is
// judged by one goroutine.
func (r *Request) Once(key string, compute func() (any, error)) (any, error) {
	if done, ok := r.once[key]; ok {
		return done.value, done.err
	}
	v, err := compute()
	if r.once == nil {
		r.once = map[string]onceResult{}
	}
	r.once[key] = onceResult{v, err}
	return v, err
}

// ForgetComputed drops what Once has computed, for a copy of a request that asks about
// another namespace.
func (r *Request) ForgetComputed() { r.once = nil }

// Existing reports whether nobody asks: the object exists already, or stands in a file.
func (r *Request) Existing() bool { return r.Requester.Class == Nobody }

// IsPod reports whether the object is a Pod itself, as it will run, not
// something from which Pods are made later.
func (r *Request) IsPod() bool { return r.Resource.Group == "" && r.Resource.Resource == "pods" }

// IsWorkload reports whether the object is one from which somebody else makes Pods
// later: a workload or a custom resource.
func (r *Request) IsWorkload() bool {
	res, ok := object.Find(r.Resource)
	return ok && res.Workload
}

// ServiceAccount is what rules know of a ServiceAccount.
type ServiceAccount struct {
	Namespace, Name string
	// RoleARN is the annotation eks.amazonaws.com/role-arn, empty when unset.
	RoleARN string
	// Audience is the annotation eks.amazonaws.com/audience: whom the token of IRSA is
	// for. Empty when unset, which means STS.
	Audience string
	// Role that the annotation or the managed name stands for, zero when neither
	// names one. It is read once, not for every request that lists the account.
	Role emr.Role
}

// ServiceAccountOf returns an account with what its annotations say.
func ServiceAccountOf(namespace, name string, annotations map[string]string) ServiceAccount {
	sa := NewServiceAccount(namespace, name, annotations[emr.AnnotationRoleARN])
	sa.Audience = annotations[emr.AnnotationAudience]
	return sa
}

// NewServiceAccount returns an account with its role. roleARN is the annotation.
func NewServiceAccount(namespace, name, roleARN string) ServiceAccount {
	role, _ := emr.RoleOf(name, roleARN)
	return ServiceAccount{Namespace: namespace, Name: name, RoleARN: roleARN, Role: role}
}

// ErrNotFound says that the object surely does not exist: a live look-up said
// so, not only a cache that may be behind.
var ErrNotFound = errors.New("not found")

// LookupError says that the API server did not answer a look-up. It is nobody's fault
// who asks, in contrast to a [limit.Exceeded], so that what follows is for the
// configuration to say.
type LookupError struct{ Err error }

// Error says what the API server did instead.
func (e *LookupError) Error() string { return fmt.Sprintf("ask the API server: %v", e.Err) }

// Unwrap returns the cause.
func (e *LookupError) Unwrap() error { return e.Err }

// Cluster answers what exists beside the object that is judged. It is read
// only. Errors other than ErrNotFound mean that the answer is not known.
type Cluster interface {
	// ServiceAccount returns the account, or ErrNotFound.
	ServiceAccount(ctx context.Context, namespace, name string) (ServiceAccount, error)
	// Gains says who gains which of the capabilities in which of the namespaces by
	// a change of RBAC.
	Gains(ctx context.Context, change rbac.Change, namespaces []string, c *rbac.Capabilities) (rbac.Result, error)
	// ServiceAccounts returns the accounts of a namespace that are known.
	ServiceAccounts(ctx context.Context, namespace string) ([]ServiceAccount, error)
	// RoleNamespaces returns the namespaces that have an account of the role, sorted.
	RoleNamespaces(ctx context.Context, role emr.Role) ([]string, error)
	// Namespace returns the labels of a namespace, or ErrNotFound.
	Namespace(ctx context.Context, name string) (labels.Set, error)
	// Object returns an object of a resource that package object can read, or
	// ErrNotFound, also when the cluster has no such resource.
	Object(ctx context.Context, resource schema.GroupResource, namespace, name string) (*object.Object, error)
	// Users returns what runs, or makes pods that run, as an account of a namespace, as
	// "Deployment etl"; without what another one of them makes. It looks at a bounded
	// number of objects: all is false when there are more.
	Users(ctx context.Context, namespace, account string) (users []string, all bool, err error)
	// Objects returns all objects of a resource in a namespace, or with "" in the
	// whole cluster. It is for resources of which there are few.
	Objects(ctx context.Context, resource schema.GroupResource, namespace string) ([]*object.Object, error)
}

// Account returns what is known of the account that a pod runs as. An account
// that does not exist is one without a role: nobody can run a pod with it.
func (r *Request) Account(ctx context.Context, p *podspec.Pod) (ServiceAccount, error) {
	name := p.ServiceAccountName()
	if name == "" {
		return ServiceAccount{Namespace: r.Namespace}, nil
	}
	sa, _, err := r.AccountNamed(ctx, name)
	return sa, err
}

// AccountNamed returns what is known of an account of the request's namespace, and
// whether it exists.
func (r *Request) AccountNamed(ctx context.Context, name string) (sa ServiceAccount, exists bool, err error) {
	found, err := r.Cluster.ServiceAccount(ctx, r.Namespace, name)
	switch {
	case err == nil:
		return found, true, nil
	case errors.Is(err, ErrNotFound):
		return NewServiceAccount(r.Namespace, name, ""), false, nil
	}
	return NewServiceAccount(r.Namespace, name, ""), false, fmt.Errorf("look up ServiceAccount %s/%s: %w", r.Namespace, name, err)
}
