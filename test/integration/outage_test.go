package integration

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/emrguard/emrguard/test/harness"
)

// TestOutage proves that an outage of emrguard closes the managed namespaces and
// nothing else.
func TestOutage(t *testing.T) {
	ctx := t.Context()
	podNamespace(t, "outage-managed", managed())
	podNamespace(t, "outage-elsewhere", nil)
	if err := guard.Stop(); err != nil {
		t.Fatal(err)
	}
	a, _ := administrator(t).Create(ctx, pod(t, "outage-managed", "clean", nil), harness.DryRun)
	want(t, "a Pod in a managed namespace", a, harness.Unreachable)
	a, _ = administrator(t).Create(ctx, pod(t, "outage-elsewhere", "clean", nil), harness.DryRun)
	want(t, "a Pod elsewhere", a, harness.Allowed)
	a, _ = planter(t).Patch(ctx, account(t, "outage-elsewhere", "reader", ""), types.MergePatchType, `{"metadata":{"labels":{"a":"b"}}}`, harness.DryRun)
	want(t, "an account elsewhere", a, harness.Allowed)

	if err := startGuard(ctx); err != nil {
		t.Fatal(err)
	}
	if err := guard.WaitForGuard(ctx, "outage-managed", harness.Denied); err != nil {
		t.Fatal(err)
	}
	a, _ = administrator(t).Create(ctx, pod(t, "outage-managed", "clean", nil), harness.DryRun)
	want(t, "a Pod in a managed namespace, after the outage", a, harness.Allowed)
}
