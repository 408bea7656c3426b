package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/manifest"
	"github.com/emrguard/emrguard/pkg/report"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// judgeOptions are what `check` and `audit` have in common.
type judgeOptions struct {
	configFile, mode, user, output, color, failOn string
	groups, rules                                 []string
	allowEmpty                                    bool
	raise                                         bool // by --mode deny
}

func (o *judgeOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.configFile, "config", "", "configuration file, as the webhook reads it")
	f.StringVar(&o.mode, "mode", "", "instead of the mode of the configuration: enforce has each rule do what it does by itself, "+
		"deny also makes denials of all warnings, warn denies nothing, audit only records")
	f.StringVar(&o.failOn, "fail-on", "deny", "what makes the exit code 1: deny, warn (denials and warnings) or none")
	f.BoolVar(&o.allowEmpty, "allow-empty", false, "exit code 0 when there is nothing to judge")
	f.StringSliceVar(&o.rules, "rules", nil, "ask only these rules")
	f.StringVar(&o.user, "as", "", "judge also who asks: as if this user created every object")
	f.StringSliceVar(&o.groups, "as-group", nil, "groups of that user")
	f.StringVarP(&o.output, "output", "o", "text", "text, json, sarif or junit")
	f.StringVar(&o.color, "color", "auto", "auto, always or never")
}

// config reads the configuration, with the mode of the command line.
func (o *judgeOptions) config() (*config.Guard, error) {
	c := config.Default()
	if o.configFile != "" {
		var err error
		if c, err = config.Load(o.configFile); err != nil {
			return nil, err
		}
	}
	switch o.mode {
	case "":
	case "enforce", "deny":
		c.Mode, o.raise = "", o.mode == "deny"
	case "warn", "audit":
		c.Mode = rule.Action(o.mode)
	default:
		return nil, fmt.Errorf("--mode %q is none of enforce, deny, warn, audit", o.mode)
	}
	if !slices.Contains([]string{"deny", "warn", "none"}, o.failOn) {
		return nil, fmt.Errorf("--fail-on %q is none of deny, warn, none", o.failOn)
	}
	if o.user == "" && len(o.groups) > 0 {
		return nil, errors.New("--as-group needs --as")
	}
	return c, nil
}

func (o *judgeOptions) audit() audit.Options {
	failOn := rule.Action(o.failOn)
	if o.failOn == "none" {
		failOn = rule.Off
	}
	return audit.Options{
		User: o.user, Groups: groupsOf(o.user, o.groups), Rules: o.rules, Tool: buildVersion(),
		RefuseEmpty: !o.allowEmpty, RaiseWarnings: o.raise, FailOn: failOn,
	}
}

// groupsOf adds the groups that every authenticated user is in.
func groupsOf(user string, groups []string) []string {
	if user == "" {
		return nil
	}
	if rest, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		namespace, _, _ := strings.Cut(rest, ":")
		groups = append(slices.Clone(groups), "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	}
	return append(slices.Clone(groups), "system:authenticated")
}

func newEngine(c *config.Guard) (*engine.Engine, error) {
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return e, nil
}

// print writes the report and turns it into an exit code.
func (o *judgeOptions) print(out io.Writer, r *report.Report) error {
	format, err := report.ParseFormat(o.output)
	if err != nil {
		return err
	}
	options, err := o.writeOptions(out)
	if err != nil {
		return err
	}
	if err := r.Write(out, format, options); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	switch r.ExitCode() {
	case exitOK:
		return nil
	case exitFailed:
		return errNo
	}
	return errBad
}

func (o *judgeOptions) writeOptions(out io.Writer) (report.Options, error) {
	file, isFile := out.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd()))
	options := report.Options{}
	switch o.color {
	case "auto":
		options.Color = terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	case "always":
		options.Color = true
	case "never":
	default:
		return options, fmt.Errorf("--color %q is none of auto, always, never", o.color)
	}
	if terminal {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			options.Width = width
		}
	}
	return options, nil
}

