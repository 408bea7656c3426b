package grants_test

import (
	"slices"
	"testing"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/grants/capability"
	"github.com/emrguard/emrguard/test/grants"
)

func load(t *testing.T) *grants.Table {
	t.Helper()
	table, err := grants.Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Of every permission the rules say what the table says.
func TestTheRulesAgree(t *testing.T) {
	t.Parallel()
	table := load(t)
	used := map[string]bool{}
	for _, p := range table.Rows() {
		says := table.LeadsTo(p)
		judged, err := grants.Judge(p)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if table.Reasons[says] == "" {
			want = []string{says}
		}
		used[says] = true
		if !slices.Equal(judged, want) {
			t.Errorf("%s: the table says %q, the rules say %q", p, says, judged)
		}
	}
	list, err := capability.Forbidden(rule.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if !used[c.ID] {
			t.Errorf("no permission of the table leads to %s", c.ID)
		}
	}
}

// A permission that nobody has thought about has no answer; one that is asked for
// whatever the resource has.
func TestWhatIsNotInTheTable(t *testing.T) {
	t.Parallel()
	table := load(t)
	for p, want := range map[grants.Permission]string{
		{Group: "", Resource: "pods/teleport", Verb: "create"}:                                   "",
		{Group: "", Resource: "pods", Verb: "impersonate-everything"}:                            "",
		{Group: "quantum.k8s.io", Resource: "qubits", Verb: "get"}:                               "",
		{Group: "apps", Resource: "deployments/finalizers", Verb: "update"}:                      "garbage",
		{Group: "quantum.k8s.io", Resource: "qubits", Verb: "unsafe-delete-ignore-read-errors"}:  "removes-unreadable",
		{Group: "", Resource: "pods/exec", Verb: "get"}:                                          "rbac-pod-exec",
		{Group: "authentication.k8s.io", Resource: "nodes", Verb: "impersonate:associated-node"}: "rbac-escalation",
	} {
		if got := table.LeadsTo(p); got != want {
			t.Errorf("%s: the table says %q, want %q", p, got, want)
		}
	}
}
