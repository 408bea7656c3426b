package rules

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
)

// findingsIn returns what a rule finds in an object, path by path. Objects that the
// API server of the tests does not take have no fixture.
func findingsIn(t *testing.T, r rule.Rule, kind schema.GroupKind, text string) string {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	res, _ := object.FindKind(kind)
	o, err := object.Decode(res, raw)
	if err != nil {
		t.Fatal(err)
	}
	check, err := r.New(rule.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var rep rule.Report
	rep.Begin(&r)
	if err := check(t.Context(), &rule.Request{Object: o, Resource: res.GroupResource()}, &rep); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range rep.Findings() {
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
		if got := findingsIn(t, karpenterInstanceMetadata(), schema.GroupKind{Group: "karpenter.k8s.aws", Kind: "EC2NodeClass"}, text); got != want {
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
		if got := findingsIn(t, instanceProfile(), schema.GroupKind{Kind: "Pod"}, text); got != want {
			t.Errorf("%q: got %q, want %q", users, got, want)
		}
	}
}
