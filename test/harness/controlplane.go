package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// startTimeout is how long one part of the control plane may take to be ready.
// Two busy cores need most of it; an idle machine a tenth.
const startTimeout = 2 * time.Minute

// Options says what a control plane has beyond etcd and kube-apiserver.
type Options struct {
	// WithoutControllers leaves kube-controller-manager out: faster, but there
	// is no job controller, no default ServiceAccount, no aggregated ClusterRole
	// and no garbage collection.
	WithoutControllers bool
	// WithoutPodIdentity leaves out the stand-in of EKS's pod identity webhook.
	WithoutPodIdentity bool
	// StaticPolicies is a folder with ValidatingAdmissionPolicies that the API server
	// loads from files (KEP-5793), empty for none.
	StaticPolicies string
	// WebhookClient is the common name of a certificate, signed by the control plane's
	// CA, that the API server presents to validating webhooks; empty for none.
	WebhookClient string
	// Progress, when set, is told what is being started.
	Progress func(format string, args ...any)
}

// ControlPlane is a running etcd, kube-apiserver and kube-controller-manager.
type ControlPlane struct {
	// Dir is the temporary folder of all its files: certificates, kubeconfigs,
	// logs (*.log) and etcd's data. Stop removes it.
	Dir string
	// Kubectl is the path of the kubectl binary of the same version.
	Kubectl string
	// CA signs the certificates of the webhooks.
	CA *CA
	// PodIdentity is the stand-in of EKS's pod identity webhook, nil without it.
	PodIdentity *PodIdentityStandIn

	env       *envtest.Environment
	admin     *rest.Config
	clientset *kubernetes.Clientset
	mapper    meta.RESTMapper

	mu       sync.Mutex
	users    map[string]*rest.Config // by client certificate
	stopping []func() error          // in the order of starting
}

// Start starts a control plane. After an error nothing is left running. The
// context bounds the start only; Stop ends the control plane.
func Start(ctx context.Context, opts Options) (*ControlPlane, error) {
	if opts.Progress == nil {
		opts.Progress = func(string, ...any) {}
	}
	assets, err := Assets(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "emrguard-")
	if err != nil {
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	cp := &ControlPlane{
		Dir:     dir,
		Kubectl: filepath.Join(assets, "kubectl"),
		users:   map[string]*rest.Config{},
	}
	cp.onStop(func() error { return os.RemoveAll(dir) })
	if err := cp.start(ctx, assets, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), cp.Stop())
	}
	return cp, nil
}

// start starts the parts. What was started before an error is ended by Stop.
func (cp *ControlPlane) start(ctx context.Context, assets string, opts Options) error {
	reaper, err := startReaper(cp.Dir)
	if err != nil {
		return err
	}
	cp.onStop(reaper.stop)
	if cp.CA, err = NewCA(); err != nil {
		return err
	}
	opts.Progress("etcd and kube-apiserver")
	if err := cp.startAPIServer(assets, opts); err != nil {
		return err
	}
	if !opts.WithoutControllers {
		opts.Progress("kube-controller-manager")
		if err := cp.startControllerManager(ctx, filepath.Join(assets, "kube-controller-manager")); err != nil {
			return err
		}
	}
	if opts.WithoutPodIdentity {
		return nil
	}
	opts.Progress("stand-in of EKS's pod identity webhook")
	if cp.PodIdentity, err = startPodIdentity(ctx, cp); err != nil {
		return err
	}
	cp.onStop(cp.PodIdentity.stop)
	return nil
}

// Stop ends every process of the control plane in reverse order and removes its
// folder. It may be called more than once.
func (cp *ControlPlane) Stop() error {
	cp.mu.Lock()
	stopping := cp.stopping
	cp.stopping = nil
	cp.mu.Unlock()
	var errs []error
	for _, stop := range slices.Backward(stopping) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

func (cp *ControlPlane) onStop(stop func() error) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.stopping = append(cp.stopping, stop)
}

