package pattern_test

import (
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/pattern"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	const slr = "arn:*:sts::*:assumed-role/AWSServiceRoleForAmazonEMRContainers/*"
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"emr-containers", "emr-containers", true},
		{"emr-containers", "emr-containers2", false},
		{"emr-containers", "EMR-containers", false},
		{"oncall-*", "oncall-ann", true},
		{"oncall-*", "oncall", false},
		{"*", "", true},
		{"*", "a:b/c", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"*-spark", "x-spark-y", false},
		{"*aa", "aaa", true},
		{slr, "arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForAmazonEMRContainers/session", true},
		{slr, "arn:aws-cn:sts::123456789012:assumed-role/AWSServiceRoleForAmazonEMRContainers/s", true},
		// A wildcard never reaches into another part of an ARN.
		{slr, "arn:aws:sts::1:assumed-role/Evil/x:assumed-role/AWSServiceRoleForAmazonEMRContainers/s", false},
		{slr, "arn:aws:sts::1:assumed-role/AWSServiceRoleForAmazonEMRContainers/s/t", false},
		{"arn:aws:iam::123456789012:role/team-a-*", "arn:aws:iam::123456789012:role/team-a-etl", true},
		{"arn:aws:iam::123456789012:role/*-etl", "arn:aws:iam::123456789012:role/path/team-a-etl", false},
		{"arn:aws:iam::123456789012:role/*a*b", "arn:aws:iam::123456789012:role/xaxaxb", true},
	} {
		p, err := pattern.Parse(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(c.s); got != c.want {
			t.Errorf("%q matches %q: %t, want %t", c.pattern, c.s, got, c.want)
		}
	}
}

func TestParseSetNamesPosition(t *testing.T) {
	t.Parallel()
	if _, err := pattern.ParseSet([]string{"a", ""}); err == nil || !strings.HasPrefix(err.Error(), "[1]:") {
		t.Errorf("ParseSet with an empty second pattern: %v, want an error that begins with [1]:", err)
	}
	set, err := pattern.ParseSet([]string{"a", "b*"})
	if err != nil {
		t.Fatal(err)
	}
	if !set.Match("bc") || set.Match("c") {
		t.Error(`the set of "a" and "b*" matches the wrong names`)
	}
	if pattern.Set(nil).Match("") || (pattern.Pattern{}).Match("") {
		t.Error("nothing matches something")
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("arn:*:sts::*:x/*", "arn:aws:sts::1:x/y")
	f.Add("a*b*c", "abcabc")
	f.Fuzz(func(t *testing.T, text, s string) {
		if len(text) > 200 || len(s) > 200 {
			t.Skip("longer than any name")
		}
		p, err := pattern.Parse(text)
		if err != nil {
			t.Skip("no pattern")
		}
		// A pattern without wildcard is the text itself, and every pattern fits
		// what one gets by leaving its wildcards out.
		if got := p.Match(s); !strings.Contains(text, "*") && got != (text == s) {
			t.Errorf("literal %q matches %q: %t", text, s, got)
		}
		if literal := strings.ReplaceAll(text, "*", ""); !p.Match(literal) {
			t.Errorf("%q does not match %q", text, literal)
		}
	})
}
