package accesskey_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/rules/internal/accesskey"
)

const (
	withDigit    = "AKIAIOSFODNN7EXAMPLE" // AWS's own example
	withoutDigit = "ASIAQWERTZUIOPASDFGH"
	secret       = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		withDigit:                                {withDigit},
		"x=" + withDigit + ";":                   {withDigit},
		"x" + withDigit:                          nil,
		withDigit + "A":                          nil,
		"AKIA-" + withDigit:                      {withDigit},
		withDigit + " " + withDigit:              {withDigit},
		withoutDigit:                             nil,
		"ASIAPACIFICSOUTHEAST":                   nil,
		"aws_access_key_id = " + withoutDigit:    {withoutDigit},
		withoutDigit + ":" + secret:              {withoutDigit},
		withoutDigit + " " + withDigit:           {withDigit},
		"akiaiosfodnn7example":                   nil,
		withDigit[:19]:                           nil,
		"":                                       nil,
		withoutDigit + strings.Repeat("a", 40):   nil,
		withoutDigit + " " + secret + "x":        nil,
		"region: ASIAPACIFICSOUTHEAST, key: abc": nil,
	} {
		if got := accesskey.Find(text, "", false); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := accesskey.Find(withoutDigit, "", true); !slices.Equal(got, []string{withoutDigit}) {
		t.Errorf("a key by its name: got %q", got)
	}
}

func TestMarkTellsSecretsApart(t *testing.T) {
	t.Parallel()
	if again := accesskey.Mark(withDigit); again != accesskey.Mark(withDigit) || accesskey.Mark(withDigit) == accesskey.Mark(secret) {
		t.Error("the mark does not tell secrets apart")
	}
	if strings.Contains(accesskey.Mark(secret), secret) {
		t.Error("the mark holds the secret")
	}
}
