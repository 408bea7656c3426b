package emr_test

import (
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/emr"
)

// The vectors of the AWS CLI's own unit tests, of public dumps of real clusters,
// and computed ones.
func TestRoleNameCodec(t *testing.T) {
	t.Parallel()
	for _, v := range []struct{ name, suffix string }{
		{"", "0"},
		{"abcdefghijkl", "2x6xx5ubcrus4bplmr0"},
		{"+=,.@-_", "3bu5b0xg4tb"},
		{"abcdefghijkl+=,.@-_", "1ll75jdngh5gbk11wbh7h35ji05wtb"},
		{"ts-eks-emr-eks-emr-cli", "j3uv6jk0kk3sogu231qj91fmo3mvwfl561"},
		{"pin-aws-eks-poc1-emr-team-a", "76simz7hn0n7qw78flb3z0c1ldt10ou9nmbeg8sh29"},
		{"EMRContainers-JobExecutionRole", "189nnyj7mn9w2lqiewgg1u0l3jhmo0z69yjkj9u6qhosj8l"},
		{"JobExecutionRole", "4en4r3jtsjjcf75iqnuasdqp1"},
		{"JobExecutionRoleIRSAv2", "c7ohmynrs14q04uudoef8n97xdufwajzua"},
	} {
		if got := emr.EncodeRoleName(v.name); got != v.suffix {
			t.Errorf("EncodeRoleName(%q) = %q, want %q", v.name, got, v.suffix)
		}
		if got, err := emr.DecodeRoleName(v.suffix); err != nil || got != v.name {
			t.Errorf("DecodeRoleName(%q) = %q, %v, want %q", v.suffix, got, err, v.name)
		}
	}
}

// The example of the EMR documentation was made from a name with a line break.
func TestDocumentedExampleDecodesToLineBreak(t *testing.T) {
	t.Parallel()
	const documented = "2eum5fah1jc1kwyjc19ikdhdkdegh1n26vbe"
	got, err := emr.DecodeRoleName(documented)
	if err != nil || got != "JobExecutionRoleIRSAv2\n" {
		t.Fatalf("DecodeRoleName(%q) = %q, %v, want the role name and a line break", documented, got, err)
	}
	if right := emr.EncodeRoleName("JobExecutionRoleIRSAv2"); right == documented {
		t.Fatalf("EncodeRoleName makes the documented suffix %q of the name without line break", right)
	}
}

func TestDecodeRoleNameErrors(t *testing.T) {
	t.Parallel()
	for name, suffix := range map[string]string{
		"empty":      "",
		"upper case": "4EN4R3JTSJJCF75IQNUASDQP1",
		"sign":       "-4en4",
		"underscore": "4en4_r3j",
		"too long":   strings.Repeat("z", 101),
	} {
		if got, err := emr.DecodeRoleName(suffix); err == nil {
			t.Errorf("%s: DecodeRoleName(%q) = %q without error", name, suffix, got)
		}
	}
}

func FuzzRoleNameRoundTrip(f *testing.F) {
	f.Add("JobExecutionRole")
	f.Add("+=,.@-_")
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 64 || strings.HasPrefix(name, "\x00") {
			t.Skip("no role name: too long, or begins with a zero byte, which no number keeps")
		}
		got, err := emr.DecodeRoleName(emr.EncodeRoleName(name))
		if err != nil || got != name {
			t.Fatalf("round trip of %q: %q, %v", name, got, err)
		}
	})
}

func TestParseAccount(t *testing.T) {
	t.Parallel()
	const acct, sfx = "123456789012", "4en4r3jtsjjcf75iqnuasdqp1"
	for _, c := range []struct {
		name string
		want emr.Account
		ok   bool
	}{
		{"emr-containers-sa-spark-driver-" + acct + "-" + sfx, emr.Account{Framework: "spark", Component: "driver", AccountID: acct, Suffix: sfx}, true},
		{"emr-containers-sa-spark-jeg-kernel-" + acct + "-" + sfx, emr.Account{Framework: "spark", Component: "jeg-kernel", AccountID: acct, Suffix: sfx}, true},
		{"emr-containers-sa-spark-client-" + sfx, emr.Account{Framework: "spark", Component: "client", Suffix: sfx}, true},
		{"emr-containers-sa-spark-operator", emr.Account{Framework: "spark"}, true},
		{"emr-containers-sa-livy", emr.Account{Framework: "livy"}, true},
		{"emr-container-sa-spark-livy", emr.Account{Framework: "spark"}, true},
		{"emr-containers-sa-spark", emr.Account{Framework: "spark"}, true},
		// Named by hand: the tail decodes to no role name.
		{"emr-containers-sa-spark-driver-foo", emr.Account{Framework: "spark"}, true},
		// The wildcards of the trust policy match anything; its tail decides.
		{"emr-containers-sa-a.b-c-999999999999-x-" + acct + "-" + sfx, emr.Account{Framework: "a.b", Component: "c-999999999999-x", AccountID: acct, Suffix: sfx}, true},
		{"default", emr.Account{}, false},
		{"my-emr-containers-sa-spark-driver", emr.Account{}, false},
		{"emr-containers-sa", emr.Account{}, false},
	} {
		got, ok := emr.ParseAccount(c.name)
		if c.ok {
			c.want.Name = c.name
		}
		if got != c.want || ok != c.ok {
			t.Errorf("ParseAccount(%q) = %+v, %t, want %+v, %t", c.name, got, ok, c.want, c.ok)
		}
		if emr.IsManagedName(c.name) != c.ok {
			t.Errorf("IsManagedName(%q) = %t, want %t", c.name, !c.ok, c.ok)
		}
	}
}

