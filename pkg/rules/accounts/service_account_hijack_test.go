package accounts_test

import (
	"errors"
	"testing"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/accounts"
	"github.com/emrguard/emrguard/pkg/rules/internal/ruletest"
)

// A workload that cannot be looked up is an error, for what a controller makes of it;
// no workload is asked for where there is no role to win.
func TestHijackLookUpFails(t *testing.T) {
	t.Parallel()
	for account, fails := range map[string]bool{"default": false, "emr-containers-sa-spark-client-123456789012-4en4r3jtsjjcf75iqnuasdqp1": true} {
		req := ruletest.Request(t, `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "n",
			"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "a", "uid": "1", "controller": true}]},
			"spec": {"serviceAccountName": "`+account+`"}}`)
		req.Requester = rule.Requester{User: "system:serviceaccount:kube-system:job-controller", Class: rule.Controller}
		req.Cluster = ruletest.Down{}
		if found, err := ruletest.Ask(t, accounts.ServiceAccountHijack(), req); errors.Is(err, ruletest.ErrDown) != fails || len(found) > 0 {
			t.Errorf("%s: %v, with %v", account, err, found)
		}
	}
}
