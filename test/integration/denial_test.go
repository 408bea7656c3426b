package integration

import (
	"strings"
	"testing"

	"github.com/emrguard/emrguard/test/harness"
)

// TestDenialOfASubmitterNamesTheSetting: on EKS nobody is an administrator until the
// configuration says so, and whoever runs the cluster meets a refusal first. It names
// the setting exactly when that would help.
func TestDenialOfASubmitterNamesTheSetting(t *testing.T) {
	t.Parallel()
	const ns = "denial-setting"
	namespace(t, ns, managed())
	platform := as(t, "kim", everything)
	managedName := account(t, ns, "emr-containers-sa-spark-driver-123456789012-16o0gyqq3xwze9y8hbzk1j6qbn8l", harness.JobRoleARN)
	a, _ := platform.Create(t.Context(), managedName, harness.DryRun)
	if a.Verdict != harness.Denied || !strings.Contains(a.Message, "kim counts as a submitter") || !strings.Contains(a.Message, "administrators in the configuration") {
		t.Errorf("what an administrator might do answers: %s", a)
	}
	if strings.Count(a.Message, "counts as a submitter") != 1 {
		t.Errorf("it is said more than once: %s", a)
	}
	must(t, "create the account of the Pod", retried(t, administrator(t), account(t, ns, "reader", harness.JobRoleARN)))
	a, _ = administrator(t).Create(t.Context(), pod(t, ns, "host", onHostNetwork), harness.DryRun)
	if a.Verdict != harness.Denied || strings.Contains(a.Message, "counts as a submitter") {
		t.Errorf("what nobody may do answers: %s", a)
	}
}
