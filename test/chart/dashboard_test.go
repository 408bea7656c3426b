package chart_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// dashboard is what Grafana reads of the chart's dashboard.
type dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []struct {
			Name  string `json:"name"`
			Type  string `json:"type"`
			Query any    `json:"query"`
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type dataSource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int         `json:"id"`
	Title       string      `json:"title"`
	Type        string      `json:"type"`
	DataSource  *dataSource `json:"datasource"`
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		DataSource *dataSource `json:"datasource"`
		Expr       string      `json:"expr"`
		RefID      string      `json:"refId"`
	} `json:"targets"`
}

func readDashboard(t *testing.T) *dashboard {
	t.Helper()
	rendered := render(t, "helm3", "--set", "dashboard.enabled=true")
	var d dashboard
	if err := json.Unmarshal([]byte(object[corev1.ConfigMap](t, rendered, "ConfigMap/emrguard-dashboard").Data["emrguard.json"]), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// Grafana takes the dashboard: ids that are unique, panels that do not overlap,
// and data sources that the variable chooses.
func TestDashboardFitsGrafana(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	if d.UID == "" || len(d.UID) > 40 || d.Title == "" || d.SchemaVersion < 36 {
		t.Errorf("uid %q, title %q, schemaVersion %d", d.UID, d.Title, d.SchemaVersion)
	}
	if len(d.Templating.List) != 2 || d.Templating.List[0].Name != "datasource" || d.Templating.List[0].Type != "datasource" || d.Templating.List[0].Query != "prometheus" {
		t.Errorf("variables %+v, want the data source first", d.Templating.List)
	}
	ids, taken := map[int]string{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if other, twice := ids[p.ID]; twice || p.ID == 0 {
			t.Errorf("panels %q and %q have the id %d", other, p.Title, p.ID)
		}
		ids[p.ID] = p.Title
		if g := p.GridPos; g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("panel %q does not fit the grid of 24 columns: %+v", p.Title, g)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("panels %q and %q overlap", other, p.Title)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if !slices.Contains([]string{"stat", "timeseries", "table"}, p.Type) || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q: type %q, unit %q, %d targets", p.Title, p.Type, p.FieldConfig.Defaults.Unit, len(p.Targets))
		}
		want := dataSource{Type: "prometheus", UID: "${datasource}"}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if target.DataSource == nil || *target.DataSource != want || p.DataSource == nil || *p.DataSource != want {
				t.Errorf("panel %q does not use the chosen data source", p.Title)
			}
			if refs[target.RefID] || target.RefID == "" {
				t.Errorf("panel %q has the refId %q twice", p.Title, target.RefID)
			}
			refs[target.RefID] = true
		}
	}
}

// expressions are those of the dashboard as Prometheus gets them, by panel.
func (d *dashboard) expressions() map[string]string {
	list := map[string]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			list[p.Title+" "+target.RefID] = strings.NewReplacer("$__rate_interval", "5m", "$namespace", releaseNamespace).Replace(target.Expr)
		}
	}
	return list
}

func TestPrometheusReadsTheDashboard(t *testing.T) {
	t.Parallel()
	type recording struct {
		Record string            `json:"record"`
		Expr   string            `json:"expr"`
		Labels map[string]string `json:"labels"`
	}
	group := struct {
		Name  string      `json:"name"`
		Rules []recording `json:"rules"`
	}{Name: "dashboard"}
	expressions := readDashboard(t).expressions()
	for _, name := range slices.Sorted(maps.Keys(expressions)) {
		if strings.Contains(expressions[name], "$") {
			t.Errorf("%s: %s has a variable that the dashboard does not define", name, expressions[name])
		}
		group.Rules = append(group.Rules, recording{"panel:expr", expressions[name], map[string]string{"panel": name}})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{group}})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "rules.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := promtool(t, folder, "check", "rules", "rules.yaml"); err != nil {
		t.Errorf("promtool check rules: %v\n%s", err, out)
	}
}

var (
	// metricPattern finds what may be the name of a metric in an expression: all
	// that are used begin with the name of who has them.
	metricPattern = regexp.MustCompile(`\b(emrguard|apiserver|kube|process|go|certwatcher|controller_runtime)_[a-z0-9_]+`)
	selected      = regexp.MustCompile(`([a-z_]+)\{`)
	documented    = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|")
)

// Metrics in alerts and panels exist: docs/metrics.md has them, whose part about
// emrguard another test compares with the process.
func TestMetricsInUseAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(repository + "/docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"up": true}
	for _, m := range documented.FindAllStringSubmatch(string(page), -1) {
		known[m[1]] = true
	}
	used := readDashboard(t).expressions()
	for _, r := range alerts(t).Groups[0].Rules {
		used[r.Alert] = r.Expr
	}
	seen := map[string]bool{"up": true}
	for where, expr := range used {
		names := metricPattern.FindAllString(expr, -1)
		for _, m := range selected.FindAllStringSubmatch(expr, -1) {
			names = append(names, m[1])
		}
		if len(names) == 0 {
			t.Errorf("%s: no metric is found in %s", where, expr)
		}
		for _, name := range names {
			for _, part := range []string{"_bucket", "_sum", "_count"} { // of a histogram
				if whole, ok := strings.CutSuffix(name, part); ok && known[whole] {
					name = whole
				}
			}
			seen[name] = true
			if !known[name] {
				t.Errorf("%s uses %s, which docs/metrics.md does not have", where, name)
			}
		}
	}
	for name := range known {
		if !seen[name] {
			t.Errorf("neither an alert nor the dashboard shows %s", name)
		}
	}
}
