package engine_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// What may run in another namespace than its own is sent from every namespace, also
// when nothing is discovered; nothing else is sent for its sake.
func TestTargetsThatRunElsewhereAreSentFromEverywhere(t *testing.T) {
	t.Parallel()
	sent := func(resource string) bool {
		return slices.ContainsFunc(engine.Targets(rules.All(), true, false), func(target rule.Target) bool { return target.String() == resource && !target.Audit })
	}
	for resource, want := range map[string]bool{
		"jobruns.emrcontainers.services.k8s.aws":          true,
		"sparkapplications.sparkoperator.k8s.io":          true,
		"scheduledsparkapplications.sparkoperator.k8s.io": true,
		"flinksessionjobs.flink.apache.org":               false,
		"controllerrevisions.apps":                        false,
	} {
		if got := sent(resource); got != want {
			t.Errorf("%s is sent: %t, want %t", resource, got, want)
		}
	}
	e := newEngine(t, nil, rules.All()...)
	if !e.Concerns(schema.GroupResource{Group: "emrcontainers.services.k8s.aws", Resource: "jobruns"}, "", rule.Create, false) {
		t.Error("a JobRun of another namespace concerns no rule")
	}
	if e.Concerns(schema.GroupResource{Resource: "pods"}, "", rule.Delete, false) {
		t.Error("the deletion of a pod of another namespace concerns a rule")
	}
}
