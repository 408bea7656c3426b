package rbacdiff

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"

	"github.com/emrguard/emrguard/test/grants"
)

func table(t *testing.T) *grants.Table {
	t.Helper()
	table, err := grants.Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestBootstrapPolicyIsClassified reads the roles that every cluster has: what they
// grant is what Kubernetes asks for, verbs that no request has among it.
func TestBootstrapPolicyIsClassified(t *testing.T) {
	table := table(t)
	var all []rbacv1.PolicyRule
	for _, role := range slices.Concat(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles()) {
		all = append(all, role.Rules...)
	}
	for _, roles := range bootstrappolicy.NamespaceRoles() {
		for i := range roles {
			all = append(all, roles[i].Rules...)
		}
	}
	var unknown []string
	for i := range all {
		for _, group := range all[i].APIGroups {
			for _, resource := range all[i].Resources {
				for _, verb := range all[i].Verbs {
					p := grants.Permission{Group: group, Resource: resource, Verb: verb}
					known := table.LeadsTo(p) != ""
					if grants.IsRequest(verb) { // the roles name verbs, too, that the API server does not serve
						known = table.Knows(p)
					}
					if !strings.Contains(group+resource+verb, "*") && !known {
						unknown = append(unknown, p.String())
					}
				}
			}
		}
	}
	report(t, "the roles of every cluster", unknown)
}

func report(t *testing.T, where string, unknown []string) {
	t.Helper()
	slices.Sort(unknown)
	if unknown = slices.Compact(unknown); len(unknown) > 0 {
		t.Errorf("%s have permissions of which nobody has said what they lead to:\n%s\n%s", where, strings.Join(unknown, "\n"), grants.Howto)
	}
}

// source is the folder of a module of Kubernetes.
func source(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// asked are the words of the source that are verbs of a question to the authorizer: the
// field Verb of attributes, and what the helper for signers is given.
func asked(t *testing.T, folders ...string) map[string]string {
	t.Helper()
	verbs := map[string]string{}
	add := func(e ast.Expr, where string) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if verb, err := strconv.Unquote(lit.Value); err == nil {
				verbs[verb] = where
			}
		}
	}
	read := func(path string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Verb" {
					add(n.Value, path)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "IsAuthorizedForSignerName" {
					add(n.Args[3], path)
				}
			}
			return true
		})
	}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				read(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return verbs
}

// TestVerbsOfTheSourceAreClassified reads which verbs Kubernetes asks its authorizer for
// besides those of requests.
func TestVerbsOfTheSourceAreClassified(t *testing.T) {
	table := table(t)
	known := map[string]bool{}
	for _, resources := range table.Grants {
		for _, ways := range resources {
			for _, verbs := range ways {
				for _, verb := range verbs {
					known[verb] = true
				}
			}
		}
	}
	kubernetes, apiserver := source(t, "k8s.io/kubernetes"), source(t, "k8s.io/apiserver")
	verbs := asked(t, filepath.Join(kubernetes, "pkg", "registry"), filepath.Join(kubernetes, "pkg", "controller"), filepath.Join(kubernetes, "plugin"), filepath.Join(apiserver, "pkg"))
	for _, verb := range []string{"bind", "escalate", "impersonate", "approve", "sign", "attest"} {
		if verbs[verb] == "" {
			t.Errorf("the source does not ask for %s any more, or this test does not read it well", verb)
		}
	}
	for verb, where := range verbs {
		if !known[verb] {
			t.Errorf("%s asks for the verb %q: %s", where, verb, grants.Howto)
		}
	}
}

// modes are the modes of constrained impersonation that the source makes.
func modes(t *testing.T) []string {
	t.Helper()
	path := filepath.Join(source(t, "k8s.io/apiserver"), "pkg", "endpoints", "filters", "impersonation", "mode.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "newConstrainedImpersonationMode" && len(call.Args) > 1 {
				if lit, ok := call.Args[1].(*ast.BasicLit); ok {
					mode, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					list = append(list, mode)
				}
			}
		}
		return true
	})
	if len(list) < 4 {
		t.Fatalf("%s makes the modes %q, fewer than there were: this test does not read it well", path, list)
	}
	return list
}

// TestEveryModeOfImpersonationCounts proves that in each mode of the source both halves
// are what the rules say: who may be impersonated leads on, and what is then done leads
// to what it leads to without.
func TestEveryModeOfImpersonationCounts(t *testing.T) {
	table := table(t)
	for _, mode := range modes(t) {
		found := false
		for _, p := range table.Rows() {
			found = found || p.Verb == "impersonate:"+mode && table.LeadsTo(p) == "rbac-escalation"
			if !grants.IsRequest(p.Verb) {
				continue
			}
			plain, err := grants.Judge(p)
			if err != nil {
				t.Fatal(err)
			}
			p.Verb = "impersonate-on:" + mode + ":" + p.Verb
			if on, err := grants.Judge(p); err != nil || !slices.Equal(plain, on) {
				t.Errorf("%s leads to %q, want %q (%v)", p, on, plain, err)
			}
		}
		if !found {
			t.Errorf("no permission of the table has the verb impersonate:%s: %s", mode, grants.Howto)
		}
	}
}
