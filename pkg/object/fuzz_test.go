package object_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/object"
)

// FuzzDecodeCustomResources proves that no object makes a decoder panic, and that one
// that is refused as a whole is no JSON or of another kind.
func FuzzDecodeCustomResources(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"flink.apache.org/v1beta1","kind":"FlinkDeployment","metadata":{"name":"x"},"spec":{"podTemplate":{"spec":{"containers":[{"resources":{"limits":{"memory":"lots"}}}]}}}}`))
	f.Add([]byte(`{"apiVersion":"sparkoperator.k8s.io/v1beta2","kind":"SparkApplication","spec":{"driver":{"env":{"A":1},"serviceAccount":7},"sparkConf":{"a":[1]},"volumes":"x"}}`))
	f.Add([]byte(`{"apiVersion":"emrcontainers.services.k8s.aws/v1alpha1","kind":"JobRun","spec":{"virtualClusterRef":[],"jobDriver":null}}`))
	f.Add([]byte(`{"metadata":7,"spec":[]}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		for _, res := range object.Resources() {
			if !res.Workload {
				continue
			}
			if o, err := object.Decode(res, raw); err == nil {
				_, _, _ = o.Accounts(), o.UnreadAccounts(), o.NamedAccounts()
			}
		}
	})
}
