package nodes_test

import (
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/ruletest"
	"github.com/emrguard/emrguard/pkg/rules/nodes"
)

// pathsIn returns where a rule finds something in an object. Objects that the API
// server of the tests does not take have no fixture.
func pathsIn(t *testing.T, r rule.Rule, text string) string {
	t.Helper()
	var paths []string
	for _, f := range ruletest.Find(t, r, ruletest.Request(t, text)) {
		paths = append(paths, f.Path)
	}
	return strings.Join(paths, " ")
}

// In v1beta1 of Karpenter the hop limit is 2 where nothing is written.
func TestHopLimitOfOlderKarpenter(t *testing.T) {
	t.Parallel()
	const limit = "spec.metadataOptions.httpPutResponseHopLimit"
	for text, want := range map[string]string{
		"{apiVersion: karpenter.k8s.aws/v1beta1, kind: EC2NodeClass, metadata: {name: x}, spec: {}}":                                              limit,
		"{apiVersion: karpenter.k8s.aws/v1beta1, kind: EC2NodeClass, metadata: {name: x}, spec: {metadataOptions: {httpTokens: required}}}":       limit,
		"{apiVersion: karpenter.k8s.aws/v1beta1, kind: EC2NodeClass, metadata: {name: x}, spec: {metadataOptions: {httpPutResponseHopLimit: 1}}}": "",
		"{apiVersion: karpenter.k8s.aws/v1beta1, kind: EC2NodeClass, metadata: {name: x}, spec: {metadataOptions: {httpEndpoint: disabled}}}":     "",
		"{apiVersion: karpenter.k8s.aws/v1, kind: EC2NodeClass, metadata: {name: x}, spec: {}}":                                                   "",
		"{apiVersion: karpenter.k8s.aws/v1, kind: EC2NodeClass, metadata: {name: x}, spec: {metadataOptions: {httpTokens: required}}}":            "",
		"{apiVersion: karpenter.k8s.aws/v1, kind: EC2NodeClass, metadata: {name: x}, spec: {metadataOptions: {httpPutResponseHopLimit: 2}}}":      limit,
	} {
		if got := pathsIn(t, nodes.KarpenterInstanceMetadata(), text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// Without the masks over /proc, root in a container changes the kernel of its node,
// unless it is root in a user namespace alone.
func TestUnmaskedProc(t *testing.T) {
	t.Parallel()
	for users, want := range map[string]string{
		"":                   "spec.containers[0].securityContext.procMount",
		", hostUsers: true":  "spec.containers[0].securityContext.procMount",
		", hostUsers: false": "",
	} {
		text := "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: c, securityContext: {procMount: Unmasked}}]" + users + "}}"
		if got := pathsIn(t, nodes.InstanceProfileAccess(), text); got != want {
			t.Errorf("%q: got %q, want %q", users, got, want)
		}
	}
}
