package audit_test

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/audit"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// What the limits keep out of a report is counted all the same.
func TestLimitsKeepTheNumbersRight(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.EMR.Namespaces = []string{"a", "b", "c"}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	const id = "instance-profile-access"
	a, err := audit.New(e, rules.All(), &audit.World{}, audit.Options{Rules: []string{id}, MaxFindings: 5, MaxFindingsPerNamespace: 2})
	if err != nil {
		t.Fatal(err)
	}
	pods, ok := object.Find(schema.GroupResource{Resource: "pods"})
	if !ok {
		t.Fatal("pods are unknown")
	}
	for _, ns := range c.EMR.Namespaces {
		for i := range 4 {
			o, err := object.DecodeListed(pods, fmt.Appendf(nil,
				`{"metadata":{"namespace":%q,"name":"p%d"},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i"}]}}`, ns, i))
			if err != nil {
				t.Fatal(err)
			}
			a.Judge(t.Context(), pods, o, audit.Place{})
		}
	}
	r := a.Report()
	if len(r.Findings) != 5 || r.Dropped.Total() != 7 || r.Count(rule.Deny) != 12 || r.ExitCode() != 1 {
		t.Errorf("%d findings, %d dropped, %d denied, exit code %d", len(r.Findings), r.Dropped.Total(), r.Count(rule.Deny), r.ExitCode())
	}
	for _, ns := range c.EMR.Namespaces {
		n := 0
		for key, count := range r.Tally {
			if key.Namespace == ns && key.Rule == id && key.Action == rule.Deny && key.Reason != "" && key.Severity != "" {
				n += count
			}
		}
		if n != 4 {
			t.Errorf("%d findings are counted in %s, there are 4", n, ns)
		}
	}
	if len(r.Notes) == 0 {
		t.Error("nothing says that findings are missing")
	}
}
