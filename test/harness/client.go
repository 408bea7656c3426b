package harness

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Client sends requests as one requester and classifies the answers.
type Client struct {
	cp     *ControlPlane
	config *rest.Config
	http   *http.Client
}

// Client returns a client for a configuration of this control plane.
func (cp *ControlPlane) Client(config *rest.Config) (*Client, error) {
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &Client{cp: cp, config: config, http: httpClient}, nil
}

// Admin returns a client of the administrator.
func (cp *ControlPlane) Admin() (*Client, error) { return cp.Client(cp.AdminConfig()) }

// As returns a client that acts as user by impersonation; a ServiceAccount gets
// the groups of its token.
func (cp *ControlPlane) As(user string, groups ...string) (*Client, error) {
	return cp.Client(cp.ImpersonationConfig(user, groups...))
}

// User returns a client with a client certificate of its own.
func (cp *ControlPlane) User(name string, groups ...string) (*Client, error) {
	config, err := cp.UserConfig(name, groups...)
	if err != nil {
		return nil, err
	}
	return cp.Client(config)
}

// WithGroups returns a client that impersonates its own user with further
// groups, as `kubectl --as=<me> --as-group=<group>` does. RBAC decides whether
// it may.
func (c *Client) WithGroups(user string, groups ...string) (*Client, error) {
	config := rest.CopyConfig(c.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: groups}
	return c.cp.Client(config)
}

// Option changes one request.
type Option func(*request)

type request struct {
	dryRun       []string
	subresources []string
	propagation  *metav1.DeletionPropagation
}

// DryRun asks the API server to do everything but store the result.
func DryRun(r *request) { r.dryRun = []string{metav1.DryRunAll} }

// Background deletes the dependents in the background, as kubectl does.
func Background(r *request) {
	policy := metav1.DeletePropagationBackground
	r.propagation = &policy
}

// Foreground deletes the dependents first, so that they are gone when the object
// is.
func Foreground(r *request) {
	policy := metav1.DeletePropagationForeground
	r.propagation = &policy
}

// Subresource sends the request to a subresource.
func Subresource(name string) Option {
	return func(r *request) { r.subresources = []string{name} }
}

// Create creates an object. The object itself is not changed; the stored one is
// in the result, nil when the request was refused.
func (c *Client) Create(ctx context.Context, obj *unstructured.Unstructured, opts ...Option) (Answer, *unstructured.Unstructured) {
	return c.do(obj, opts, func(api dynamic.ResourceInterface, r request) (*unstructured.Unstructured, error) {
		return api.Create(ctx, obj, metav1.CreateOptions{DryRun: r.dryRun}, r.subresources...)
	})
}

// Update replaces an object.
func (c *Client) Update(ctx context.Context, obj *unstructured.Unstructured, opts ...Option) (Answer, *unstructured.Unstructured) {
	return c.do(obj, opts, func(api dynamic.ResourceInterface, r request) (*unstructured.Unstructured, error) {
		return api.Update(ctx, obj, metav1.UpdateOptions{DryRun: r.dryRun}, r.subresources...)
	})
}

// Patch patches the object that has obj's kind, namespace and name. The patch is
// JSON or YAML for types.MergePatchType and types.StrategicMergePatchType, JSON
// for types.JSONPatchType.
func (c *Client) Patch(ctx context.Context, obj *unstructured.Unstructured, kind types.PatchType, patch string, opts ...Option) (Answer, *unstructured.Unstructured) {
	return c.do(obj, opts, func(api dynamic.ResourceInterface, r request) (*unstructured.Unstructured, error) {
		data, err := patchJSON(patch)
		if err != nil {
			return nil, err
		}
		return api.Patch(ctx, obj.GetName(), kind, data, metav1.PatchOptions{DryRun: r.dryRun}, r.subresources...)
	})
}

// Delete deletes the object that has obj's kind, namespace and name.
func (c *Client) Delete(ctx context.Context, obj *unstructured.Unstructured, opts ...Option) Answer {
	a, _ := c.do(obj, opts, func(api dynamic.ResourceInterface, r request) (*unstructured.Unstructured, error) {
		return nil, api.Delete(ctx, obj.GetName(), metav1.DeleteOptions{DryRun: r.dryRun, PropagationPolicy: r.propagation}, r.subresources...)
	})
	return a
}

// Get reads the object that has obj's kind, namespace and name.
func (c *Client) Get(ctx context.Context, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	api, err := c.resource(obj, rest.NoWarnings{})
	if err != nil {
		return nil, err
	}
	return api.Get(ctx, obj.GetName(), metav1.GetOptions{})
}

// CreateAll creates every object and returns the first answer that is not a
// success, or the last one.
func (c *Client) CreateAll(ctx context.Context, objects []*unstructured.Unstructured, opts ...Option) Answer {
	all := Answer{Verdict: Allowed}
	for _, obj := range objects {
		a, _ := c.Create(ctx, obj, opts...)
		a.Warnings = slices.Concat(all.Warnings, a.Warnings)
		if !a.Done() {
			return a
		}
		if all = a; len(a.Warnings) > 0 {
			all.Verdict = Warned
		}
	}
	return all
}

func (c *Client) do(obj *unstructured.Unstructured, opts []Option, send func(dynamic.ResourceInterface, request) (*unstructured.Unstructured, error)) (Answer, *unstructured.Unstructured) {
	var r request
	for _, opt := range opts {
		opt(&r)
	}
	// The warnings of a response reach the handler of the client that sent the
	// request, so every request has a client of its own on the same connection.
	warnings := &warningRecorder{}
	api, err := c.resource(obj, warnings)
	if err != nil {
		return Classify(err, nil), nil
	}
	result, err := send(api, r)
	if err != nil {
		result = nil
	}
	return Classify(err, warnings.texts()), result
}

func (c *Client) resource(obj *unstructured.Unstructured, warnings rest.WarningHandler) (dynamic.ResourceInterface, error) {
	gvk := obj.GroupVersionKind()
	mapping, err := c.cp.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, fmt.Errorf("find the resource of %s: %w", gvk, err)
	}
	config := rest.CopyConfig(c.config)
	config.WarningHandler = warnings
	api, err := dynamic.NewForConfigAndClient(config, c.http)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if obj.GetNamespace() == "" {
		return api.Resource(mapping.Resource), nil
	}
	return api.Resource(mapping.Resource).Namespace(obj.GetNamespace()), nil
}

// warningRecorder keeps the warnings of one request.
type warningRecorder struct {
	mu   sync.Mutex
	list []string
}

// HandleWarningHeader implements rest.WarningHandler. Code 299 is the only one
// that the API server sends warnings for people with.
func (w *warningRecorder) HandleWarningHeader(code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, text)
}

func (w *warningRecorder) texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

// RunKubectl runs the control plane's kubectl as the owner of a configuration,
// with the given default namespace, and classifies the outcome.
func (c *Client) RunKubectl(ctx context.Context, namespace string, args ...string) (answer Answer, stdout string) {
	dir, err := os.MkdirTemp(c.cp.Dir, "kubectl-")
	if err != nil {
		return Answer{Verdict: Failed, Message: err.Error(), Err: err}, ""
	}
	defer func() { _ = os.RemoveAll(dir) }() // in the temporary folder
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := WriteKubeconfig(kubeconfig, c.config, namespace); err != nil {
		return Answer{Verdict: Failed, Message: err.Error(), Err: err}, ""
	}
	cmd := exec.CommandContext(ctx, c.cp.Kubectl, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HOME="+dir)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return ClassifyKubectl(err, errOut.String()), strings.TrimSpace(out.String())
}
