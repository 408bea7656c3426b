package iam_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/aws/iam"
)

// cliTrust is the trust policy that `aws emr-containers update-role-trust-policy`
// writes.
const cliTrust = `{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringLike": {"oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE:sub": "system:serviceaccount:emr:emr-containers-sa-*-*-123456789012-4en4r3jtsjjcf75iqnuasdqp1"}}
  }]
}`

func TestParse(t *testing.T) {
	t.Parallel()
	want := &iam.Document{Version: "2012-10-17", Statements: []iam.Statement{{
		Allow:      true,
		Principals: []iam.Principal{{Type: iam.PrincipalFederated, Value: "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE"}},
		Actions:    []string{"sts:AssumeRoleWithWebIdentity"},
		Conditions: []iam.Condition{{
			Operator: "stringlike", Key: "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE:sub",
			Values: []string{"system:serviceaccount:emr:emr-containers-sa-*-*-123456789012-4en4r3jtsjjcf75iqnuasdqp1"},
		}},
	}}}
	for name, text := range map[string]string{
		"JSON":                    cliTrust,
		"encoded for a URL":       url.PathEscape(cliTrust),
		"in a JSON string":        `"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(cliTrust) + `"`,
		"encoded, in JSON string": `"` + url.PathEscape(cliTrust) + `"`,
		"between blanks":          "\n " + cliTrust + "\t\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := iam.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A plus sign is itself in a URL's path; only forms read it as a blank.
func TestParsePlus(t *testing.T) {
	t.Parallel()
	d, err := iam.Parse(`%7B"Statement":%7B"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a+b"%7D%7D`)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Statements[0].Resources[0]; got != "arn:aws:s3:::a+b" {
		t.Errorf("the resource is %q", got)
	}
}

func TestParseWholeGrammar(t *testing.T) {
	t.Parallel()
	d, err := iam.Parse(`{
	  "Version": "2008-10-17", "Id": "all", "Statement": {
	    "Sid": "One", "Effect": "Deny",
	    "NotPrincipal": {"AWS": ["arn:aws:iam::123456789012:root", "123456789012"], "Service": "ec2.amazonaws.com", "CanonicalUser": "79a59d"},
	    "NotAction": ["s3:Get*", "s3:List*"],
	    "NotResource": "arn:aws:s3:::bucket/*",
	    "Condition": {
	      "Bool": {"aws:SecureTransport": true},
	      "NumericLessThan": {"s3:max-keys": 10},
	      "ForAllValues:StringEqualsIfExists": {"aws:TagKeys": ["a", "b"]},
	      "ForAnyValue:StringLike": {"aws:x": "*"}
	    }}}`)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Statements[0]
	if d.ID != "all" || s.Sid != "One" || s.Allow || len(s.NotPrincipals) != 4 || len(s.NotActions) != 2 || len(s.NotResources) != 1 {
		t.Errorf("got %+v", d)
	}
	want := []iam.Condition{
		{Operator: "bool", Key: "aws:SecureTransport", Values: []string{"true"}},
		{Operator: "numericlessthan", Key: "s3:max-keys", Values: []string{"10"}},
		{Operator: "stringequals", ForAllValues: true, IfExists: true, Key: "aws:TagKeys", Values: []string{"a", "b"}},
		{Operator: "stringlike", Key: "aws:x", Values: []string{"*"}},
	}
	if !reflect.DeepEqual(s.Conditions, want) {
		t.Errorf("the conditions are %+v", s.Conditions)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	statement := func(s string) string { return `{"Statement": [{"Effect": "Deny", "Action": "*"}, {` + s + `}]}` }
	for text, want := range map[string]string{
		"":                                     "no JSON",
		"{":                                    "no JSON",
		"[]":                                   "no JSON object",
		`"text"`:                               "no JSON",
		`{} {}`:                                "followed by something else",
		`{"Statement": []}`:                    "Statement: there is none",
		`{"Version": "2012-10-17"}`:            "Statement: there is none",
		`{"Version": "2024-01-01"}`:            `Version: "2024-01-01" is none of`,
		`{"statement": []}`:                    "statement: a policy document has no such element",
		`{"Statement": ["x"]}`:                 "Statement[0]: it is no object",
		`{"Statement": {}, "Statement": {}}`:   "Statement: it is given twice",
		`%7B%`:                                 "not encoded",
		strings.Repeat(" ", iam.MaxDocument*4): "no JSON",
		`{"Id": "` + strings.Repeat("x", iam.MaxDocument) + `"}`:                                           "longer than",
		strings.Repeat("%20", iam.MaxDocument) + "%7B%7D":                                                  "longer than",
		strings.Repeat(`{"Statement":`, 100):                                                               "nested too deeply",
		`{"Statement":` + strings.Repeat("[", 100):                                                         "nested too deeply",
		statement(`"Action": "*"`):                                                                         "Statement[1].Effect: it is missing",
		statement(`"Effect": "allow", "Action": "*"`):                                                      `Statement[1].Effect: "allow" is neither`,
		statement(`"Effect": "Allow"`):                                                                     "Statement[1].Action: it is missing",
		statement(`"Effect": "Allow", "Action": []`):                                                       "Statement[1].Action: it is neither a string nor a list",
		statement(`"Effect": "Allow", "Action": ["a:b", 3]`):                                               "Statement[1].Action[1]: it is no string",
		statement(`"Effect": "Allow", "Action": "*", "NotAction": "x"`):                                    "Statement[1].Action: it stands beside NotAction",
		statement(`"Effect": "Allow", "Action": "*", "Actions": "x"`):                                      "Statement[1].Actions: a statement has no such element",
		statement(`"Effect": "Allow", "Action": "*", "Principal": "x"`):                                    `Statement[1].Principal: "x" is neither`,
		statement(`"Effect": "Allow", "Action": "*", "Principal": {}`):                                     "Statement[1].Principal: it is empty",
		statement(`"Effect": "Allow", "Action": "*", "Principal": {"aws": "*"}`):                           "Statement[1].Principal.aws: there is no such type",
		statement(`"Effect": "Allow", "Action": "*", "Condition": []`):                                     "Statement[1].Condition: it is no map",
		statement(`"Effect": "Allow", "Action": "*", "Condition": {"StringLike": "x"}`):                    "Statement[1].Condition.StringLike: it is no map",
		statement(`"Effect": "Allow", "Action": "*", "Condition": {"StringLike": {"a": {}}}`):              "Statement[1].Condition.StringLike.a: a value is no",
		statement(`"Effect": "Allow", "Action": "*", "Condition": {"StringLike": {"a": "x", "a": ["x"]}}`): "Statement[1].Condition.StringLike.a: it is given twice",
	} {
		d, err := iam.Parse(text)
		if err == nil {
			t.Errorf("%.80s: no error, got %+v", text, d)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: the error is %q, want %q", text, err, want)
		}
	}
}

func TestConfines(t *testing.T) {
	t.Parallel()
	for operator, want := range map[string]bool{
		"StringEquals": true, "stringequals": true, "StringEqualsIgnoreCase": true, "StringLike": true, "ForAnyValue:StringLike": true, "ArnLike": true, "ArnEquals": true,
		"StringNotEquals": false, "StringNotLike": false, "StringLikeIfExists": false, "ForAllValues:StringLike": false, "ForAnyValue:StringEqualsIfExists": false,
		"Null": false, "Bool": false, "ArnNotLike": false, "StringLikes": false,
	} {
		d, err := iam.Parse(`{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"` + operator + `": {"k": "v"}}}}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Statements[0].Conditions[0].Confines(); got != want {
			t.Errorf("%s confines: %t", operator, got)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		operator string
		values   []string
		want     []string
	}{
		{"stringlike", []string{"a*", "b?"}, []string{"a*", "b?"}},
		{"stringequals", []string{"a*", "b?", "c"}, []string{"c"}},
		{"stringequalsignorecase", []string{"EMR"}, []string{"emr"}},
		{"stringequals", []string{"a-${aws:PrincipalTag/team}-b"}, []string{"a-*-b"}},
		{"stringlike", []string{"${a}${b", "${"}, []string{"*${b", "${"}},
	} {
		condition := iam.Condition{Operator: c.operator, Values: c.values}
		if got := condition.Patterns(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %q: %q, want %q", c.operator, c.values, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(cliTrust)
	f.Add(url.PathEscape(cliTrust))
	f.Add(`{"Statement":{"Effect":"Allow","NotAction":["a"],"Resource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"k":[1,true,"${x}"]}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := iam.Parse(text)
		if err != nil {
			return
		}
		if len(d.Statements) == 0 {
			t.Fatal("a document without statements")
		}
		for i := range d.Statements {
			s := &d.Statements[i]
			if len(s.Actions)+len(s.NotActions) == 0 || len(s.Actions) > 0 && len(s.NotActions) > 0 {
				t.Errorf("statement with the actions %q and %q", s.Actions, s.NotActions)
			}
			if len(s.NotActions) == 0 && s.Covers("sts:AssumeRole") != s.Covers("STS:assumerole") {
				t.Error("actions are distinguished by case")
			}
			for j := range s.Conditions {
				s.Conditions[j].Patterns()
			}
			for _, a := range s.Actions {
				if whole := iam.WholeService(a); whole != "" && whole != "*" && !s.Covers(whole+":x") {
					t.Errorf("%q is all of %q but does not cover it", a, whole)
				}
			}
		}
	})
}
