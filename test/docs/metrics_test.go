package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/emrguard/emrguard/pkg/metrics"
	"github.com/emrguard/emrguard/pkg/rule"
)

// row is a row of the table of emrguard's own metrics.
type row struct {
	kind string
	// labels with the values that the table names for each.
	labels map[string][]string
}

var (
	quoted     = regexp.MustCompile("`([^`]+)`")
	metricName = regexp.MustCompile(`^emrguard_[a-z0-9_]+$`)
	// word is a value of a label; in the table the values follow the label's name,
	// with a comma between them.
	word = regexp.MustCompile(`^[A-Za-z-]+$`)
)

// table reads the rows of docs/metrics.md by the names of the metrics.
func table(t *testing.T) map[string]row {
	t.Helper()
	rows := map[string]row{}
	for line := range strings.SplitSeq(read(t, "docs", "metrics.md"), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`emrguard_") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[1]), "`")
		if _, twice := rows[name]; twice {
			t.Errorf("docs/metrics.md has two rows of %s", name)
		}
		r := row{kind: strings.TrimSpace(cells[2]), labels: map[string][]string{}}
		for part := range strings.SplitSeq(cells[3], ";") {
			label := quoted.FindStringSubmatch(part)
			if label == nil {
				continue
			}
			_, values, _ := strings.Cut(part, ":")
			r.labels[label[1]] = nil
			for value := range strings.SplitSeq(values, ",") {
				if value = strings.TrimSpace(value); word.MatchString(value) {
					r.labels[label[1]] = append(r.labels[label[1]], value)
				}
			}
		}
		rows[name] = r
	}
	return rows
}

// namesInSource are the names of metrics in the code of the process, wherever they
// are registered.
func namesInSource(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(root, "pkg"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse %s: %w", path, err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && metricName.MatchString(text) {
					names[text] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(names))
}

func TestEveryMetricIsInTheTable(t *testing.T) {
	rows, names := table(t), namesInSource(t)
	for _, name := range names {
		if _, ok := rows[name]; !ok {
			t.Errorf("docs/metrics.md has no row of %s", name)
		}
	}
	for name := range rows {
		if !slices.Contains(names, name) {
			t.Errorf("docs/metrics.md has a row of %s, which the process does not have", name)
		}
	}
	if len(names) < 8 {
		t.Errorf("only %d metrics were found in the code: %q", len(names), names)
	}
}

// collectors records what is registered.
type collectors []prometheus.Collector

func (c *collectors) Register(p prometheus.Collector) error {
	*c = append(*c, p)
	return nil
}

func (c *collectors) MustRegister(list ...prometheus.Collector) { *c = append(*c, list...) }

func (*collectors) Unregister(prometheus.Collector) bool { return false }

var description = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// The recorder's metrics have the type and the labels of the table.
func TestTypesAndLabelsOfTheTable(t *testing.T) {
	rows := table(t)
	var registered collectors
	metrics.New(&registered)
	metrics.NewAudit(&registered)
	for _, c := range registered {
		kind := ""
		switch c.(type) {
		case *prometheus.CounterVec, prometheus.Counter:
			kind = "counter"
		case *prometheus.HistogramVec, prometheus.Histogram:
			kind = "histogram"
		}
		if _, ok := c.(prometheus.Gauge); ok {
			kind = "gauge"
		}
		if _, ok := c.(*prometheus.GaugeVec); ok {
			kind = "gauge"
		}
		descriptions := make(chan *prometheus.Desc, 1)
		c.Describe(descriptions)
		text := (<-descriptions).String()
		m := description.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("cannot read the description %s", text)
		}
		var labels []string
		if m[2] != "" {
			labels = strings.Split(m[2], ",")
		}
		slices.Sort(labels)
		r := rows[m[1]]
		if documented := slices.Sorted(maps.Keys(r.labels)); r.kind != kind || !slices.Equal(documented, labels) {
			t.Errorf("%s is a %s with the labels %q; docs/metrics.md says %s, %q", m[1], kind, labels, r.kind, documented)
		}
	}
}

// Values of labels are those of the code.
func TestValuesOfTheTable(t *testing.T) {
	rows := table(t)
	for _, c := range []struct {
		metric, label string
		want          []string
	}{
		{"emrguard_admission_requests_total", "outcome", []string{metrics.Allowed, metrics.Warned, metrics.Denied, metrics.Malformed, metrics.Failed}},
		{"emrguard_findings_total", "action", []string{string(rule.Deny), string(rule.Warn), string(rule.Audit), "exempt", "break-glass"}},
		{"emrguard_findings_total", "class", []string{string(rule.EMRService), string(rule.JobAccount), string(rule.Administrator), string(rule.Controller), string(rule.Submitter)}},
	} {
		if got := rows[c.metric].labels[c.label]; !slices.Equal(got, c.want) {
			t.Errorf("the label %s of %s is %q in docs/metrics.md, want %q", c.label, c.metric, got, c.want)
		}
	}
}
