package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"

	"github.com/emrguard/emrguard/pkg/access"
	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/manifest"
	"github.com/emrguard/emrguard/pkg/rule"
)

// accessOptions are the flags of `emrguard access`.
type accessOptions struct {
	connection

	configFile, explain, output   string
	files, namespaces, submitters []string
	all                           bool
	withoutDefaults, allowEmpty   bool
	empty                         string // why nothing was looked at
}

func newAccess() *cobra.Command {
	o := &accessOptions{output: "table"}
	cmd := &cobra.Command{
		Use:   "access",
		Short: "Show who can do what the guide forbids, and by which path",
		Long: "Show, for each managed namespace, which subjects hold which of the permissions that the guide forbids to\n" +
			"submitters: of a live cluster, or of the objects in files (-f, - for standard input). Grants that existed\n" +
			"before emrguard, and what slipped through while it was down, are shown like all others.\n\n" +
			"In files, the roles and bindings that every cluster has are known; what the input defines under their names wins.\n\n" +
			"Exit code 0 when nobody holds what the rules refuse, 1 when somebody does, 2 for bad usage or input, or when there\n" +
			"was nothing to look at: no managed namespace, or files without roles and bindings (see --allow-empty).",
		Example: "  emrguard access --config config.yaml\n" +
			"  emrguard access -n emr-jobs --explain group:data-scientists\n" +
			"  emrguard access --submitter alice,data-scientists   # also asks the API server, which knows EKS access policies\n" +
			"  kubectl get ns,sa,roles,rolebindings,clusterroles,clusterrolebindings -A -o yaml | emrguard access -f -",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAccess(cmd, o) },
	}
	f := cmd.Flags()
	o.addFlags(cmd)
	f.StringVar(&o.configFile, "config", "", "configuration file; it says which namespaces are managed and who is trusted")
	f.StringSliceVarP(&o.files, "filename", "f", nil, "read these files instead of a cluster; - for standard input")
	f.StringSliceVarP(&o.namespaces, "namespace", "n", nil, "only these managed namespaces; without --config they are taken as managed")
	f.StringVar(&o.explain, "explain", "", "every path of one subject: user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME")
	addSubmitterFlag(cmd, &o.submitters)
	addDefaultsFlag(cmd, &o.withoutDefaults)
	f.BoolVar(&o.allowEmpty, "allow-empty", false, "exit code 0 when there is nothing to look at")
	f.BoolVar(&o.all, "all", false, "list the subjects that may hold everything, too")
	f.StringVarP(&o.output, "output", "o", o.output, "table or json")
	return cmd
}

func runAccess(cmd *cobra.Command, o *accessOptions) error {
	if o.output != "table" && o.output != "json" {
		return fmt.Errorf("-o %q is neither table nor json", o.output)
	}
	e, err := accessEngine(o)
	if err != nil {
		return err
	}
	facts, client, err := accessFacts(cmd, o)
	if err != nil {
		return err
	}
	for _, ns := range o.namespaces {
		if client != nil && facts.NamespaceLabels(ns) == nil {
			return fmt.Errorf("namespace %q does not exist", ns)
		}
	}
	report, err := access.Look(e, facts, access.Options{Namespaces: o.namespaces, Subject: o.explain})
	if err != nil {
		return err
	}
	if len(report.Namespaces) == 0 && !o.allowEmpty {
		return errors.New("no namespace is managed, and what is forbidden is forbidden there: name one by -n, or in a configuration (--config); --allow-empty lets that pass")
	}
	if submitters := submittersOf(e, o.submitters, len(o.files) == 0); len(submitters) > 0 {
		if client == nil {
			return errors.New("--submitter asks an API server, which files are not")
		}
		if err := report.Compare(cmd.Context(), e, facts, client, submitters); err != nil {
			return err
		}
	}
	if !o.all && o.explain == "" {
		report.Holdings = slices.DeleteFunc(report.Holdings, func(h access.Holding) bool { return h.Worst() == rule.Off })
	}
	if o.output == "json" {
		encoder := json.NewEncoder(cmd.OutOrStdout())
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	} else if o.empty != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "Nothing was looked at: %s.\n", o.empty)
	} else if err := printAccess(cmd.OutOrStdout(), report, o.explain != ""); err != nil {
		return err
	}
	if slices.ContainsFunc(report.Holdings, func(h access.Holding) bool { return h.Worst() == rule.Deny }) {
		return errNo
	}
	return nil
}

func accessEngine(o *accessOptions) (*engine.Engine, error) {
	c := config.Default()
	if o.configFile != "" {
		var err error
		if c, err = config.Load(o.configFile); err != nil {
			return nil, err
		}
	} else {
		c.EMR.Namespaces = o.namespaces
	}
	return newEngine(c)
}

func accessFacts(cmd *cobra.Command, o *accessOptions) (*cluster.Snapshot, kubernetes.Interface, error) {
	if len(o.files) > 0 {
		facts, err := readFiles(cmd, o)
		return facts, nil, err
	}
	client, err := o.client("--kubeconfig, --context, or -f for files")
	if err != nil {
		return nil, nil, err
	}
	facts, err := cluster.Read(cmd.Context(), client)
	return facts, client, err
}

func readFiles(cmd *cobra.Command, o *accessOptions) (*cluster.Snapshot, error) {
	in, err := manifest.Read(o.files, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	read := audit.ReadFiles(in, "")
	for _, p := range read.Problems {
		return nil, fmt.Errorf("%s:%d: %s", p.File, p.Line, p.Message)
	}
	if !read.HasRBAC() {
		o.empty = strings.Join(read.Blank(), "; ")
		if o.empty == "" {
			o.empty = "the input holds no role and no binding (Role, ClusterRole, RoleBinding, ClusterRoleBinding)"
		}
		if !o.allowEmpty {
			return nil, errors.New(o.empty + ": nobody could hold anything by it; --allow-empty lets that pass")
		}
	}
	return read.Snapshot(o.withoutDefaults)
}

func addSubmitterFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringArrayVar(into, "submitter", nil, "also ask the API server about this user: USER[,GROUP…]; may be repeated")
}

// submittersOf reads the users of the command line and, for a live cluster, adds
// those that the configuration names.
func submittersOf(e *engine.Engine, given []string, live bool) []access.Submitter {
	list := make([]access.Submitter, 0, len(given))
	for _, text := range given {
		parts := strings.Split(text, ",")
		list = append(list, access.Submitter{User: parts[0], Groups: append(parts[1:], "system:authenticated")})
	}
	if !live {
		return list
	}
	for _, u := range e.Config().EMR.RoleUsers {
		for _, user := range u.Users {
			if !strings.Contains(user, "*") {
				list = append(list, access.Submitter{User: user, Groups: append(slices.Clone(u.Groups), "system:authenticated")})
			}
		}
	}
	return list
}
