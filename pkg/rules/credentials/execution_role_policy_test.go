package credentials_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/rules/credentials"
	"github.com/emrguard/emrguard/pkg/rules/internal/ruletest"
)

// The roles of an account are judged like the objects of ACK, with all the policies
// that are attached to them.
func TestRolesOfAnAccount(t *testing.T) {
	t.Parallel()
	roles, err := iam.ReadAccountDetails(strings.NewReader(`{
	  "RoleDetailList": [{
	    "Path": "/", "RoleName": "JobExecutionRole", "Arn": "arn:aws:iam::123456789012:role/JobExecutionRole",
	    "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Federated%22%3A%22arn%3Aaws%3Aiam%3A%3A123456789012%3Aoidc-provider%2Foidc.eks.us-east-1.amazonaws.com%2Fid%2FEXAMPLE%22%7D%2C%22Action%22%3A%22sts%3AAssumeRoleWithWebIdentity%22%2C%22Condition%22%3A%7B%22StringLike%22%3A%7B%22oidc.eks.us-east-1.amazonaws.com%2Fid%2FEXAMPLE%3Asub%22%3A%22system%3Aserviceaccount%3Aemr-jobs%3Aemr-containers%2A%22%7D%7D%7D%5D%7D",
	    "RolePolicyList": [{"PolicyName": "inline", "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}}}],
	    "AttachedManagedPolicies": [
	      {"PolicyName": "attached", "PolicyArn": "arn:aws:iam::123456789012:policy/attached"},
	      {"PolicyName": "PowerUserAccess", "PolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}]
	  }],
	  "Policies": [
	    {"Arn": "arn:aws:iam::123456789012:policy/attached", "PolicyVersionList": [{"IsDefaultVersion": true, "Document": {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}}]},
	    {"Arn": "arn:aws:iam::aws:policy/PowerUserAccess", "PolicyVersionList": [{"IsDefaultVersion": true, "Document": {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}}]}]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(roles) != 1 {
		t.Fatalf("the roles are %+v", roles)
	}
	var got []string
	for _, f := range ruletest.Find(t, credentials.ExecutionRolePolicy(), ruletest.Request(t, string(roles[0].JSON))) {
		got = append(got, f.Text())
	}
	want := []string{
		`the trust policy lets ServiceAccounts assume the role whose names are not reserved for EMR: "system:serviceaccount:emr-jobs:emr-containers*"`,
		"the trust policy does not say for which audience a token has to be",
		`the policy "attached" allows all actions of s3 on "*"`,
		`the policy "inline" allows all actions of sqs on "*"`,
		"the policy PowerUserAccess of AWS gives far more than jobs need",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
