package roledocument

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
)

// The subjects of a trust policy, as IAM matches them: a wildcard stands for any
// characters, colons too.
func TestSubjects(t *testing.T) {
	t.Parallel()
	spark := emr.EncodeRoleName("Spark")
	for text, c := range map[string]struct {
		namespace, account string
		never, wide        bool
	}{
		"system:serviceaccount:emr:emr-containers-sa-*-*-123456789012-" + spark: {"emr", "emr-containers-sa-*-*-123456789012-" + spark, false, false},
		"system:serviceaccount:emr:etl":                                         {"emr", "etl", false, false},
		"system:serviceaccount:emr:emr-containers-sa-*-*-123456789012-zzz":      {"emr", "emr-containers-sa-*-*-123456789012-zzz", false, true},
		"system:serviceaccount:emr:emr-containers-sa-*":                         {"emr", "emr-containers-sa-*", false, true},
		"system:serviceaccount:emr:*":                                           {"emr", "*", false, true},
		"system:serviceaccount:emr*":                                            {"emr*", "*", false, true},
		"system:serviceaccount:*:etl":                                           {"*", "etl", false, true},
		"system:serviceaccount:?mr:etl":                                         {"?mr", "etl", false, true},
		"system:*":                                                              {"*", "*", false, true},
		"*":                                                                     {"*", "*", false, true},
		"system:serviceaccount:emr":                                             {"", "", true, false},
		"system:node:*":                                                         {"", "", true, false},
		"repo:team/app:*":                                                       {"", "", true, false},
		"":                                                                      {"", "", true, false},
	} {
		got := readSubject(text)
		if got.namespace != c.namespace || got.account != c.account || got.never != c.never {
			t.Errorf("%q: read as %+v", text, got)
		}
		if why := got.tooWide("Spark"); (why != "") != c.wide {
			t.Errorf("%q is too wide: %q, want something: %t", text, why, c.wide)
		}
	}
}

func TestHarmlessActions(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]bool{
		"s3:ListBucket": true, "ec2:DescribeInstances": true, "glue:GetTable": true, "glue:BatchGetPartition": true, "logs:PutLogEvents": true, "STS:GetCallerIdentity": true,
		"s3:GetObject": false, "glue:CreateTable": false, "secretsmanager:GetSecretValue": false, "kms:Decrypt": false, "s3": false, "": false,
	} {
		if got := isHarmless(action); got != want {
			t.Errorf("%q: %t, want %t", action, got, want)
		}
	}
}
