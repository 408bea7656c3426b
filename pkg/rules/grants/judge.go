package grants

import (
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/emrguard/emrguard/pkg/rbac"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
)

// family is what the rules on RBAC share: what they read of the settings, and the
// evaluation of a change, which is made once for all of them.
type family struct {
	settings     rule.Settings
	capabilities *rbac.Capabilities
	// guarded are the namespaces that rbac-guard-namespaces looks at, own those of
	// them that are emrguard's.
	guarded, own []string
}

const grantKey = "rbac-grants"

// familyOf reads the settings. The rules of an engine share it.
func familyOf(s rule.Settings) (*family, error) {
	list, err := capability.Forbidden(s)
	if err != nil {
		return nil, err
	}
	list = append(list, capability.Guards()...)
	caps, err := rbac.Compile(list...)
	if err != nil {
		return nil, rule.ParameterError(capability.PodCreate, err)
	}
	own, err := ownNamespaces(s)
	if err != nil {
		return nil, err
	}
	return &family{settings: s, capabilities: caps, guarded: append([]string{metav1.NamespaceSystem}, own...), own: own}, nil
}

// result evaluates the change, once for a request.
func (f *family) result(ctx context.Context, r *rule.Request) (map[string][]rule.Finding, error) {
	v, err := r.Once(grantKey, func() (any, error) { return f.evaluate(ctx, r) })
	if err != nil {
		return nil, err
	}
	found, ok := v.(map[string][]rule.Finding)
	if !ok {
		return nil, errors.New("the evaluation of RBAC is of another type")
	}
	return found, nil
}

func (f *family) evaluate(ctx context.Context, r *rule.Request) (any, error) {
	change := rbac.Change{}
	if change.New = r.Object.RBAC(); change.New == nil {
		return nil, fmt.Errorf("%s is no object of RBAC", r.Object.GVK.Kind)
	}
	if r.Old != nil {
		if change.Old = r.Old.RBAC(); change.Old == nil {
			return nil, fmt.Errorf("the old %s is no object of RBAC", r.Old.GVK.Kind)
		}
	}
	// What is in a namespace grants there; what has none may grant in all.
	managed := []string{r.Namespace}
	switch guards := slices.Contains(f.guarded, r.Namespace); {
	case r.Namespace == "":
		if managed = r.ManagedNamespaces(); len(managed) == 0 {
			return map[string][]rule.Finding{}, nil // nothing here is EMR's
		}
	case !r.Managed && !guards:
		return map[string][]rule.Finding{}, nil
	case !r.Managed:
		managed = nil
	}
	asked := managed
	if r.Namespace == "" || len(managed) == 0 {
		asked = slices.Concat(managed, f.guardsOf(r))
	}
	result, err := r.Cluster.Gains(ctx, change, asked, f.capabilities)
	if err != nil {
		return nil, fmt.Errorf("evaluate the grant: %w", err)
	}
	e := &evaluation{family: f, r: r, managed: managed, managedBy: map[string]bool{}, sorted: map[*rbac.Subject][]crowd{}, names: map[rbac.Subject]string{}}
	for i := range result.Gains {
		e.add(&result.Gains[i])
	}
	found := e.findings()
	for _, l := range result.Latent {
		found[capability.LatentGrant] = append(found[capability.LatentGrant], e.latent(l)...)
	}
	return found, nil
}

// guardsOf are the guarded namespaces in which a change may grant something.
func (f *family) guardsOf(r *rule.Request) []string {
	if r.Namespace == "" {
		return f.guarded
	}
	return []string{r.Namespace}
}