func TestSameRole(t *testing.T) {
	t.Parallel()
	parse := func(name string) emr.Account { a, _ := emr.ParseAccount(name); return a }
	driver := parse("emr-containers-sa-spark-driver-123456789012-4en4r3jtsjjcf75iqnuasdqp1")
	for name, want := range map[string]bool{
		"emr-containers-sa-spark-executor-123456789012-4en4r3jtsjjcf75iqnuasdqp1": true,
		"emr-containers-sa-spark-executor-210987654321-4en4r3jtsjjcf75iqnuasdqp1": false,
		"emr-containers-sa-spark-executor-123456789012-c7ohmynrs14q04uudoef8n97x": false,
		"emr-containers-sa-spark": false,
	} {
		if got := driver.SameRole(parse(name)); got != want {
			t.Errorf("SameRole(%q) = %t, want %t", name, got, want)
		}
	}
	none := parse("emr-containers-sa-spark")
	if none.SameRole(none) {
		t.Error("a name without a role shares one with itself")
	}
}

func TestParseRoleARN(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{
		"arn:aws:iam::123456789012:role/JobExecutionRole",
		"arn:aws-cn:iam::123456789012:role/JobExecutionRole",
		"arn:aws-us-gov:iam::123456789012:role/team/a/JobExecutionRole",
		"arn:aws-iso-b:iam::123456789012:role/JobExecutionRole",
		"arn:aws-eusc:iam::123456789012:role/+=,.@-_",
	} {
		got, err := emr.ParseRoleARN(arn)
		if err != nil {
			t.Errorf("ParseRoleARN(%q): %v", arn, err)
			continue
		}
		if got.String() != arn {
			t.Errorf("ParseRoleARN(%q).String() = %q", arn, got)
		}
	}
	for _, c := range []struct{ arn, why string }{
		{"", "form"},
		{"JobExecutionRole", "form"},
		{"ARN:aws:iam::123456789012:role/x", "form"},
		{"arn:azure:iam::123456789012:role/x", "partition"},
		{"arn:aws-:iam::123456789012:role/x", "partition"},
		{"arn:aws:sts::123456789012:role/x", "service"},
		{"arn:aws:iam:us-east-1:123456789012:role/x", "region"},
		{"arn:aws:iam::12345678901:role/x", "twelve"},
		{"arn:aws:iam::*:role/x", "twelve"},
		{"arn:aws:iam::123456789012:user/x", "role/"},
		{"arn:aws:iam::123456789012:role/", "role name"},
		{"arn:aws:iam::123456789012:role/a b", "role name"},
		{"arn:aws:iam::123456789012:role/x*", "role name"},
		{"arn:aws:iam::123456789012:role/x\n", "role name"},
		{"arn:aws:iam::123456789012:role/a\tb/x", "path"},
		{"arn:aws:iam::123456789012:role/" + strings.Repeat("x", 65), "role name"},
	} {
		if got, err := emr.ParseRoleARN(c.arn); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("ParseRoleARN(%q) = %+v, %v, want an error about %q", c.arn, got, err, c.why)
		}
	}
}

func TestCarries(t *testing.T) {
	t.Parallel()
	full, _ := emr.ParseAccount("emr-containers-sa-spark-driver-123456789012-4en4r3jtsjjcf75iqnuasdqp1")
	older, _ := emr.ParseAccount("emr-containers-sa-spark-driver-4en4r3jtsjjcf75iqnuasdqp1")
	for _, c := range []struct {
		arn         string
		full, older bool
	}{
		{"arn:aws:iam::123456789012:role/JobExecutionRole", true, true},
		{"arn:aws-cn:iam::123456789012:role/a/b/JobExecutionRole", true, true}, // a path is not encoded
		{"arn:aws:iam::210987654321:role/JobExecutionRole", false, true},
		{"arn:aws:iam::123456789012:role/jobexecutionrole", false, false},
	} {
		role, err := emr.ParseRoleARN(c.arn)
		if err != nil {
			t.Fatal(err)
		}
		if got := full.Carries(role); got != c.full {
			t.Errorf("full name carries %q: %t, want %t", c.arn, got, c.full)
		}
		if got := older.Carries(role); got != c.older {
			t.Errorf("older name carries %q: %t, want %t", c.arn, got, c.older)
		}
	}
}

func TestIsSparkDefaultsName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"0000000337okspsc913-spark-defaults": true,
		"spark-defaults":                     false,
		"team-a-spark-defaults":              false, // somebody's own
		"0000000337okspsc913-spark-default":  false,
	} {
		if got := emr.IsSparkDefaultsName(name); got != want {
			t.Errorf("IsSparkDefaultsName(%q) = %t, want %t", name, got, want)
		}
	}
}
