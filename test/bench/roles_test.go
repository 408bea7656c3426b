package bench_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/cluster"
	"github.com/emrguard/emrguard/pkg/config"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/engine"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// The cluster of many tenants: what EMR makes at a submission is judged beside all
// accounts of its namespace and all namespaces of its role.
const (
	tenants           = 500
	accountsPerTenant = 100
)

// BenchmarkServiceAccount judges the account that EMR makes for the first job with a
// role, in the engine alone: of a role of its own, and of one that every namespace
// has. Managed names carry their roles in base 36, the dearest form.
func BenchmarkServiceAccount(b *testing.B) {
	c := config.Default()
	facts := &cluster.Snapshot{}
	for i := range tenants {
		ns := fmt.Sprintf("team-%d", i)
		c.EMR.Namespaces = append(c.EMR.Namespaces, ns)
		for j := range accountsPerTenant - 1 {
			facts.Set(driverAccount(ns, fmt.Sprintf("job-execution-role-of-%s-%d", ns, j)))
		}
		facts.Set(driverAccount(ns, "shared-job-execution-role"))
	}
	e, err := engine.New(c, rules.All(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	for _, role := range []string{"new-job-execution-role", "shared-job-execution-role"} {
		b.Run(role, func(b *testing.B) {
			name := "emr-containers-sa-spark-client-123456789012-" + emr.EncodeRoleName(role)
			res, _ := object.Find(schema.GroupResource{Resource: "serviceaccounts"})
			o, err := object.Decode(res, fmt.Appendf(nil, `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":%q,"namespace":"team-7"}}`, name))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				v := e.Review(b.Context(), e.NewRequest(&engine.Incoming{
					Operation: rule.Create, Resource: res, Namespace: "team-7", Name: name, User: "emr-containers", Object: o,
				}, facts), nil)
				if len(v.Errors) > 0 || !v.Allowed() {
					b.Fatal(v)
				}
			}
		})
	}
}

func driverAccount(namespace, role string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: "emr-containers-sa-spark-driver-123456789012-" + emr.EncodeRoleName(role),
	}}
}
