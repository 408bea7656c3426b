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
	configFile, mode, user, output, color string
	groups, rules                         []string
}

func (o *judgeOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.configFile, "config", "", "configuration file, as the webhook reads it")
	f.StringVar(&o.mode, "mode", "", "deny, warn or audit instead of the mode of the configuration")
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
	switch mode, err := rule.ParseAction(o.mode); {
	case o.mode == "":
	case err != nil || mode == rule.Off:
		return nil, fmt.Errorf("--mode %q is none of deny, warn, audit", o.mode)
	case mode == rule.Deny:
		c.Mode = ""
	default:
		c.Mode = mode
	}
	if o.user == "" && len(o.groups) > 0 {
		return nil, errors.New("--as-group needs --as")
	}
	return c, nil
}

func (o *judgeOptions) audit() audit.Options {
	return audit.Options{User: o.user, Groups: groupsOf(o.user, o.groups), Rules: o.rules, Tool: version}
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
	namespace := ""
	var iamFiles []string
	cmd := &cobra.Command{
		Use:   "check [FILE|FOLDER|-]...",
		Short: "Judge manifests, before they reach a cluster",
		Long: "Judge the objects of files, folders (everything below that ends in .yaml, .yml or .json) or standard input (-)\n" +
			"by the very rules of the webhook. Relations between the objects (a pod and its account, a binding and its role)\n" +
			"are resolved inside the input.\n\n" +
			"The configuration says which namespaces are EMR's; without --config every namespace of the input is. Who will\n" +
			"apply the objects is not known from files: --as judges that as well.\n\n" +
			"Exit code 0 when nothing would be denied, 1 when something would, 2 for bad usage or for input that cannot be read.",
		Example: "  emrguard check manifests/\n" +
			"  helm template spark ./chart | emrguard check --config config.yaml --namespace emr-jobs -\n" +
			"  kustomize build overlays/prod | emrguard check -o sarif - > emrguard.sarif\n" +
			"  emrguard check --as alice --as-group data-scientists job.yaml\n" +
			"  aws iam get-account-authorization-details | emrguard check --iam -",
		RunE: func(cmd *cobra.Command, args []string) error { return runCheck(cmd, o, args, namespace, iamFiles) },
	}
	o.addFlags(cmd)
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace of objects that name none (default \"default\")")
	cmd.Flags().StringSliceVar(&iamFiles, "iam", nil, "judge the execution roles in the JSON of `aws iam get-account-authorization-details`; - for standard input")
	return cmd
}

// gcPercent has the garbage collector run early: what these commands hold is mostly
// what they have found, and machines of pipelines are small.
const gcPercent = 20

func runCheck(cmd *cobra.Command, o *judgeOptions, paths []string, namespace string, iamFiles []string) error {
	if len(paths) == 0 && len(iamFiles) == 0 {
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
	in, err := manifest.Read(paths, cmd.InOrStdin())
	if err != nil {
		return err
	}
	files := audit.ReadFiles(in, namespace)
	for _, name := range iamFiles {
		if err := addRoles(files, name, cmd.InOrStdin()); err != nil {
			return err
		}
	}
	if o.configFile == "" {
		c.EMR.Namespaces = files.Namespaces
	}
	e, err := newEngine(c)
	if err != nil {
		return err
	}
	r, err := files.Judge(cmd.Context(), c, e, rules.All(), o.audit())
	if err != nil {
		return err
	}
	if o.configFile == "" && len(files.Namespaces) > 0 {
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
