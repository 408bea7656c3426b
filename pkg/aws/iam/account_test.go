package iam_test

import (
	_ "embed" // the sample
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/emrguard/emrguard/pkg/apis/ack"
	"github.com/emrguard/emrguard/pkg/aws/iam"
	"github.com/emrguard/emrguard/pkg/object"
)

// cliDetails is an account as the AWS CLI prints it.
//
//go:embed testdata/account-cli.json
var cliDetails string

func TestReadAccountDetails(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"as the CLI prints it": cliDetails, "as the API returns it": encodeDocuments(t, cliDetails)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roles, err := iam.ReadAccountDetails(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if len(roles) != 1 || roles[0].Name != "JobExecutionRole" || roles[0].ARN != "arn:aws:iam::123456789012:role/emr/JobExecutionRole" {
				t.Fatalf("the roles are %+v", roles)
			}
			if want := []string{"arn:aws:iam::123456789012:policy/filtered"}; !slices.Equal(roles[0].Missing, want) {
				t.Errorf("missing is %q, want %q", roles[0].Missing, want)
			}
			role := decodeRole(t, roles[0].JSON)
			if role.Spec.Name != "JobExecutionRole" || !strings.Contains(string(roles[0].JSON), `"path":"/emr/"`) || role.Status.ACKResourceMetadata.ARN != roles[0].ARN || len(role.Spec.Policies) != 5 {
				t.Errorf("the role is %+v", role)
			}
			trust, err := iam.Parse(role.Spec.AssumeRolePolicyDocument)
			if err != nil || !trust.Statements[0].Covers("sts:AssumeRoleWithWebIdentity") {
				t.Errorf("the trust policy is %q: %v", role.Spec.AssumeRolePolicyDocument, err)
			}
			got := map[string]string{}
			for name, text := range role.Spec.InlinePolicies {
				d, err := iam.Parse(text)
				if err != nil {
					t.Fatalf("the policy %s: %v", name, err)
				}
				got[name] = d.Statements[0].Actions[0]
			}
			want := map[string]string{
				"data": "s3:GetObject", "logs": "logs:PutLogEvents", "team-data": "s3:*",
				"arn:aws:iam::123456789012:policy/logs": "logs:DescribeLogGroups",
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the policies are %v, want %v", got, want)
			}
		})
	}
}

func decodeRole(t *testing.T, raw []byte) *ack.Role {
	t.Helper()
	resource, ok := object.FindKind(schema.GroupKind{Group: "iam.services.k8s.aws", Kind: "Role"})
	if !ok {
		t.Fatal("nothing reads a Role of ACK")
	}
	o, err := object.Decode(resource, raw)
	if err != nil || o.Unreadable != nil {
		t.Fatal(err, o.Unreadable)
	}
	role, ok := o.Typed.(*ack.Role)
	if !ok {
		t.Fatalf("the role is a %T", o.Typed)
	}
	return role
}

// encodeDocuments turns the documents into strings that are encoded for a URL.
func encodeDocuments(t *testing.T, plain string) string {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(plain), &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, below := range v {
				if key != "Document" && key != "PolicyDocument" && key != "AssumeRolePolicyDocument" {
					walk(below)
					continue
				}
				text, err := json.Marshal(below)
				if err != nil {
					t.Fatal(err)
				}
				v[key] = url.PathEscape(string(text))
			}
		case []any:
			for _, below := range v {
				walk(below)
			}
		}
	}
	walk(tree)
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadAccountDetailsPages(t *testing.T) {
	t.Parallel()
	first := `{"RoleDetailList": [{"RoleName": "b", "AttachedManagedPolicies": [{"PolicyName": "p", "PolicyArn": "arn:aws:iam::123456789012:policy/p"}]}], "IsTruncated": true, "Marker": "x"}`
	second := `{"RoleDetailList": [{"RoleName": "a"}], "Policies": [{"Arn": "arn:aws:iam::123456789012:policy/p", "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v1", "Document": "%7B%7D"}]}]}`
	roles, err := iam.ReadAccountDetails(strings.NewReader(first + "\n" + second))
	if err != nil {
		t.Fatal(err)
	}
	if len(roles) != 2 || roles[0].Name != "a" || roles[1].Name != "b" || len(roles[1].Missing) > 0 {
		t.Fatalf("the roles are %+v", roles)
	}
	if got := decodeRole(t, roles[1].JSON).Spec.InlinePolicies["p"]; got != "{}" {
		t.Errorf("the document of the second page is %q", got)
	}
	for text, want := range map[string]string{
		first:                            "one page of several",
		`{"NextToken": "x"}`:             "one page of several",
		"":                               "EOF",
		"{":                              "unexpected EOF",
		"[]":                             "cannot unmarshal",
		`{"Users": []}`:                  "no role under RoleDetailList",
		`{"RoleDetailList": [{}]}`:       "RoleDetailList[0].RoleName",
		first + ` {"RoleDetailList": 1}`: "cannot unmarshal",
	} {
		if _, err := iam.ReadAccountDetails(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", text, err, want)
		}
	}
}

func FuzzReadAccountDetails(f *testing.F) {
	f.Add(cliDetails)
	f.Add(`{"RoleDetailList": [{"RoleName": "a", "AssumeRolePolicyDocument": "%7B"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		roles, err := iam.ReadAccountDetails(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, r := range roles {
			if !json.Valid(r.JSON) {
				t.Errorf("the role %q is no JSON: %s", r.Name, r.JSON)
			}
		}
	})
}
