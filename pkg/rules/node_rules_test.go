package rules_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/object"
	"github.com/emrguard/emrguard/pkg/rule"
	"github.com/emrguard/emrguard/pkg/rules"
)

// found asks one rule about an object and returns the messages.
func found(t *testing.T, id, manifest string) []string {
	t.Helper()
	all := rules.All()
	i := slices.IndexFunc(all, func(r rule.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("there is no rule %s", id)
	}
	check, err := all[i].New(rule.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var kind struct{ APIVersion, Kind string }
	if err := json.Unmarshal([]byte(manifest), &kind); err != nil {
		t.Fatal(err)
	}
	resource, ok := object.FindKind(schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind).GroupKind())
	if !ok {
		t.Fatalf("nothing reads %s", kind.Kind)
	}
	o, err := object.Decode(resource, []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var rep rule.Report
	rep.Begin(&all[i])
	r := &rule.Request{
		Operation: rule.Create, Resource: resource.GroupResource(), Namespace: "emr-jobs", Managed: true, Object: o,
		Requester:         rule.Requester{Class: rule.Nobody},
		IsManaged:         func(namespace string) bool { return namespace == "emr-jobs" },
		ManagedNamespaces: func() []string { return []string{"emr-jobs"} },
	}
	if err := check(t.Context(), r, &rep); err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, f := range rep.Findings() {
		messages = append(messages, f.Message)
	}
	return messages
}

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
	got := found(t, "execution-role-policy", string(roles[0].JSON))
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

// Older API servers stored ranges in forms that newer ones refuse.
func TestRangesOfNetworkPolicies(t *testing.T) {
	t.Parallel()
	for block, open := range map[string]bool{
		`{"cidr": "169.254.169.254/32"}`:                                                true,
		`{"cidr": "169.254.169.1/24"}`:                                                  true, // bits below the mask
		`{"cidr": "169.254.169.254/0"}`:                                                 true,
		`{"cidr": "000.0.0.0/0"}`:                                                       true,
		`{"cidr": "169.254.0169.0/24"}`:                                                 true,
		`{"cidr": "::ffff:169.254.169.254/128"}`:                                        true,
		`{"cidr": "::ffff:0.0.0.0/96"}`:                                                 true,
		`{"cidr": "FD00:EC2::/32"}`:                                                     true,
		`{"cidr": "fd00:0ec2:0:0::0254/128"}`:                                           true,
		`{"cidr": "::/0", "except": ["169.254.169.254/32"]}`:                            true,
		`{"cidr": "0.0.0.0/0", "except": ["169.254.169.253/32", "169.254.169.255/32"]}`: true,
		`{"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "169.254.169.254/32"]}`:         false,
		`{"cidr": "0.0.0.0/0", "except": ["::ffff:169.254.169.254/128"]}`:               false,
		`{"cidr": "169.254.169.253/32"}`:                                                false,
		`{"cidr": "169.254.0.0/17"}`:                                                    false,
		`{"cidr": "fd00:ec2::23/128"}`:                                                  false,
		`{"cidr": "169.254.169.254"}`:                                                   false, // cannot be stored
		`{"cidr": "anything/32"}`:                                                       false,
		`{"cidr": ""}`:                                                                  false,
		`{}`:                                                                            false,
	} {
		got := found(t, "imds-network-policy", `{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"},
			"spec": {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": `+block+`}]}]}}`)
		if (len(got) > 0) != open {
			t.Errorf("%s: found %q, want a finding: %t", block, got, open)
		}
	}
}

// Whatever an object lacks, no rule panics or finds something by that alone.
func TestHollowObjects(t *testing.T) {
	t.Parallel()
	for id, kinds := range map[string][]string{
		"imds-network-policy":         {`"networking.k8s.io/v1", "kind": "NetworkPolicy"`},
		"karpenter-instance-metadata": {`"karpenter.k8s.aws/v1", "kind": "EC2NodeClass"`},
		"execution-role-policy":       {`"iam.services.k8s.aws/v1alpha1", "kind": "Role"`},
		"vpc-cni-credentials":         {`"v1", "kind": "ServiceAccount"`},
	} {
		for _, kind := range kinds {
			for _, spec := range []string{"", `, "spec": {}`, `, "spec": null`} {
				if kind == `"v1", "kind": "ServiceAccount"` {
					spec = ""
				}
				if got := found(t, id, `{"apiVersion": `+kind+`, "metadata": {"name": "x"}`+spec+`}`); len(got) > 0 {
					t.Errorf("%s of %s with %q: %q", id, kind, spec, got)
				}
			}
		}
	}
	got := found(t, "imds-network-policy", `{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"},
		"spec": {"egress": [{"ports": [{}], "to": [{}]}]}}`)
	if len(got) > 0 {
		t.Errorf("a peer that is nothing: %q", got)
	}
}

func TestParametersOfNodeRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, params, want string }{
		{"imds-network-policy", `{"blockedElsewhere": [""]}`, "rules[imds-network-policy].params: blockedElsewhere[0]: the pattern is empty"},
		{"imds-network-policy", `{"blocked": true}`, `unknown field "blocked"`},
		{"karpenter-instance-metadata", `{"hopLimit": 0}`, "hopLimit: 0 is not in 1 to 64"},
		{"karpenter-instance-metadata", `{"hopLimit": 65}`, "hopLimit: 65 is not in 1 to 64"},
		{"execution-role-policy", `{"executionRoles": [""]}`, "executionRoles[0]: the pattern is empty"},
		{"execution-role-policy", `{"executionRoles": ["arn:aws:iam::123456789012:role/"]}`, "executionRoles[0]: it ends in /: a role's name belongs there"},
		{"vpc-cni-credentials", `{"x": 1}`, `unknown field "x"`},
	} {
		all := rules.All()
		r := all[slices.IndexFunc(all, func(r rule.Rule) bool { return r.ID == c.id })]
		_, err := r.New(rule.Settings{Params: map[string]json.RawMessage{c.id: json.RawMessage(c.params)}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: the error is %v, want %q", c.id, c.params, err, c.want)
		}
	}
}
