package rules_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/rules/internal/ruletest"
)

// Whatever an object lacks, no rule panics or finds something by that alone.
func TestHollowObjects(t *testing.T) {
	t.Parallel()
	for id, kinds := range map[string][]string{
		"imds-network-policy":         {`"networking.k8s.io/v1", "kind": "NetworkPolicy"`},
		"karpenter-instance-metadata": {`"karpenter.k8s.aws/v1", "kind": "EC2NodeClass"`},
		"execution-role-policy":       {`"iam.services.k8s.aws/v1alpha1", "kind": "Role"`},
		"vpc-cni-credentials":         {`"v1", "kind": "ServiceAccount"`},
	} {
		for _, kind := range kinds {
			for _, spec := range []string{"", `, "spec": {}`, `, "spec": null`} {
				if kind == `"v1", "kind": "ServiceAccount"` {
					spec = ""
				}
				if got := ruletest.Find(t, find(t, id), ruletest.Request(t, `{"apiVersion": `+kind+`, "metadata": {"name": "x"}`+spec+`}`)); len(got) > 0 {
					t.Errorf("%s of %s with %q: %v", id, kind, spec, got)
				}
			}
		}
	}
	got := ruletest.Find(t, find(t, "imds-network-policy"), ruletest.Request(t, `{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"},
		"spec": {"egress": [{"ports": [{}], "to": [{}]}]}}`))
	if len(got) > 0 {
		t.Errorf("a peer that is nothing: %v", got)
	}
}