// auditPolicy records who changed what, with the annotations of the webhooks
// and without any content.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [get, list, watch]
- level: None
  resources:
  - group: coordination.k8s.io
  - group: ""
    resources: [events]
  - group: events.k8s.io
- level: Metadata
`

// The API server's AdmissionConfiguration: policies from a folder, and the client
// certificate for webhooks.
const (
	admissionConfiguration = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
`
	staticPolicies = `- name: ValidatingAdmissionPolicy
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: ValidatingAdmissionPolicyConfiguration
    staticManifestsDir: %q
`
	webhookClient = `- name: ValidatingAdmissionWebhook
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: WebhookAdmissionConfiguration
    kubeConfigFile: %q
`
)

// writeAdmission writes the AdmissionConfiguration, and returns its path, or "" when
// none is needed.
func (cp *ControlPlane) writeAdmission(opts Options) (string, error) {
	plugins := ""
	if opts.StaticPolicies != "" {
		plugins += fmt.Sprintf(staticPolicies, opts.StaticPolicies)
	}
	if opts.WebhookClient != "" {
		path := filepath.Join(cp.Dir, "webhook-client.kubeconfig")
		if err := cp.CA.writeClientKubeconfig(path, opts.WebhookClient); err != nil {
			return "", err
		}
		plugins += fmt.Sprintf(webhookClient, path)
	}
	if plugins == "" {
		return "", nil
	}
	path := filepath.Join(cp.Dir, "admission.yaml")
	return path, os.WriteFile(path, []byte(admissionConfiguration+plugins), 0o600)
}

