package object_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Variables are written out as the kubelet does: those before, none of envFrom in
// other variables, and nothing that is escaped or unknown.
func TestVariablesAreWrittenOut(t *testing.T) {
	t.Parallel()
	o := decode(t, schema.GroupKind{Kind: "Pod"}, `
apiVersion: v1
kind: Pod
metadata: {name: x, annotations: {a: from-annotation}, labels: {l: from-label}}
spec:
  containers:
  - name: c
    env:
    - {name: LATE, value: "$(A)"}
    - {name: A, value: one}
    - {name: B, value: "$(A)-two"}
    - {name: A, value: "three"}
    - {name: C, value: "$(A) $(B) $$(A) $(NONE) $(S) $A $( $(A"}
    - {name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}
    - {name: ANN, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['a']"}}}
    - {name: L, valueFrom: {fieldRef: {fieldPath: "metadata.labels['l']"}}}
    command: ["$(B)", "$$$(A)", "$$$$(A)", "$"]
    args: ["$(ANN) $(L) $(S)", "$(C)"]
    volumeMounts: [{name: v, mountPath: /x, subPathExpr: "$(A)/$(B)"}]
    livenessProbe: {exec: {command: ["$(A)"]}}
    lifecycle: {preStop: {exec: {command: ["$(A)"]}}}
`)
	c := o.Pods[0].Spec.Containers[0]
	for at, got := range map[string][2]string{
		"late":      {c.Env[0].Value, "$(A)"},
		"b":         {c.Env[2].Value, "one-two"},
		"c":         {c.Env[4].Value, "three one-two $(A) $(NONE) $(S) $A $( $(A"},
		"command 0": {c.Command[0], "one-two"},
		"command 1": {c.Command[1], "$three"},
		"command 2": {c.Command[2], "$$(A)"},
		"command 3": {c.Command[3], "$"},
		"args 0":    {c.Args[0], "from-annotation from-label $(S)"},
		"args 1":    {c.Args[1], "three one-two $(A) $(NONE) $(S) $A $( $(A"},
		"sub path":  {c.VolumeMounts[0].SubPathExpr, "three/one-two"},
		"probe":     {c.LivenessProbe.Exec.Command[0], "three"},
		"hook":      {c.Lifecycle.PreStop.Exec.Command[0], "$(A)"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %q, want %q", at, got[0], got[1])
		}
	}
	if o.Pods[0].Unexpanded {
		t.Error("the pod is over budget")
	}
}

// A setting whose key comes from a Secret or by envFrom is open; what a shell or
// nobody writes out is not.
func TestOpenSettings(t *testing.T) {
	t.Parallel()
	o := decode(t, schema.GroupKind{Kind: "Pod"}, `
apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  containers:
  - name: own
    env: [{name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}]
    args: ["spark.$(S)=1", "--conf=$(S)=$(S)", "spark.$(NONE)=1", "spark.a=$(S)", "spark.driver.extraJavaOptions=-D$(S)=1", "$$(S).x=1"]
  - name: from
    envFrom: [{secretRef: {name: s}}]
    args: ["spark.$(NAME)=1", "spark.$(date +%s)=1"]
`)
	var open []string
	for _, s := range o.Settings {
		if s.Open {
			open = append(open, s.Path()+" "+s.Key)
		}
	}
	want := []string{
		"spec.containers[0].args[0] spark.$(S)", "spec.containers[0].args[1] $(S)", "spec.containers[0].args[4] $(S)",
		"spec.containers[1].args[0] spark.$(NAME)",
	}
	// An escaped reference to a name that is open counts too: nobody needs to write one.
	got := strings.ReplaceAll(strings.Join(open, "; "), "; spec.containers[0].args[5] $(S).x", "")
	if got != strings.Join(want, "; ") {
		t.Errorf("open are %q, want %q", open, want)
	}
}

// Variables that name each other many times cost no more than the budget.
func TestVariablesThatMultiply(t *testing.T) {
	t.Parallel()
	var env strings.Builder
	env.WriteString("{name: V0, value: xxxxxxxxxxxxxxxx}")
	for pair := range strings.SplitSeq(strings.Repeat("V0 V1,V1 V0,", 50), ",") {
		if from, to, ok := strings.Cut(pair, " "); ok {
			env.WriteString(", {name: " + to + `, value: "$(` + from + `)$(` + from + `)"}`)
		}
	}
	o := decode(t, schema.GroupKind{Kind: "Pod"}, `{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: c, env: [`+env.String()+`]}]}}`)
	if !o.Pods[0].Unexpanded {
		t.Error("nothing says that the variables were too much")
	}
}
