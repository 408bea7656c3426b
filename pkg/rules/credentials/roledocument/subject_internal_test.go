package roledocument

import (
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
)

// The subjects of a trust policy, as IAM matches them: a wildcard stands for any
// characters, colons too.
func TestSubjects(t *testing.T) {
	t.Parallel()
	spark := emr.EncodeRoleName("Spark")
	for text, c := range map[string]struct {
		namespace, account string
		never              bool
		wide               *rule.Reason
	}{
		"system:serviceaccount:emr:emr-containers-sa-*-*-123456789012-" + spark: {"emr", "emr-containers-sa-*-*-123456789012-" + spark, false, nil},
		"system:serviceaccount:emr:etl":                                         {"emr", "etl", false, nil},
		"system:serviceaccount:emr:emr-containers-sa-*-*-123456789012-zzz":      {"emr", "emr-containers-sa-*-*-123456789012-zzz", false, &otherRole},
		"system:serviceaccount:emr:emr-containers-sa-*":                         {"emr", "emr-containers-sa-*", false, &otherRoles},
		"system:serviceaccount:emr:*":                                           {"emr", "*", false, &unreservedNames},
		"system:serviceaccount:emr*":                                            {"emr*", "*", false, &manyNamespaces},
		"system:serviceaccount:*:etl":                                           {"*", "etl", false, &manyNamespaces},
		"system:serviceaccount:?mr:etl":                                         {"?mr", "etl", false, &manyNamespaces},
		"system:*":                                                              {"*", "*", false, &manyNamespaces},
		"*":                                                                     {"*", "*", false, &manyNamespaces},
		"system:serviceaccount:emr":                                             {"", "", true, nil},
		"system:node:*":                                                         {"", "", true, nil},
		"repo:team/app:*":                                                       {"", "", true, nil},
		"":                                                                      {"", "", true, nil},
	} {
		got := readSubject(text)
		if got.namespace != c.namespace || got.account != c.account || got.never != c.never {
			t.Errorf("%q: read as %+v", text, got)
		}
		if w := got.tooWide("Spark"); w.reason != c.wide {
			t.Errorf("%q is too wide for %v, want %v", text, w.reason, c.wide)
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
