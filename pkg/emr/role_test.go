package emr_test

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
)

func TestRolePattern(t *testing.T) {
	t.Parallel()
	const managed = "emr-containers-sa-spark-driver-123456789012-"
	byARN := func(arn string) [2]string { return [2]string{"etl", arn} }
	byName := func(role string) [2]string { return [2]string{managed + emr.EncodeRoleName(role), ""} }
	older := func(role string) [2]string {
		return [2]string{"emr-containers-sa-spark-driver-" + emr.EncodeRoleName(role), ""}
	}
	for _, c := range []struct {
		pattern string
		account [2]string // name and annotation
		cluster string
		want    bool
	}{
		{"*", byARN("arn:aws:iam::123456789012:role/a/b"), "", true},
		{"*", byName("etl"), "", true},
		{"*", older("EtlExecutionRole"), "", true},
		{"arn:aws:iam::123456789012:role/etl", byARN("arn:aws:iam::123456789012:role/etl"), "", true},
		{"arn:aws:iam::123456789012:role/etl", byARN("arn:aws:iam::123456789012:role/a/etl"), "", false},
		{"arn:aws:iam::123456789012:role/etl", byARN("arn:aws-cn:iam::123456789012:role/etl"), "", false},
		{"arn:aws:iam::123456789012:role/etl", byName("etl"), "", true},
		{"arn:aws-cn:iam::123456789012:role/etl", byName("etl"), "", true}, // a name has no partition
		{"arn:aws:iam::123456789012:role/a/b/etl", byName("etl"), "", true},
		{"arn:aws:iam::123456789012:role/a/etl-*", byName("etl-1"), "", false}, // of which path?
		{"arn:aws:iam::123456789012:role/etl-*", byName("etl-1"), "", true},
		{"arn:aws:iam::210987654321:role/etl", byName("etl"), "", false},
		{"arn:aws:iam::*:role/etl", byName("etl"), "", true},
		{"arn:aws:iam::123456789012:role/EtlExecutionRole", older("EtlExecutionRole"), "", false}, // of which account?
		{"arn:aws:iam::123456789012:role/EtlExecutionRole", older("EtlExecutionRole"), "123456789012", true},
		{"arn:aws:iam::*:role/EtlExecutionRole", older("EtlExecutionRole"), "", true},
	} {
		p, err := emr.ParseRolePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		role, ok := emr.RoleOf(c.account[0], c.account[1])
		if !ok {
			t.Fatalf("%q stands for no role", c.account)
		}
		if got := p.Match(role, c.cluster); got != c.want {
			t.Errorf("%s, %s in a cluster of %q: %v", c.pattern, role, c.cluster, got)
		}
	}
	for _, text := range []string{"", "JobExecutionRole", "arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role/a/", "arn:aws:sts::123456789012:role/x", "arn:*"} {
		if _, err := emr.ParseRolePattern(text); err == nil {
			t.Errorf("%q was read as a pattern of roles", text)
		}
	}
}
