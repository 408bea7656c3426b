package docs_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	// maxPackage is how many lines a package may have, so that somebody can know all of
	// it. Tests are not counted; comments and blank lines are.
	maxPackage = 1500
	// maxFunction is how many lines may stand between the braces of a function.
	maxFunction = 60
)

// largePackages may have more lines, and why.
var largePackages = map[string]string{
	"pkg/rbac": "one algorithm, which is compared as a whole with the API server's authorizer",
}

// longFunction is the directive by which a function may be longer; linters read it too.
var longFunction = regexp.MustCompile(`//nolint:[a-z,]*\bfunlen\b[a-z,]* // \S+ \S+`)

// sourceFile is a Go file that is no test.
type sourceFile struct {
	path  string
	lines int
	text  []byte
	*ast.File
}

// sourceFiles are the Go files below some folders, by package; no tests.
func sourceFiles(t *testing.T, files *token.FileSet, tops ...string) map[string][]sourceFile {
	t.Helper()
	packages := map[string][]sourceFile{}
	for _, top := range tops {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			parsed, err := parser.ParseFile(files, path, text, parser.ParseComments)
			if err != nil {
				return err
			}
			folder, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			name := filepath.ToSlash(folder)
			packages[name] = append(packages[name], sourceFile{path: path, lines: bytes.Count(text, []byte("\n")), text: text, File: parsed})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(packages) < 20 {
		t.Errorf("only %d packages were found", len(packages))
	}
	return packages
}

func TestPackagesAreSmall(t *testing.T) {
	for name, list := range sourceFiles(t, token.NewFileSet(), "pkg", "cmd") {
		lines := 0
		for i := range list {
			lines += list[i].lines
		}
		_, large := largePackages[name]
		switch {
		case lines > maxPackage && !large:
			t.Errorf("%s has %d lines without tests, more than %d: make two packages of it", name, lines, maxPackage)
		case lines <= maxPackage && large:
			t.Errorf("%s has %d lines: it need not be among largePackages", name, lines)
		}
	}
}

// A function over the limit says why by `//nolint:funlen // reason`, in its comment or on
// its first line.
func TestFunctionsAreShort(t *testing.T) {
	files := token.NewFileSet()
	for _, list := range sourceFiles(t, files, "pkg", "cmd") {
		for i := range list {
			for _, d := range list[i].Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				first, last := files.Position(f.Pos()), files.Position(f.End())
				if n := last.Line - first.Line - 1; n > maxFunction && !longFunction.Match(head(&list[i], f)) {
					t.Errorf("%s:%d: %s has %d lines, more than %d: make two functions of it, or say why not by //nolint:funlen // reason", first.Filename, first.Line, f.Name.Name, n, maxFunction)
				}
			}
		}
	}
}

// head is the text of a function's comment and of its first line.
func head(file *sourceFile, f *ast.FuncDecl) []byte {
	from := f.Pos()
	if f.Doc != nil {
		from = f.Doc.Pos()
	}
	begin, signature := int(from-file.FileStart), int(f.Body.Lbrace-file.FileStart)
	end := bytes.IndexByte(file.text[signature:], '\n')
	return file.text[begin : signature+max(end, 0)]
}

func TestPackagesHaveDocumentation(t *testing.T) {
	for name, list := range sourceFiles(t, token.NewFileSet(), "pkg", "cmd", "test") {
		begin := "Package " + list[0].Name.Name + " "
		if list[0].Name.Name == "main" {
			begin = "" // of a program
		}
		documented := slices.IndexFunc(list, func(f sourceFile) bool { return f.Doc != nil })
		switch {
		case documented < 0:
			t.Errorf("%s says nowhere what the package is for: write a comment above its package clause", name)
		case !strings.HasPrefix(list[documented].Doc.Text(), begin):
			t.Errorf("%s: the comment above the package clause does not begin with %q", list[documented].path, begin)
		}
	}
}
