package roledocument_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/emr"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules/credentials/roledocument"
)

const trustHead = `{"Statement": {"Sid": "Jobs", "Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/A"}, "Action": "sts:AssumeRoleWithWebIdentity"`

// Texts have all their arguments: remedies on subjects say the suffix of the role, however
// many arguments the message has.
func TestTextsOfTrust(t *testing.T) {
	t.Parallel()
	suffix := "-" + emr.EncodeRoleName("Spark") + ","
	for conditions, want := range map[string][]string{
		`}}`: {"every-service-account", "no-audience"},
		`, "Condition": {"StringLike": {"x:sub": "system:serviceaccount:*:etl"}, "StringEquals": {"x:aud": "sts.amazonaws.com"}}}}`:                                                           {"several-namespaces"},
		`, "Condition": {"StringLike": {"x:sub": "system:serviceaccount:emr:*"}, "StringEquals": {"x:aud": "sts.amazonaws.com"}}}}`:                                                           {"unreserved-names"},
		`, "Condition": {"StringLike": {"x:sub": "system:serviceaccount:emr:emr-containers-sa-*"}, "StringEquals": {"x:aud": "sts.amazonaws.com"}}}}`:                                         {"accounts-of-other-roles"},
		`, "Condition": {"StringLike": {"x:sub": "system:serviceaccount:emr:emr-containers-sa-*-*-1-` + emr.EncodeRoleName("Other") + `"}, "StringEquals": {"x:aud": "sts.amazonaws.com"}}}}`: {"accounts-of-another-role"},
	} {
		document, err := iam.Parse(trustHead + conditions)
		if err != nil {
			t.Fatal(err)
		}
		var rep rule.Report
		rep.Begin(&rule.Rule{ID: "execution-role-policy", Reasons: roledocument.Reasons()})
		roledocument.JudgeTrust(document, "Spark", &rep)
		var got []string
		for _, f := range rep.Findings() {
			got = append(got, f.Reason.Name)
			if text := f.Text(); !strings.HasPrefix(text, `statement "Jobs" of the trust policy `) || strings.Contains(text, "%!") {
				t.Errorf("the message is %q", text)
			}
			if remedy := f.Remedy(); strings.Contains(remedy, "%!") || f.Reason.Name != "no-audience" && !strings.Contains(remedy, suffix) {
				t.Errorf("the remedy of %s is %q, which has no %q", f.Reason.Name, remedy, suffix)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", conditions, got, want)
		}
	}
}
