package identity_test

import (
	"slices"
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/internal/identity"
)

const (
	arn   = "arn:aws:iam::123456789012:role/team/Spark"
	other = "arn:aws:iam::123456789012:role/Other"
)

var managed = "emr-containers-sa-spark-driver-123456789012-" + emr.EncodeRoleName("Spark")

func TestIdentity(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		account, annotation  string
		bearsRole, isManaged bool
		is, isNot            []string
		arns                 []string
	}{
		"ordinary": {"etl", "", false, false, nil, []string{arn, ""}, nil},
		// The path is no part of a role's identity.
		"annotated":        {"etl", arn, true, false, []string{arn, "arn:aws:iam::123456789012:role/Spark"}, []string{other, "arn:aws-cn:iam::123456789012:role/Spark", "Spark"}, []string{arn}},
		"malformed":        {"etl", "Spark", true, false, []string{"Spark"}, []string{arn}, []string{"Spark"}},
		"managed":          {managed, "", true, true, []string{arn, "arn:aws-cn:iam::123456789012:role/Spark"}, []string{other, "arn:aws:iam::210987654321:role/Spark"}, []string{"arn:aws:iam::123456789012:role/Spark", "arn:aws-cn:iam::123456789012:role/Spark", "arn:aws-us-gov:iam::123456789012:role/Spark"}},
		"annotation first": {managed, other, true, true, []string{other}, []string{arn}, []string{other}},
		"operator":         {"emr-containers-sa-spark-operator", "", false, true, nil, []string{arn}, nil},
	} {
		id := identity.Of(rule.NewServiceAccount("emr-jobs", c.account, c.annotation))
		if id.BearsRole() != c.bearsRole || id.Managed != c.isManaged {
			t.Errorf("%s: bears a role: %t, managed: %t", name, id.BearsRole(), id.Managed)
		}
		for _, role := range c.is {
			if !id.Is(role) {
				t.Errorf("%s is not %q", name, role)
			}
		}
		for _, role := range c.isNot {
			if id.Is(role) {
				t.Errorf("%s is %q", name, role)
			}
		}
		if got := id.ARNs(); !slices.Equal(got, c.arns) {
			t.Errorf("%s: the ARNs are %q, want %q", name, got, c.arns)
		}
	}
}

func TestRoleInMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ account, annotation, want string }{
		"ordinary":         {"etl", "", "no role"},
		"annotated":        {"etl", arn, `"` + arn + `"`},
		"malformed":        {"etl", "Spark", `"Spark"`},
		"managed":          {managed, "", `a name that stands for the role "Spark"`},
		"annotation first": {managed, other, `"` + other + `"`},
		"operator":         {"emr-containers-sa-spark-operator", "", "a name that is reserved for EMR"},
	} {
		if got := identity.Of(rule.NewServiceAccount("emr-jobs", c.account, c.annotation)).Has(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
