package docs_test

import (
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/emrguard/emrguard/"

var (
	packageRow = regexp.MustCompile("(?m)^\\| `((?:pkg|cmd)/[^`]+)` \\| [^|]+ \\|$")
	folderRow  = regexp.MustCompile("`((?:charts|config|docs|test)(?:/[^`]+)?)`")
)

// The table of packages is complete, names nothing else, and each package imports only
// packages that stand above it.
func TestPackagesOfTheArchitecture(t *testing.T) {
	page := read(t, "ARCHITECTURE.md")
	var listed []string
	for _, m := range packageRow.FindAllStringSubmatch(page, -1) {
		if slices.Contains(listed, m[1]) {
			t.Errorf("ARCHITECTURE.md lists %s twice", m[1])
		}
		listed = append(listed, m[1])
	}
	imports := packageImports(t, listed)
	for name := range imports {
		if !slices.Contains(listed, name) {
			t.Errorf("ARCHITECTURE.md lacks the package %s: add a row with one sentence, below what it imports", name)
		}
	}
	for i, name := range listed {
		list, ok := imports[name]
		if !ok {
			t.Errorf("ARCHITECTURE.md lists %s, which is no package", name)
		}
		for _, other := range list {
			if !slices.Contains(listed[:i], other) {
				t.Errorf("%s imports %s, which does not stand above it in ARCHITECTURE.md", name, other)
			}
		}
	}
}

// The folders that the page names exist.
func TestFoldersOfTheArchitecture(t *testing.T) {
	for _, m := range folderRow.FindAllStringSubmatch(read(t, "ARCHITECTURE.md"), -1) {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("ARCHITECTURE.md names %s: %v", m[1], err)
		}
	}
}

// packageImports are the packages of the binary and those of ours that each imports,
// tests left out.
// Packages of a folder that is listed as a whole count as one.
func packageImports(t *testing.T, listed []string) map[string][]string {
	t.Helper()
	row := func(name string) string {
		for _, whole := range listed {
			if folder, ok := strings.CutSuffix(whole, "*"); ok && strings.HasPrefix(name, folder) {
				return whole
			}
		}
		return name
	}
	found := map[string][]string{}
	for folder, files := range sourceFiles(t, token.NewFileSet(), "pkg", "cmd") {
		name := row(folder)
		list := found[name]
		for i := range files {
			for _, spec := range files[i].Imports {
				value, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				own, ok := strings.CutPrefix(value, module)
				if name == "cmd/generate" && own == "test/fixtures" { // nobody installs the generator
					continue
				}
				if own = row(own); ok && own != name && !slices.Contains(list, own) {
					list = append(list, own)
				}
			}
		}
		found[name] = list
	}
	if len(found) < 20 {
		t.Errorf("only %d packages were found", len(found))
	}
	return found
}
