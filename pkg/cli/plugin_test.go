package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emrguard/emrguard/pkg/cli"
)

func TestUsageOfThePluginOfKubectl(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		want []string
		not  string
	}{
		{"/usr/local/bin/kubectl-emrguard", []string{"kubectl emrguard check [FILE|FOLDER|-]... [flags]", "  kubectl emrguard check manifests/", "| kubectl emrguard check --config"}, "\n  emrguard check"},
		{"kubectl-emrguard.exe", []string{"kubectl emrguard check [FILE"}, "\n  emrguard check"},
		{"bin/emrguard", []string{"\n  emrguard check [FILE", "\n  emrguard check manifests/"}, "kubectl emrguard"},
	} {
		var out, errOut bytes.Buffer
		if code := cli.ExecuteAs(c.name, []string{"check", "--help"}, &out, &errOut); code != 0 {
			t.Fatalf("%s: exit code %d, %s", c.name, code, &errOut)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s check --help does not say %q:\n%s", c.name, want, &out)
			}
		}
		if strings.Contains(out.String(), c.not) {
			t.Errorf("%s check --help says %q:\n%s", c.name, c.not, &out)
		}
	}
}
