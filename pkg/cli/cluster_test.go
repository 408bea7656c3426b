package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// kubeconfigOf is that of a server that has the namespace emr-jobs, a ConfigMap in it,
// and nothing else.
func kubeconfigOf(t *testing.T) string {
	t.Helper()
	lists := map[string]string{
		"/api/v1/namespaces":                     `{"kind":"NamespaceList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"emr-jobs"}},{"metadata":{"name":"web"}}]}`,
		"/api/v1/configmaps":                     `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","namespace":"emr-jobs"}}]}`,
		"/api/v1/namespaces/emr-jobs/configmaps": `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","namespace":"emr-jobs"}}]}`,
		"/api/v1/serviceaccounts":                `{"kind":"ServiceAccountList","apiVersion":"v1","metadata":{},"items":[]}`,
	}
	for _, kind := range []string{"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"} {
		lists["/apis/rbac.authorization.k8s.io/v1/"+strings.ToLower(kind)+"s"] = `{"kind":"` + kind + `List","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{},"items":[]}`
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := lists[r.URL.Path]
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			text = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`
		}
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return write(t, "kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"+
		"users: [{name: a, user: {}}]\nclusters: [{name: a, cluster: {server: '"+s.URL+"'}}]\n")
}

// A look at a cluster that finds nothing to look at is no good news.
func TestClusterWithNothingToLookAt(t *testing.T) {
	t.Parallel()
	kubeconfig := kubeconfigOf(t)
	conf := write(t, "config.yaml", "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\nemr: {namespaces: [emr-jobs]}\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"audit", "-n", "emr-jbos"}, 2, `namespace "emr-jbos" does not exist`},
		{[]string{"audit", "-n", "emr-jbos", "--config", conf}, 2, "managed are emr-jobs"},
		{[]string{"audit", "-n", "web", "--config", conf}, 2, "no object is in a managed namespace"},
		{[]string{"audit", "-n", "web", "--config", conf, "--allow-empty"}, 0, "Nothing was judged"},
		{[]string{"audit"}, 2, "no namespace is managed"},
		{[]string{"audit", "-n", "emr-jobs"}, 0, "judged"},
		{[]string{"audit", "-n", "emr-jobs", "--fail-on", "warn"}, 1, "1 warned"}, // no NetworkPolicy
		{[]string{"access", "-n", "emr-jbos"}, 2, `namespace "emr-jbos" does not exist`},
		{[]string{"access"}, 2, "no namespace is managed"},
		{[]string{"access", "-n", "emr-jobs"}, 0, "nobody holds"},
		{[]string{"access", "-n", "web", "--config", conf}, 2, "namespace web is not managed"},
	} {
		code, out, errOut := run(append(c.args, "--kubeconfig", kubeconfig)...)
		if code != c.code || !strings.Contains(out+errOut, c.want) || code != 0 && strings.Contains(out, "Nothing breaks") {
			t.Errorf("%q: exit code %d, want %d and %q: %s%s", c.args, code, c.code, c.want, out, errOut)
		}
	}
}

// audit suggests only flags that it has.
func TestNoClusterNamesTheFlags(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{"audit": "(--kubeconfig, --context)", "access": "(--kubeconfig, --context, or -f for files)"} {
		code, out, errOut := run(command, "-n", "emr-jobs", "--kubeconfig", "/no/such/file")
		if code != 2 || !strings.Contains(errOut, want) || out != "" {
			t.Errorf("%s: exit code %d, want 2 and %q: %s%s", command, code, want, out, errOut)
		}
	}
}