func newCheck() *cobra.Command {
	o := &judgeOptions{}
	in := &checkInput{}
	cmd := &cobra.Command{
		Use:   "check [FILE|FOLDER|-]...",
		Short: "Judge manifests, before they reach a cluster",
		Long: "Judge the objects of files, folders (everything below that ends in .yaml, .yml or .json) or standard input (-)\n" +
			"by the very rules of the webhook. Relations between the objects (a pod and its account, a binding and its role)\n" +
			"are resolved inside the input.\n\n" +
			"The configuration says which namespaces are EMR's; without --config every namespace of the input is, and that of\n" +
			"-n. Who will apply the objects is not known from files: --as judges that as well. The roles and bindings that\n" +
			"every cluster has (edit, cluster-admin, system:*) are known; what the input defines under their names wins.\n\n" +
			"Of a workload, and of a custom resource from which Pods are made, DENY (its Pods) says that the object itself is\n" +
			"let in with a warning and that its Pods will be refused. It counts as denied.\n\n" +
			"Exit code 0 when nothing would be denied, 1 when something would (see --fail-on), 2 for bad usage, for input that\n" +
			"cannot be read, or when there was nothing to judge (see --allow-empty).",
		Example: "  emrguard check manifests/\n" +
			"  helm template spark ./chart | emrguard check --config config.yaml --namespace emr-jobs -\n" +
			"  kustomize build overlays/prod | emrguard check -o sarif - > emrguard.sarif\n" +
			"  emrguard check --as alice --as-group data-scientists job.yaml\n" +
			"  emrguard check -n emr-jobs -f cluster-roles.yaml   # cluster-scoped objects alone: -n names the managed namespace\n" +
			"  aws iam get-account-authorization-details | emrguard check --iam -",
		RunE: func(cmd *cobra.Command, args []string) error {
			in.paths = append(in.paths, args...)
			return runCheck(cmd, o, in)
		},
	}
	o.addFlags(cmd)
	cmd.Flags().StringSliceVarP(&in.paths, "filename", "f", nil, "files, folders or - for standard input, like the arguments")
	cmd.Flags().StringVarP(&in.namespace, "namespace", "n", "", "namespace of objects that name none (default \"default\"); without --config it is taken as managed")
	cmd.Flags().StringSliceVar(&in.iam, "iam", nil, "judge the execution roles in the JSON of `aws iam get-account-authorization-details`; - for standard input")
	addDefaultsFlag(cmd, &in.withoutDefaults)
	return cmd
}

// checkInput is what `check` reads.
type checkInput struct {
	paths, iam      []string
	namespace       string
	withoutDefaults bool
}

func addDefaultsFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "without-defaults", false, "leave out the roles and bindings that every cluster has")
}

// gcPercent has the garbage collector run early: what these commands hold is mostly
// what they have found, and machines of pipelines are small.
const gcPercent = 20

func runCheck(cmd *cobra.Command, o *judgeOptions, from *checkInput) error {
	if len(from.paths) == 0 && len(from.iam) == 0 {
		return errors.New("name the files or folders to check, or - for standard input")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	if _, err := report.ParseFormat(o.output); err != nil {
		return err
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	in, err := manifest.Read(from.paths, cmd.InOrStdin())
	if err != nil {
		return err
	}
	files := audit.ReadFiles(in, from.namespace)
	for _, name := range from.iam {
		if err := addRoles(files, name, cmd.InOrStdin()); err != nil {
			return err
		}
	}
	if o.configFile == "" {
		c.EMR.Namespaces = files.Namespaces
		if from.namespace != "" && !slices.Contains(c.EMR.Namespaces, from.namespace) {
			c.EMR.Namespaces = append(slices.Clone(c.EMR.Namespaces), from.namespace)
		}
	}
	e, err := newEngine(c)
	if err != nil {
		return err
	}
	options := o.audit()
	options.WithoutDefaults = from.withoutDefaults
	r, err := files.Judge(cmd.Context(), c, e, rules.All(), options)
	if err != nil {
		return err
	}
	if o.configFile == "" && len(r.Findings) > 0 && len(files.Namespaces) > 0 {
		r.Notes = append(r.Notes, "There is no --config, so every namespace of the input was judged as EMR's.")
	}
	return o.print(cmd.OutOrStdout(), r)
}

// addRoles reads the IAM roles of an account.
func addRoles(files *audit.Files, name string, stdin io.Reader) error {
	if name == manifest.Stdin {
		return files.AddRoles(name, stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read the roles: %w", err)
	}
	return errors.Join(files.AddRoles(name, f), f.Close())
}
