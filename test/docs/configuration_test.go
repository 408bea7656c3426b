package docs_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/emrguard/emrguard/pkg/cli"
	"github.com/emrguard/emrguard/pkg/config"
)

var yamlBlock = regexp.MustCompile("(?ms)^( *)```ya?ml\n(.*?)^ *```")

// configurationKeys are what a configuration file and the chart's values have in
// common.
var configurationKeys = []string{
	"mode", "emr", "administrators", "breakGlass", "trustedSubjects", "credentialProviders", "rules", "overrides", "exemptions",
}

// Every configuration in the documentation is one that emrguard takes. A block of the
// chart's values that has the shape of a configuration is one as well.
func TestConfigurationsOfTheDocumentation(t *testing.T) {
	found := 0
	for _, name := range pages(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			block := strings.ReplaceAll("\n"+m[2], "\n"+m[1], "\n")
			var fields map[string]any
			if err := yaml.Unmarshal([]byte(block), &fields); err != nil {
				continue // several documents, or an excerpt: other tests read those
			}
			switch {
			case fields["kind"] == "GuardConfiguration":
			case fields["kind"] == nil && len(fields) > 0 && onlyConfiguration(fields):
				block = "apiVersion: config.emrguard.dev/v1alpha1\nkind: GuardConfiguration\n" + block
			default:
				continue
			}
			found++
			file := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errOut bytes.Buffer
			if code := cli.Execute([]string{"config", "validate", file}, &out, &errOut); code != 0 {
				t.Errorf("%s has a configuration that emrguard refuses: %s\n%s", name, &errOut, block)
			}
		}
	}
	if found < 2 {
		t.Errorf("only %d configurations were found", found)
	}
}

func onlyConfiguration(fields map[string]any) bool {
	for key := range fields {
		if !slices.Contains(configurationKeys, key) {
			return false
		}
	}
	return true
}

// pages are all pages of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".md":
			list = append(list, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Every field of the configuration is in the reference.
func TestEveryFieldIsInTheReference(t *testing.T) {
	page := read(t, "docs", "configuration-reference.md")
	fields, err := config.Fields()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if !strings.Contains(page, "| `"+f.Path+"` | "+f.Type+" |") {
			t.Errorf("docs/configuration-reference.md lacks the field %s: run make generate", f.Path)
		}
	}
}
