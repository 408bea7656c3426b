package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rules"
)

func newAudit() *cobra.Command {
	o := &judgeOptions{}
	var (
		connect                connection
		namespaces, submitters []string
	)
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Judge everything that exists in a cluster",
		Long: "Judge the objects of a live cluster by the very rules of the webhook: what was there before emrguard, what came\n" +
			"while it was down, and what only a whole cluster shows: grants and the paths by which they are held, mutating\n" +
			"webhooks with the real labels of the namespaces, managed namespaces without a policy that shuts out IMDS.\n" +
			"Secrets are never read.\n\n" +
			"Of a workload, DENY (its Pods) says that the object is let in with a warning and that its Pods are refused. It\n" +
			"counts as denied.\n\n" +
			"Exit code 0 when nothing would be denied, 1 when something would (see --fail-on), 2 for bad usage, when something\n" +
			"could not be judged, or when there was nothing to judge (see --allow-empty).",
		Example: "  emrguard audit --config config.yaml\n" +
			"  emrguard audit -n emr-jobs -o json\n" +
			"  emrguard audit --submitter alice,data-scientists   # also asks the API server, which knows EKS access policies",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runAudit(cmd, o, connect, namespaces, submitters)
		},
	}
	o.addFlags(cmd)
	connect.addFlags(cmd)
	cmd.Flags().StringSliceVarP(&namespaces, "namespace", "n", nil, "judge only what is in these namespaces; without --config they are taken as managed")
	addSubmitterFlag(cmd, &submitters)
	return cmd
}

// maxFindings is how many findings an audit keeps; all are counted, and a note says
// how many are left out. Nobody reads more at a time, and -n shows them by namespace.
const maxFindings = 25_000

func runAudit(cmd *cobra.Command, o *judgeOptions, connect connection, namespaces, submitters []string) error {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	if _, err := report.ParseFormat(o.output); err != nil {
		return err
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	if o.configFile == "" {
		c.EMR.Namespaces = namespaces
	}
	e, err := newEngine(c)
	if err != nil {
		return err
	}
	client, err := connect.client("--kubeconfig, --context")
	if err != nil {
		return err
	}
	options := o.audit()
	options.MaxFindings = maxFindings
	progress, done := progressOn(cmd.ErrOrStderr())
	live := &audit.Live{
		Client: client.CoreV1().RESTClient(), Engine: e, Rules: rules.All(), Namespaces: namespaces, Progress: progress, Options: options,
	}
	r, err := live.Run(cmd.Context())
	done()
	if err != nil {
		return explainForbidden(err)
	}
	if err := live.Compare(cmd.Context(), client, submittersOf(e, submitters, true)); err != nil {
		return err
	}
	live.Conclude()
	return o.print(cmd.OutOrStdout(), r)
}

// explainForbidden says what an audit needs when somebody may not read something.
func explainForbidden(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if strings.Contains(err.Error(), "forbidden") {
		return fmt.Errorf("%w (an audit lists what the rules read, in the whole cluster: docs/audit.md has the ClusterRole)", err)
	}
	return err
}

// progressOn writes on one line of a terminal what is being read, and nothing where
// there is none.
func progressOn(w io.Writer) (progress func(string, int), done func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, func() {}
	}
	return func(resource string, judged int) {
			fmt.Fprintf(w, "\r\x1b[Kreading %s; %d objects judged", resource, judged)
		}, func() {
			fmt.Fprint(w, "\r\x1b[K")
		}
}

// connection says how a command reaches an API server.
type connection struct{ kubeconfig, context string }

func (c *connection) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig; empty for the usual places")
	cmd.Flags().StringVar(&c.context, "context", "", "context of the kubeconfig")
}

// client connects to the API server; flags are those that say which one.
func (c *connection) client(flags string) (kubernetes.Interface, error) {
	loading := clientcmd.NewDefaultClientConfigLoadingRules()
	loading.ExplicitPath = c.kubeconfig
	restConfig, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(loading, &clientcmd.ConfigOverrides{CurrentContext: c.context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the API server (%s): %w", flags, err)
	}
	restConfig.QPS = -1
	client, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return client, nil
}
