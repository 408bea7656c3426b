package engine_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rules"
)

// TestRulesHaveTheEnginesClock proves it where an image becomes too old: once 180
// days have gone by since the beginning, in UTC, of the day in its tag.
func TestRulesHaveTheEnginesClock(t *testing.T) {
	t.Parallel()
	res, _ := object.Find(schema.GroupResource{Group: "emrcontainers.services.k8s.aws", Resource: "jobruns"})
	o, err := object.Decode(res, []byte(`{"apiVersion": "emrcontainers.services.k8s.aws/v1alpha1", "kind": "JobRun",
		"metadata": {"name": "x", "namespace": "emr-jobs"}, "spec": {"releaseLabel": "emr-99.0.0-20260101"}}`))
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 180)
	for now, want := range map[time.Time]int{
		day:                  0,
		day.Add(time.Second): 1,
		day.Add(time.Second).In(time.FixedZone("", -10*60*60)): 1,
		day.AddDate(-1, 0, 0): 0, // a day to come
	} {
		c := config.Default()
		c.EMR.Namespaces = []string{"emr-jobs"}
		e, err := engine.New(c, rules.All(), func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		v := e.Review(t.Context(), e.Existing(res, o, &cluster.Snapshot{}), nil)
		if len(v.Warned) != want {
			t.Errorf("%s: %v, want %d warnings", now, v.Warned, want)
		}
	}
}