// startAPIServer starts etcd and kube-apiserver.
func (cp *ControlPlane) startAPIServer(assets string, opts Options) error {
	certs := filepath.Join(cp.Dir, "apiserver")
	if err := os.Mkdir(certs, 0o700); err != nil {
		return err
	}
	policy := filepath.Join(cp.Dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	root, err := RepoRoot()
	if err != nil {
		return err
	}
	etcd, err := pidWrapper(cp.Dir, "etcd", filepath.Join(assets, "etcd"))
	if err != nil {
		return err
	}
	server, err := pidWrapper(cp.Dir, "kube-apiserver", filepath.Join(assets, "kube-apiserver"))
	if err != nil {
		return err
	}
	etcdLog, err := os.Create(filepath.Join(cp.Dir, "etcd.log"))
	if err != nil {
		return err
	}
	defer etcdLog.Close()
	serverLog, err := os.Create(filepath.Join(cp.Dir, "kube-apiserver.log"))
	if err != nil {
		return err
	}
	defer serverLog.Close()

	existing := false // whatever USE_EXISTING_CLUSTER says
	cp.env = &envtest.Environment{
		UseExistingCluster:       &existing,
		BinaryAssetsDirectory:    assets,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  stopTimeout,
		CRDDirectoryPaths:        []string{filepath.Join(root, "test", "harness", "crds")},
		ErrorIfCRDPathMissing:    true,
	}
	cp.env.ControlPlane.KubectlPath = cp.Kubectl
	cp.env.ControlPlane.Etcd = &envtest.Etcd{
		Path: etcd, DataDir: filepath.Join(cp.Dir, "etcd"), Out: etcdLog, Err: etcdLog,
	}
	apiserver := cp.env.ControlPlane.GetAPIServer()
	apiserver.Path, apiserver.CertDir, apiserver.Out, apiserver.Err = server, certs, serverLog, serverLog
	apiserver.Configure().
		// envtest turns ServiceAccount off, because its default ServiceAccounts
		// are missing; here kube-controller-manager makes them, and a Pod must
		// look as in a real cluster: account checked, token mounted.
		Disable("disable-admission-plugins").
		// As on EKS.
		Set("enable-admission-plugins", "NodeRestriction").
		Set("authorization-mode", "Node,RBAC").
		// An address for documentation, which nobody reaches: the default is the
		// machine's own, and a machine without a network has none. The loopback
		// address is refused.
		Set("advertise-address", "192.0.2.1").
		Set("audit-policy-file", policy).
		Set("audit-log-path", cp.auditLog())

	admission, err := cp.writeAdmission(opts)
	if err != nil {
		return err
	}
	if admission != "" {
		apiserver.Configure().Set("admission-control-config-file", admission)
	}
	if opts.StaticPolicies != "" {
		apiserver.Configure().Set("feature-gates", "ManifestBasedAdmissionControlConfig=true")
	}

	cp.onStop(cp.env.Stop)
	config, err := cp.env.Start()
	if err != nil {
		return fmt.Errorf("%w\nthe end of kube-apiserver's log:\n%s", err, tail(serverLog.Name(), 10))
	}
	// Server-side fairness is enough, and a client that throttles itself makes
	// every measured time a lie.
	config.QPS = -1
	cp.admin = config
	if cp.clientset, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	cp.mapper, err = apiutil.NewDynamicRESTMapper(config, httpClient)
	return err
}

// startControllerManager starts kube-controller-manager and waits until it has
// made the default ServiceAccount and aggregated the ClusterRoles.
func (cp *ControlPlane) startControllerManager(ctx context.Context, path string) error {
	config, err := cp.certConfig("system:kube-controller-manager")
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(cp.Dir, "kube-controller-manager.kubeconfig")
	if err := WriteKubeconfig(kubeconfig, config, ""); err != nil {
		return err
	}
	rootCA := filepath.Join(cp.Dir, "root-ca.crt")
	if err := os.WriteFile(rootCA, config.CAData, 0o600); err != nil {
		return err
	}
	signer := filepath.Join(cp.env.ControlPlane.APIServer.CertDir, "sa-signer.key")
	p, err := startProcess(cp.Dir, "kube-controller-manager", path, []string{
		"--kubeconfig=" + kubeconfig,
		// Every controller acts as its own ServiceAccount: Pods of a Job are
		// created by system:serviceaccount:kube-system:job-controller.
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + signer,
		"--root-ca-file=" + rootCA,
		"--leader-elect=false",
		"--kube-api-qps=200", "--kube-api-burst=400",
		// Nobody asks it for health or metrics: what it does shows that it is
		// ready, and no port can be taken.
		"--secure-port=0",
	}, nil)
	if err != nil {
		return err
	}
	cp.onStop(p.stop)
	return WaitFor(ctx, "kube-controller-manager", startTimeout, func(ctx context.Context) error {
		if err := p.exited(); err != nil {
			return fmt.Errorf("%w: %w", errGiveUp, err)
		}
		if _, err := cp.clientset.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		admin, err := cp.clientset.RbacV1().ClusterRoles().Get(ctx, "admin", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(admin.Rules) == 0 {
			return errors.New("the ClusterRole admin is not aggregated yet")
		}
		return nil
	})
}

// Version returns the version that the API server calls itself.
func (cp *ControlPlane) Version() (string, error) {
	info, err := cp.clientset.Discovery().ServerVersion()
	if err != nil {
		return "", fmt.Errorf("ask the API server for its version: %w", err)
	}
	return info.GitVersion, nil
}

// Clientset returns a client of the administrator (group system:masters).
func (cp *ControlPlane) Clientset() *kubernetes.Clientset { return cp.clientset }

// EnsureNamespace creates a namespace unless it exists, and waits for its
// default ServiceAccount, without which no Pod can be created in it.
func (cp *ControlPlane) EnsureNamespace(ctx context.Context, name string, labels map[string]string) error {
	ns := namespaceObject(name, labels)
	if _, err := cp.clientset.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return WaitFor(ctx, "the default ServiceAccount of namespace "+name, startTimeout, func(ctx context.Context) error {
		_, err := cp.clientset.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}
