package iam_test

import (
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/aws/iam"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a:b/c", true},
		{"a*c", "abbc", true},
		{"a*c", "abbd", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"*ab*ab", "abab", true},
		{"*ab*ab", "ab", false},
		{"a**b", "ab", true},
		{"A", "a", false},
		{strings.Repeat("*a", 500) + "b", strings.Repeat("a", 5000), false},
	} {
		if got := iam.Match(c.pattern, c.s); got != c.want {
			t.Errorf("%.40q fits %.40q: %t", c.s, c.pattern, got)
		}
	}
}

func TestWholeService(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"*": "*", "**": "*", "*?": "*", "*:*": "*", "s*:*": "*", "s3:*": "s3", "S3:*": "s3", "s3:**": "s3", "s3:?*": "s3",
		"?": "", "s3:?": "", "s3:Get*": "", "s3:GetObject": "", "s3": "", "": "", "s3:": "",
	} {
		if got := iam.WholeService(action); got != want {
			t.Errorf("%q is all of %q, want %q", action, got, want)
		}
	}
}

func TestIsEverything(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string][2]bool{ // everything, every role
		"*":                                     {true, true},
		"arn:*":                                 {true, true},
		"arn:aws:s3:::*":                        {true, true},
		"arn:aws:s3:::*/*":                      {true, true},
		"arn:aws:logs:*:*:*":                    {true, true},
		"arn:aws:iam::123456789012:*":           {true, true},
		"arn:aws:iam::123456789012:role/*":      {false, true},
		"arn:aws:iam::*:role/*":                 {false, true},
		"arn:aws:iam::*:rol*":                   {false, true},
		"arn:aws:iam::*:ro?e*":                  {false, true},
		"arn:aws:iam::*:user*":                  {false, false},
		"arn:aws:iam::123456789012:role/*/*":    {false, true},
		"arn:aws:iam::123456789012:role/team/*": {false, false},
		"arn:aws:iam::123456789012:role/x":      {false, false},
		"arn:aws:s3:::bucket/*":                 {false, false},
		"arn:aws:s3:::*-bucket":                 {false, false},
		"arn:aws:s3:::${aws:PrincipalTag/x}/*":  {false, false},
		"":                                      {false, false},
		"role/*":                                {false, false},
	} {
		if got := [2]bool{iam.IsEverything(resource), iam.IsEveryRole(resource)}; got != want {
			t.Errorf("%q: %v, want %v", resource, got, want)
		}
	}
}

func TestIsEveryOfType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		resource, action string
		want             bool
	}{
		{"*", "s3:GetObject", true},
		{"arn:aws:iam::123456789012:role/*", "iam:PutRolePolicy", true},
		{"arn:aws:iam::123456789012:role/*", "sts:AssumeRole", true},
		{"arn:aws:iam::123456789012:rol*", "STS:Assume*", true},
		{"arn:aws:iam::*:r?le/*", "iam:Pass*", true},
		{"arn:aws:iam::123456789012:role/?*", "iam:PassRole", true},
		{"arn:aws:iam::123456789012:role/????", "iam:PassRole", false},
		{"arn:aws:iam::123456789012:role/team-*", "iam:PassRole", false},
		{"arn:aws:iam", "iam:PassRole", true},
		{"arn:aws:secretsmanager:*:123456789012:secret:*", "secretsmanager:GetSecretValue", true},
		{"arn:aws:secretsmanager:*:123456789012:sec*", "secretsmanager:Get*", true},
		{"arn:aws:secretsmanager:*:123456789012:secret:team-*", "secretsmanager:Get*", false},
		{"arn:aws:kms:*:123456789012:key/*", "kms:Decrypt", true},
		{"arn:aws:dynamodb:*:*:table/*", "dynamodb:*Item", true},
		{"arn:aws:dynamodb:*:*:table/*", "s3:GetObject", false},
		{"arn:aws:cloudformation:*:*:stack/*", "cloudformation:DeleteStack", true},
		{"arn:aws:s3:::table/*", "s3:GetObject", false},
		{"arn:aws:sqs:*:*:jobs*", "sqs:SendMessage", false},
		{"", "s3:GetObject", false},
	} {
		if got := iam.IsEveryOfType(c.resource, c.action); got != c.want {
			t.Errorf("%q for %q: %t", c.resource, c.action, got)
		}
	}
}

func TestBroadPolicy(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:iam::aws:policy/AdministratorAccess":              "AdministratorAccess",
		"arn:aws-cn:iam::aws:policy/AdministratorAccess":           "AdministratorAccess",
		"arn:aws:iam::aws:policy/AdministratorAccess-Amplify":      "AdministratorAccess-Amplify",
		"arn:aws:iam::aws:policy/AmazonS3FullAccess":               "AmazonS3FullAccess",
		"arn:aws:iam::aws:policy/job-function/SystemAdministrator": "SystemAdministrator",
		"arn:aws:iam::aws:policy/PowerUserAccess":                  "PowerUserAccess",
		"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess":           "",
		"arn:aws:iam::123456789012:policy/AdministratorAccess":     "",
		"AdministratorAccess":                                      "",
		"":                                                         "",
	} {
		if got := iam.BroadPolicy(arn); got != want {
			t.Errorf("%q is %q, want %q", arn, got, want)
		}
	}
}
