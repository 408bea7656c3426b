package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/emrguard/emrguard/test/harness"
)

// TestBootstrapRolesAreNotRefused sends every role and binding that Kubernetes ships
// once more. Admission comes before the API server finds that the name is taken, so
// this is the only refusal that may come.
func TestBootstrapRolesAreNotRefused(t *testing.T) {
	t.Parallel()
	reader, err := client.New(cp.AdminConfig(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	admin, sent := administrator(t), 0
	for _, list := range []client.ObjectList{&rbacv1.ClusterRoleList{}, &rbacv1.ClusterRoleBindingList{}, &rbacv1.RoleList{}, &rbacv1.RoleBindingList{}} {
		if err := reader.List(t.Context(), list, client.MatchingLabels{"kubernetes.io/bootstrapping": "rbac-defaults"}); err != nil {
			t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			obj, err := harness.FromObject(shipped(t, item))
			if err != nil {
				t.Fatal(err)
			}
			// Others of this cluster are bound to these, for whom they are refused.
			if obj.GetKind() == "ClusterRole" && !strings.HasPrefix(obj.GetName(), "system:") {
				continue
			}
			a, _ := admin.Create(t.Context(), obj, harness.DryRun)
			if !apierrors.IsAlreadyExists(a.Err) {
				t.Errorf("%s %s/%s: %s", obj.GetKind(), obj.GetNamespace(), obj.GetName(), a)
			}
			sent++
		}
	}
	if sent < 100 {
		t.Errorf("only %d objects were sent", sent)
	}
}

// shipped is an object as it would be created: of a kind, and without what the API
// server writes.
func shipped(t *testing.T, obj runtime.Object) client.Object {
	t.Helper()
	o, ok := obj.(client.Object)
	kinds, _, err := scheme.Scheme.ObjectKinds(obj)
	if !ok || err != nil {
		t.Fatalf("a list holds a %T: %v", obj, err)
	}
	o.SetResourceVersion("")
	o.SetUID("")
	o.SetManagedFields(nil)
	o.SetCreationTimestamp(metav1.Time{})
	o.GetObjectKind().SetGroupVersionKind(kinds[0])
	return o
}

// TestEksctlMayMapEMR: an administrator who lets eksctl map EMR into a namespace is not
// refused.
func TestEksctlMayMapEMR(t *testing.T) {
	t.Parallel()
	const ns = "eksctl-maps"
	namespace(t, ns, managed())
	root, err := harness.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := harness.ReadManifests(os.DirFS(filepath.Join(root, "test", "harness")), "rbac.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, obj := range objects {
		if obj.GetName() != "emr-containers" {
			continue
		}
		harness.InNamespace(obj, ns)
		a, _ := administrator(t).Create(t.Context(), obj)
		if a.Verdict != harness.Allowed {
			t.Errorf("%s %s: %s", obj.GetKind(), obj.GetName(), a)
		}
		sent++
	}
	if sent != 2 {
		t.Errorf("%d objects of EMR were sent, want its Role and its RoleBinding", sent)
	}
}
